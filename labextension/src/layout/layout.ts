/**
 * Layered layout of nested groups in linear time. Each open group is laid out alone, the innermost first; an edge
 * that crosses a border does so at a port, which is an item of the inner group and an offset in the outer one.
 *
 * Everything here runs down. A picture from left to right is laid out with the sides of its boxes exchanged, and
 * mirrored at its diagonal once it is done; only titles, which stand at the top in both, are told apart.
 */

import { createCache, type LayoutCache } from './cache';
import { wrapped } from './columns';
import { linkIn, newSubgraph, problemOf, type Subgraph } from './subgraph';
import { GROUP_BOTTOM, GROUP_END, GROUP_SIDE, GROUP_TOP } from './spacing';
import type {
  GroupLayout,
  GroupAnchors,
  Anchors,
  LayoutInput,
  LayoutResult,
  Places,
  Waypoints,
} from './types';

/** The offset of a port just at the middle: 0 would leave the router free to choose another place. */
const AT_MIDDLE = 1e-9;

/** An edge's way through the subgraphs that it crosses: rows of subgraph and link by turns. */
interface Routes {
  start: Int32Array;
  steps: number[];
}

export function layout(input: LayoutInput, cache: LayoutCache = createCache()): LayoutResult {
  const count = input.parents.length;
  const toRight = input.flow === 'right';
  // Frame `count` is the whole picture; subgraph `i` the inside of open box `i`.
  const subgraphs: (Subgraph | undefined)[] = Array.from({ length: count + 1 }, (_, index) =>
    index === count || input.open[index] ? newSubgraph() : undefined,
  );
  const subgraphOf = Int32Array.from(input.parents, (parent) => (parent < 0 ? count : parent));
  const placeOf = new Int32Array(count);
  const depth = new Int32Array(count + 1);
  for (let box = 0; box < count; box++) {
    depth[box] = input.parents[box] < 0 ? 1 : depth[input.parents[box]] + 1;
    placeOf[box] = subgraphs[subgraphOf[box]]!.members.push(box) - 1;
  }
  const routes = routeThrough(input, subgraphs, subgraphOf, placeOf, depth);

  const result: LayoutResult = {
    x: [],
    y: [],
    width: [...(toRight ? input.heights : input.widths)],
    height: [...(toRight ? input.widths : input.heights)],
    axis: [],
    waypoints: { subgraph: [], net: [], rank: [], x: [] },
    paths: [],
  };
  // Where a subgraph's contents begin, from the subgraph's own top left corner.
  const insetX = new Float64Array(count + 1);
  const insetY = new Float64Array(count + 1);
  /** As they were laid out; and as they are drawn, one of them in columns. */
  const layouts: GroupLayout[] = [];
  const drawn: GroupLayout[] = [];
  const offsetOf = (box: number, kind: 'inPortOf' | 'outPortOf', net: number): number => {
    const item = box < 0 ? undefined : subgraphs[box]?.[kind].get(net);
    return item === undefined ? 0 : insetX[box] + drawn[box].x[item] - result.width[box] / 2 || AT_MIDDLE;
  };

  const { anchors, wrap } = input;
  /** The changed group, or the group around it that was laid out last, and how far from its middle the axis is. */
  let anchor = anchors?.changed ?? -1;
  let axis = 0;
  // Children stand after their parents: from the end, every inside is done before its outside.
  for (let index = count - 1; index >= -1; index--) {
    const at = index < 0 ? count : index;
    const subgraph = subgraphs[at];
    if (subgraph === undefined) {
      continue;
    }
    const problem = problemOf(subgraph, result.width, result.height, input.pinned, input.open);
    const nets = [...subgraph.nets.keys()];
    for (let link = 0; link < subgraph.net.length; link++) {
      const net = nets[subgraph.net[link]];
      problem.exit[link] = offsetOf(subgraph.from[link], 'outPortOf', net);
      problem.entry[link] = offsetOf(subgraph.to[link], 'inPortOf', net);
    }
    const isAnchored = anchors !== undefined && anchor >= 0 && subgraphOf[anchor] === at;
    const own = isAnchored ? anchorsIn(anchors, anchor, axis, at, subgraph, subgraphOf, placeOf) : undefined;
    let made = cache.group(problem, at < count ? (input.keys?.[at] ?? -1) : -1, own);
    layouts[at] = made;
    if (wrap !== undefined && at === (wrap.group < 0 ? count : wrap.group)) {
      const ports = subgraph.inPorts.length;
      const begin = wrap.breaks?.filter((box) => subgraphOf[box] === at).map((box) => ports + placeOf[box]);
      const inColumns = wrapped(problem, made, wrap.columns, begin);
      made = inColumns.made;
      result.breaks = inColumns.breaks.map((item) => subgraph.members[item - ports]);
    }
    drawn[at] = made;
    if (at < count && toRight) {
      // The title is beside the main line, so it only asks for length.
      result.width[at] = GROUP_TOP + made.width + GROUP_SIDE;
      result.height[at] = Math.max(input.widths[at], GROUP_TOP + made.height + GROUP_END);
      insetX[at] = GROUP_TOP;
      // The square that closes it stands on the main line, before the first box.
      insetY[at] = GROUP_TOP;
    } else if (at < count) {
      const lead = input.headerOffsets?.[at] ?? input.widths[at] / 2;
      const tail = input.widths[at] - lead;
      const inner = made.width + 2 * GROUP_SIDE;
      // The header stands above the main line: there is room for it on both sides.
      const main = subgraph.inPorts.length > 0 ? GROUP_SIDE + made.x[0] : inner / 2;
      const left = Math.max(0, lead - main);
      result.width[at] = left + inner + Math.max(0, tail - (inner - main));
      if (subgraph.inPorts.length === 0) {
        result.width[at] = Math.max(inner, 2 * lead, 2 * tail);
      }
      result.height[at] = GROUP_TOP + made.height + GROUP_BOTTOM;
      insetX[at] = GROUP_SIDE + (subgraph.inPorts.length > 0 ? left : (result.width[at] - inner) / 2);
      insetY[at] = GROUP_TOP;
    }
    if (isAnchored) {
      const place = layouts[at].x[subgraph.inPorts.length + placeOf[anchor]] + axis;
      axis = insetX[at] + place - result.width[at] / 2;
      anchor = at < count ? at : -1;
    } else if (at === anchor && at === anchors?.changed) {
      axis = axisOf(at);
    }
  }
  cache.sweep();

  /** From the middle of a box, where its main line enters. */
  function axisOf(box: number): number {
    const ports = subgraphs[box]?.inPorts.length ?? 0;
    return ports > 0 ? insetX[box] + drawn[box].x[0] - result.width[box] / 2 : 0;
  }

  // The corner of each subgraph's contents in the picture.
  const cornerX = new Float64Array(count + 1);
  const cornerY = new Float64Array(count + 1);
  const place = (groups: GroupLayout[]): Places => {
    const [x, y, axis]: [number[], number[], number[]] = [[], [], []];
    for (let box = 0; box < count; box++) {
      const at = subgraphOf[box];
      const item = subgraphs[at]!.inPorts.length + placeOf[box];
      x.push(cornerX[at] + groups[at].x[item] - result.width[box] / 2);
      y.push(cornerY[at] + groups[at].y[item]);
      cornerX[box] = x[box] + insetX[box];
      cornerY[box] = y[box] + insetY[box];
      axis.push(x[box] + result.width[box] / 2 + axisOf(box));
    }
    return { x, y, axis };
  };
  const places = place(layouts);
  subgraphs.forEach((subgraph, at) => {
    if (subgraph !== undefined) {
      addWaypoints(result.waypoints, at === count ? -1 : at, subgraph, layouts[at], cornerX[at]);
    }
  });
  if (wrap === undefined) {
    Object.assign(result, places);
  } else {
    Object.assign(result, place(drawn), { unwrapped: places });
  }
  for (let edge = 0; edge < input.sources.length; edge++) {
    const path: number[] = [];
    for (let at = routes.start[edge]; at < routes.start[edge + 1]; at += 2) {
      const subgraph = routes.steps[at];
      append(path, drawn[subgraph].paths[routes.steps[at + 1]], cornerX[subgraph], cornerY[subgraph]);
    }
    result.paths.push(path);
  }
  return toRight ? mirrored(result) : result;
}

