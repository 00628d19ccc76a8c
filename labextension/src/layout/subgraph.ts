/** The inside of an open group (or the whole picture) while its links and ports are gathered. */

import { Kind, type GroupProblem } from './types';

/** Ports are written as numbers beyond the boxes' until all are known. */
const IN = 1 << 28;
const OUT = 1 << 29;
const PORT_WIDTH = 6;

export interface Subgraph {
  /** Boxes inside, in trace order. */
  members: number[];
  /** Nets by the order in which they came, and their ports in the upper and lower border. */
  nets: Map<number, number>;
  inPorts: number[];
  outPorts: number[];
  inPortOf: Map<number, number>;
  outPortOf: Map<number, number>;
  /** One row for each link. */
  net: number[];
  source: number[];
  target: number[];
  /** The boxes at its ends, whose own ports it meets if they are open; -1: a port of this subgraph. */
  from: number[];
  to: number[];
  linkOf: Map<number, number>;
}

export function newSubgraph(): Subgraph {
  return {
    members: [],
    nets: new Map(),
    inPorts: [],
    outPorts: [],
    inPortOf: new Map(),
    outPortOf: new Map(),
    net: [],
    source: [],
    target: [],
    from: [],
    to: [],
    linkOf: new Map(),
  };
}

function portOf(ports: number[], of: Map<number, number>, net: number): number {
  let port = of.get(net);
  if (port === undefined) {
    port = ports.push(net) - 1;
    of.set(net, port);
  }
  return port;
}

/**
 * The link of a net from one box of a subgraph to another; `-1` stands for the subgraph's own border. `placeOf` says
 * where a box stands among the members. Made once for each net and pair of ends.
 */
export function linkIn(
  subgraph: Subgraph,
  net: number,
  from: number,
  to: number,
  placeOf: Int32Array,
): number {
  const source = from < 0 ? IN + portOf(subgraph.inPorts, subgraph.inPortOf, net) : placeOf[from];
  const target = to < 0 ? OUT + portOf(subgraph.outPorts, subgraph.outPortOf, net) : placeOf[to];
  let local = subgraph.nets.get(net);
  if (local === undefined) {
    local = subgraph.nets.size;
    subgraph.nets.set(net, local);
  }
  // A net leaves a subgraph's box or enters by its own port: one source each. So its target tells links apart.
  const place = to < 0 ? subgraph.members.length : target;
  const key = local * (subgraph.members.length + 1) + place;
  let link = subgraph.linkOf.get(key);
  if (link === undefined) {
    link = subgraph.net.push(local) - 1;
    subgraph.source.push(source);
    subgraph.target.push(target);
    subgraph.from.push(from);
    subgraph.to.push(to);
    subgraph.linkOf.set(key, link);
  }
  return link;
}

/** A subgraph's problem, all but the offsets of links and the sizes of open boxes. */
export function problemOf(
  subgraph: Subgraph,
  widths: ArrayLike<number>,
  heights: ArrayLike<number>,
  pinned: ArrayLike<number>,
  open: ArrayLike<boolean>,
): GroupProblem {
  const { members, inPorts, outPorts } = subgraph;
  const ins = inPorts.length;
  const count = ins + members.length + outPorts.length;
  // The latest net is the main path: it comes first, and a mask from far above stands to its right. The graph's
  // own inputs follow in their order.
  const isInput = (net: number): boolean => pinned[net] < 0;
  const upper = placesOf(inPorts, (a, b) =>
    isInput(a) !== isInput(b) ? Number(isInput(a)) - Number(isInput(b)) : isInput(a) ? a - b : b - a,
  );
  const lower = placesOf(outPorts, (a, b) => a - b);
  const item = (end: number): number =>
    end >= OUT ? ins + members.length + lower[end - OUT] : end >= IN ? upper[end - IN] : ins + end;
  const problem: GroupProblem = {
    width: new Float64Array(count).fill(PORT_WIDTH),
    height: new Float64Array(count),
    kind: new Uint8Array(count).fill(Kind.In, 0, ins).fill(Kind.Out, ins + members.length),
    open: new Uint8Array(count),
    pinned: new Int8Array(count),
    net: Int32Array.from(subgraph.net),
    source: Int32Array.from(subgraph.source, item),
    target: Int32Array.from(subgraph.target, item),
    exit: new Float64Array(subgraph.net.length),
    entry: new Float64Array(subgraph.net.length),
  };
  members.forEach((box, at) => {
    problem.width[ins + at] = widths[box];
    problem.height[ins + at] = heights[box];
    problem.open[ins + at] = Number(open[box]);
    problem.pinned[ins + at] = pinned[box];
  });
  // From here on a port is known by its place among the items.
  inPorts.forEach((net, at) => subgraph.inPortOf.set(net, upper[at]));
  outPorts.forEach((net, at) => subgraph.outPortOf.set(net, ins + members.length + lower[at]));
  return problem;
}

/** Where each row of a list stands once the list is sorted. */
function placesOf(nets: number[], compare: (a: number, b: number) => number): Int32Array {
  const order = nets.map((_, at) => at).sort((a, b) => compare(nets[a], nets[b]));
  const places = new Int32Array(nets.length);
  order.forEach((at, place) => (places[at] = place));
  return places;
}
