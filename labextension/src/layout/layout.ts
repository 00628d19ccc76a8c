/**
 * Layered layout of nested groups in linear time. Each open group is laid out alone, the innermost first; an edge
 * that crosses a border does so at a port, which is an item of the inner group and an offset in the outer one.
 */

import { createCache, type LayoutCache } from './cache';
import { linkIn, newFrame, problemOf, type Frame } from './frame';
import { GROUP_BOTTOM, GROUP_SIDE, GROUP_TOP } from './spacing';
import type { GroupLayout, Held, Hold, LayoutInput, LayoutResult, Stations } from './types';

/** The offset of a port just at the middle: 0 would leave the router free to choose another place. */
const AT_MIDDLE = 1e-9;

/** An edge's way through the frames that it crosses: rows of frame and link by turns. */
interface Routes {
  start: Int32Array;
  steps: number[];
}

export function layout(input: LayoutInput, cache: LayoutCache = createCache()): LayoutResult {
  const count = input.parents.length;
  // Frame `count` is the whole picture; frame `i` the inside of open box `i`.
  const frames: (Frame | undefined)[] = Array.from({ length: count + 1 }, (_, index) =>
    index === count || input.open[index] ? newFrame() : undefined,
  );
  const frameOf = Int32Array.from(input.parents, (parent) => (parent < 0 ? count : parent));
  const placeOf = new Int32Array(count);
  const depth = new Int32Array(count + 1);
  for (let box = 0; box < count; box++) {
    depth[box] = input.parents[box] < 0 ? 1 : depth[input.parents[box]] + 1;
    placeOf[box] = frames[frameOf[box]]!.members.push(box) - 1;
  }
  const routes = routeThrough(input, frames, frameOf, placeOf, depth);

  const result: LayoutResult = {
    x: new Array<number>(count).fill(0),
    y: new Array<number>(count).fill(0),
    width: [...input.widths],
    height: [...input.heights],
    axis: [],
    stations: { frame: [], net: [], rank: [], x: [] },
    paths: [],
  };
  // Where a frame's contents begin, from the frame's own top left corner.
  const insetX = new Float64Array(count + 1);
  const insetY = new Float64Array(count + 1);
  const layouts: GroupLayout[] = [];
  const offsetOf = (box: number, kind: 'inPortOf' | 'outPortOf', net: number): number => {
    const item = box < 0 ? undefined : frames[box]?.[kind].get(net);
    return item === undefined ? 0 : insetX[box] + layouts[box].x[item] - result.width[box] / 2 || AT_MIDDLE;
  };

  const { hold } = input;
  /** The changed group, or the group around it that was laid out last, and how far from its middle the axis is. */
  let anchor = hold?.anchor ?? -1;
  let axis = 0;
  // Children stand after their parents: from the end, every inside is done before its outside.
  for (let index = count - 1; index >= -1; index--) {
    const at = index < 0 ? count : index;
    const frame = frames[at];
    if (frame === undefined) {
      continue;
    }
    const problem = problemOf(frame, result.width, result.height, input.pinned, input.open);
    const nets = [...frame.nets.keys()];
    for (let link = 0; link < frame.net.length; link++) {
      const net = nets[frame.net[link]];
      problem.exit[link] = offsetOf(frame.from[link], 'outPortOf', net);
      problem.entry[link] = offsetOf(frame.to[link], 'inPortOf', net);
    }
    const holding = hold !== undefined && anchor >= 0 && frameOf[anchor] === at;
    const held = holding ? heldIn(hold, anchor, axis, at, frame, frameOf, placeOf) : undefined;
    const made = cache.group(problem, at < count ? (input.keys?.[at] ?? -1) : -1, held);
    layouts[at] = made;
    if (at < count) {
      const lead = input.leads?.[at] ?? input.widths[at] / 2;
      const tail = input.widths[at] - lead;
      const inner = made.width + 2 * GROUP_SIDE;
      // The header stands above the main line: there is room for it on both sides.
      const main = frame.inPorts.length > 0 ? GROUP_SIDE + made.x[0] : inner / 2;
      const left = Math.max(0, lead - main);
      result.width[at] = left + inner + Math.max(0, tail - (inner - main));
      if (frame.inPorts.length === 0) {
        result.width[at] = Math.max(inner, 2 * lead, 2 * tail);
      }
      result.height[at] = GROUP_TOP + made.height + GROUP_BOTTOM;
      insetX[at] = GROUP_SIDE + (frame.inPorts.length > 0 ? left : (result.width[at] - inner) / 2);
      insetY[at] = GROUP_TOP;
    }
    if (holding) {
      const place = layouts[at].x[frame.inPorts.length + placeOf[anchor]] + axis;
      axis = insetX[at] + place - result.width[at] / 2;
      anchor = at < count ? at : -1;
    } else if (at === anchor && at === hold?.anchor) {
      axis = axisOf(at);
    }
  }
  cache.sweep();

  /** From the middle of a box, where its main line enters. */
  function axisOf(box: number): number {
    const ports = frames[box]?.inPorts.length ?? 0;
    return ports > 0 ? insetX[box] + layouts[box].x[0] - result.width[box] / 2 : 0;
  }

  // The corner of each frame's contents in the picture.
  const cornerX = new Float64Array(count + 1);
  const cornerY = new Float64Array(count + 1);
  for (let box = 0; box < count; box++) {
    const at = frameOf[box];
    const item = frames[at]!.inPorts.length + placeOf[box];
    result.x[box] = cornerX[at] + layouts[at].x[item] - result.width[box] / 2;
    result.y[box] = cornerY[at] + layouts[at].y[item];
    cornerX[box] = result.x[box] + insetX[box];
    cornerY[box] = result.y[box] + insetY[box];
    result.axis.push(result.x[box] + result.width[box] / 2 + axisOf(box));
  }
  frames.forEach((frame, at) => {
    if (frame !== undefined) {
      addStations(result.stations, at === count ? -1 : at, frame, layouts[at], cornerX[at]);
    }
  });
  for (let edge = 0; edge < input.sources.length; edge++) {
    const path: number[] = [];
    for (let at = routes.start[edge]; at < routes.start[edge + 1]; at += 2) {
      const frame = routes.steps[at];
      append(path, layouts[frame].paths[routes.steps[at + 1]], cornerX[frame], cornerY[frame]);
    }
    result.paths.push(path);
  }
  return result;
}