/** The same picture, mirrored at its diagonal. */
function mirrored(result: LayoutResult): LayoutResult {
  for (const path of result.paths) {
    for (let at = 0; at < path.length; at += 2) {
      [path[at], path[at + 1]] = [path[at + 1], path[at]];
    }
  }
  return { ...result, x: result.y, y: result.x, width: result.height, height: result.width };
}

/** The anchors of the whole picture that lie in one group. */
function anchorsIn(
  anchors: Anchors,
  anchor: number,
  axis: number,
  at: number,
  subgraph: Subgraph,
  subgraphOf: Int32Array,
  placeOf: Int32Array,
): GroupAnchors {
  const ports = subgraph.inPorts.length;
  const own: GroupAnchors = {
    changed: ports + placeOf[anchor],
    axis,
    items: [],
    offsets: [],
    heights: [],
    depth: anchors.depths[anchors.subgraphs.indexOf(at === subgraphOf.length ? -1 : at)],
    nets: [],
    ranks: [],
    bends: [],
  };
  anchors.boxes.forEach((box, row) => {
    if (subgraphOf[box] === at) {
      own.items.push(ports + placeOf[box]);
      own.offsets.push(anchors.offsets[row]);
      own.heights.push(anchors.heights[row]);
    }
  });
  const { waypoints } = anchors;
  waypoints.subgraph.forEach((each, row) => {
    if (each !== at && !(each < 0 && at === subgraphOf.length)) {
      return;
    }
    const port = waypoints.rank[row] === 0 ? subgraph.inPortOf.get(waypoints.net[row]) : undefined;
    if (port !== undefined) {
      own.items.push(port);
      own.offsets.push(waypoints.x[row]);
      own.heights.push(own.depth);
      return;
    }
    const net = subgraph.nets.get(waypoints.net[row]);
    if (net !== undefined) {
      own.nets.push(net);
      own.ranks.push(waypoints.rank[row]);
      own.bends.push(waypoints.x[row]);
    }
  });
  return own;
}

