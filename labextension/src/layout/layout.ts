/**
 * Layered layout of nested groups in linear time. Each open group is laid out alone, the innermost first; an edge
 * that crosses a border does so at a port, which is an item of the inner group and an offset in the outer one.
 */

import { createCache, type LayoutCache } from './cache';
import { linkIn, newFrame, problemOf, type Frame } from './frame';
import { GROUP_BOTTOM, GROUP_SIDE, GROUP_TOP } from './spacing';
import type { GroupLayout, Held, Hold, LayoutInput, LayoutResult } from './types';

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

  // Children stand after their parents: from the end, every inside is done before its outside.
  for (let index = count - 1; index >= -1; index--) {
    const at = index < 0 ? count : index;
    const frame = frames[at];
    if (frame === undefined) {
      continue;
    }
    const problem = problemOf(frame, result.width, result.height, input.pinned);
    const nets = [...frame.nets.keys()];
    for (let link = 0; link < frame.net.length; link++) {
      const net = nets[frame.net[link]];
      problem.exit[link] = offsetOf(frame.from[link], 'outPortOf', net);
      problem.entry[link] = offsetOf(frame.to[link], 'inPortOf', net);
    }
    const anchor = input.hold?.anchors.find((each) => frameOf[each] === at);
    if (input.hold !== undefined && anchor !== undefined) {
      problem.held = heldIn(input.hold, anchor, at, frameOf, frame.inPorts.length, placeOf);
      problem.held.axis = offsetOf(anchor, 'inPortOf', firstNet(frames[anchor]));
    }
    const made = cache.group(problem);
    layouts[at] = made;
    if (at < count) {
      // The header stands above the main line: there is room for half of it on the left.
      const spare = frame.inPorts.length > 0 ? input.widths[at] / 2 - GROUP_SIDE - made.x[0] : 0;
      const inner = made.width + 2 * GROUP_SIDE + Math.max(0, spare);
      result.width[at] = Math.max(input.widths[at], inner);
      result.height[at] = GROUP_TOP + made.height + GROUP_BOTTOM;
      insetX[at] = GROUP_SIDE + Math.max(0, spare) + (result.width[at] - inner) / 2;
      insetY[at] = GROUP_TOP;
    }
  }
  cache.sweep();

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
  }
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

/** The net of the first port in a group's upper border. */
function firstNet(frame: Frame | undefined): number {
  return frame?.inPorts.find((net) => frame.inPortOf.get(net) === 0) ?? -1;
}

function heldIn(
  hold: Hold,
  anchor: number,
  at: number,
  frameOf: Int32Array,
  ports: number,
  placeOf: Int32Array,
): Held {
  const held: Held = { anchor: ports + placeOf[anchor], axis: 0, items: [], offsets: [], heights: [] };
  const around = hold.anchors.indexOf(anchor);
  if (ports > 0 && !Number.isNaN(hold.portOffsets[around])) {
    held.items.push(0);
    held.offsets.push(hold.portOffsets[around]);
    held.heights.push(hold.portHeights[around]);
  }
  hold.boxes.forEach((box, row) => {
    if (frameOf[box] === at) {
      held.items.push(ports + placeOf[box]);
      held.offsets.push(hold.offsets[row]);
      held.heights.push(hold.heights[row]);
    }
  });
  return held;
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