function heldIn(
  hold: Hold,
  anchor: number,
  axis: number,
  at: number,
  frame: Frame,
  frameOf: Int32Array,
  placeOf: Int32Array,
): Held {
  const ports = frame.inPorts.length;
  const held: Held = {
    anchor: ports + placeOf[anchor],
    axis,
    items: [],
    offsets: [],
    heights: [],
    depth: hold.depths[hold.frames.indexOf(at === frameOf.length ? -1 : at)],
    nets: [],
    ranks: [],
    bends: [],
  };
  hold.boxes.forEach((box, row) => {
    if (frameOf[box] === at) {
      held.items.push(ports + placeOf[box]);
      held.offsets.push(hold.offsets[row]);
      held.heights.push(hold.heights[row]);
    }
  });
  const { stations } = hold;
  stations.frame.forEach((each, row) => {
    if (each !== at && !(each < 0 && at === frameOf.length)) {
      return;
    }
    const port = stations.rank[row] === 0 ? frame.inPortOf.get(stations.net[row]) : undefined;
    if (port !== undefined) {
      held.items.push(port);
      held.offsets.push(stations.x[row]);
      held.heights.push(held.depth);
      return;
    }
    const net = frame.nets.get(stations.net[row]);
    if (net !== undefined) {
      held.nets.push(net);
      held.ranks.push(stations.rank[row]);
      held.bends.push(stations.x[row]);
    }
  });
  return held;
}

/** Writes down where lines pass the ranks of a frame. */
function addStations(
  stations: Stations,
  at: number,
  frame: Frame,
  { x, bends }: GroupLayout,
  corner: number,
): void {
  const add = (net: number, rank: number, place: number): void => {
    stations.frame.push(at);
    stations.net.push(net);
    stations.rank.push(rank);
    stations.x.push(corner + place);
  };
  frame.inPortOf.forEach((item, net) => add(net, 0, x[item]));
  const nets = [...frame.nets.keys()];
  bends.net.forEach((net, bend) => add(nets[net], bends.rank[bend], bends.x[bend]));
}

function routeThrough(
  input: LayoutInput,
  frames: (Frame | undefined)[],
  frameOf: Int32Array,
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
    while (frameOf[a] !== frameOf[b]) {
      if (depth[a] >= depth[b]) {
        const at = frameOf[a];
        steps.push(at, linkIn(frames[at]!, net, a, -1, placeOf));
        a = at;
      } else {
        const at = frameOf[b];
        into.push(linkIn(frames[at]!, net, -1, b, placeOf), at);
        b = at;
      }
    }
    steps.push(frameOf[a], linkIn(frames[frameOf[a]]!, net, a, b, placeOf));
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