/** Writes down where lines pass the ranks of a subgraph. */
function addWaypoints(
  waypoints: Waypoints,
  at: number,
  subgraph: Subgraph,
  { x, bends }: GroupLayout,
  corner: number,
): void {
  const add = (net: number, rank: number, place: number): void => {
    waypoints.subgraph.push(at);
    waypoints.net.push(net);
    waypoints.rank.push(rank);
    waypoints.x.push(corner + place);
  };
  subgraph.inPortOf.forEach((item, net) => add(net, 0, x[item]));
  const nets = [...subgraph.nets.keys()];
  bends.net.forEach((net, bend) => add(nets[net], bends.rank[bend], bends.x[bend]));
}

function routeThrough(
  input: LayoutInput,
  subgraphs: (Subgraph | undefined)[],
  subgraphOf: Int32Array,
  placeOf: Int32Array,
  depth: Int32Array,
): Routes {
  const { sources, targets } = input;
  const start = new Int32Array(sources.length + 1);
  const steps: number[] = [];
  const into: number[] = [];
  for (let edge = 0; edge < sources.length; edge++) {
    const net = sources[edge];
    let a = net;
    let b = targets[edge];
    into.length = 0;
    while (subgraphOf[a] !== subgraphOf[b]) {
      if (depth[a] >= depth[b]) {
        const at = subgraphOf[a];
        steps.push(at, linkIn(subgraphs[at]!, net, a, -1, placeOf));
        a = at;
      } else {
        const at = subgraphOf[b];
        into.push(linkIn(subgraphs[at]!, net, -1, b, placeOf), at);
        b = at;
      }
    }
    steps.push(subgraphOf[a], linkIn(subgraphs[subgraphOf[a]]!, net, a, b, placeOf));
    for (let at = into.length - 1; at >= 0; at--) {
      steps.push(into[at]);
    }
    start[edge + 1] = steps.length;
  }
  return { start, steps };
}

/** Adds a stretch of a path, dropping corners that are none. */
function append(path: number[], corners: number[], dx: number, dy: number): void {
  for (let at = 0; at < corners.length; at += 2) {
    const x = corners[at] + dx;
    const y = corners[at + 1] + dy;
    const length = path.length;
    const sameX = length >= 2 && Math.abs(path[length - 2] - x) < 0.01;
    const sameY = length >= 2 && Math.abs(path[length - 1] - y) < 0.01;
    if (sameX && sameY) {
      continue;
    }
    if (
      length >= 4 &&
      ((sameX && Math.abs(path[length - 4] - x) < 0.01) || (sameY && Math.abs(path[length - 3] - y) < 0.01))
    ) {
      path[length - 2] = x;
      path[length - 1] = y;
      continue;
    }
    path.push(x, y);
  }
}
