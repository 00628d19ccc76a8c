/**
 * Layered layout of nested groups in linear time. Each open group is laid out alone, the innermost first; an edge
 * that crosses a border does so at a port, which is an item of the inner group and an offset in the outer one.
 */

import { layoutGroup } from './group';
import { GROUP_BOTTOM, GROUP_SIDE, GROUP_TOP } from './spacing';
import type { Item, LayoutInput, LayoutResult, Link } from './types';

/** An open group (or the whole picture) while it is built. */
interface Frame {
  members: number[];
  items: Item[];
  itemOf: Map<number, number>;
  links: Link[];
  /** Port items of this frame by net, and links already made, by net and target. */
  inPorts: Map<number, number>;
  outPorts: Map<number, number>;
  linkOf: Map<string, Link>;
}

function newFrame(): Frame {
  return {
    members: [],
    items: [],
    itemOf: new Map(),
    links: [],
    inPorts: new Map(),
    outPorts: new Map(),
    linkOf: new Map(),
  };
}

function port(frame: Frame, kind: 'in' | 'out', net: number, graphInput: boolean): number {
  const ports = kind === 'in' ? frame.inPorts : frame.outPorts;
  let item = ports.get(net);
  if (item === undefined) {
    // The latest net is the main path: it comes first, and a mask from far above stands to its right. The
    // graph's inputs follow in their own order.
    const order = kind === 'out' ? net + 1e9 : graphInput ? -1 + net / 1e9 : -1 - net;
    item = frame.items.push({ width: 6, height: 0, rank: 0, x: 0, y: 0, order, kind, pinned: 0 }) - 1;
    ports.set(net, item);
  }
  return item;
}

function link(frame: Frame, net: number, source: number, target: number): Link {
  const key = `${net}:${source}:${target}`;
  let found = frame.linkOf.get(key);
  if (found === undefined) {
    found = { net, source, target, exit: 0, entry: 0, path: [] };
    frame.linkOf.set(key, found);
    frame.links.push(found);
  }
  return found;
}

/** A link together with the open groups on its ends, whose ports are only known once those are laid out. */
interface Step {
  frame: number;
  link: Link;
  from: number;
  to: number;
}

export function layout(input: LayoutInput): LayoutResult {
  const count = input.parents.length;
  // Frame `count` is the whole picture; frame `i` the inside of open box `i`.
  const frames: (Frame | undefined)[] = Array.from({ length: count + 1 }, (_, index) =>
    index === count || input.open[index] ? newFrame() : undefined,
  );
  const frameOf = (box: number): number => (input.parents[box] < 0 ? count : input.parents[box]);
  const depth = new Int32Array(count + 1);
  for (let box = 0; box < count; box++) {
    depth[box] = input.parents[box] < 0 ? 1 : depth[input.parents[box]] + 1;
    const frame = frames[frameOf(box)]!;
    frame.itemOf.set(
      box,
      frame.items.push({
        width: input.widths[box],
        height: input.heights[box],
        rank: 0,
        x: 0,
        y: 0,
        order: box,
        kind: 'box',
        pinned: input.pinned[box],
      }) - 1,
    );
    frame.members.push(box);
  }

  const routes = input.sources.map((source, edge) => {
    const target = input.targets[edge];
    const net = source;
    const out: Step[] = [];
    const into: Step[] = [];
    let a = source;
    let b = target;
    while (frameOf(a) !== frameOf(b)) {
      if (depth[a] >= depth[b]) {
        const at = frameOf(a);
        const frame = frames[at]!;
        out.push({
          frame: at,
          link: link(frame, net, frame.itemOf.get(a)!, port(frame, 'out', net, false)),
          from: a,
          to: -1,
        });
        a = at;
      } else {
        const at = frameOf(b);
        const frame = frames[at]!;
        into.push({
          frame: at,
          link: link(frame, net, port(frame, 'in', net, input.pinned[source] < 0), frame.itemOf.get(b)!),
          from: -1,
          to: b,
        });
        b = at;
      }
    }
    const at = frameOf(a);
    const frame = frames[at]!;
    const across: Step = {
      frame: at,
      link: link(frame, net, frame.itemOf.get(a)!, frame.itemOf.get(b)!),
      from: a,
      to: b,
    };
    return [...out, across, ...into.reverse()];
  });

  const stepsOf: Step[][] = Array.from({ length: count + 1 }, () => []);
  const seen = new Set<Link>();
  for (const steps of routes) {
    for (const step of steps) {
      if (!seen.has(step.link)) {
        seen.add(step.link);
        stepsOf[step.frame].push(step);
      }
    }
  }

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

  // Children stand after their parents: from the end, every inside is done before its outside.
  for (let index = count - 1; index >= -1; index--) {
    const at = index < 0 ? count : index;
    const frame = frames[at];
    if (frame === undefined) {
      continue;
    }
    for (const member of frame.members) {
      const item = frame.items[frame.itemOf.get(member)!];
      item.width = result.width[member];
      item.height = result.height[member];
    }
    for (const step of stepsOf[at]) {
      const { net } = step.link;
      step.link.exit = portOffset(frames, result, insetX, step.from, 'out', net);
      step.link.entry = portOffset(frames, result, insetX, step.to, 'in', net);
    }
    const size = layoutGroup(frame.items, frame.links);
    if (at < count) {
      const inner = size.width + 2 * GROUP_SIDE;
      result.width[at] = Math.max(input.widths[at], inner);
      result.height[at] = GROUP_TOP + size.height + GROUP_BOTTOM;
      insetX[at] = GROUP_SIDE + (result.width[at] - inner) / 2;
      insetY[at] = GROUP_TOP;
    }
  }

  for (let box = 0; box < count; box++) {
    const at = frameOf(box);
    const item = frames[at]!.items[frames[at]!.itemOf.get(box)!];
    const outerX = at < count ? result.x[at] + insetX[at] : 0;
    const outerY = at < count ? result.y[at] + insetY[at] : 0;
    result.x[box] = outerX + item.x - item.width / 2;
    result.y[box] = outerY + item.y;
  }
  result.paths = routes.map((steps) => {
    const path: number[] = [];
    for (const step of steps) {
      const dx = step.frame < count ? result.x[step.frame] + insetX[step.frame] : 0;
      const dy = step.frame < count ? result.y[step.frame] + insetY[step.frame] : 0;
      for (let corner = 0; corner < step.link.path.length; corner += 2) {
        path.push(step.link.path[corner] + dx, step.link.path[corner + 1] + dy);
      }
    }
    return straighten(path);
  });
  return result;
}

/** Where a net crosses the border of an open box, from the box's centre; 0 for a plain box. */
function portOffset(
  frames: (Frame | undefined)[],
  result: LayoutResult,
  insetX: Float64Array,
  box: number,
  kind: 'in' | 'out',
  net: number,
): number {
  const frame = box < 0 ? undefined : frames[box];
  const item = frame === undefined ? undefined : (kind === 'in' ? frame.inPorts : frame.outPorts).get(net);
  return item === undefined ? 0 : insetX[box] + frame!.items[item].x - result.width[box] / 2;
}

/** Drops corners that are none. */
function straighten(path: number[]): number[] {
  const result: number[] = [];
  for (let at = 0; at < path.length; at += 2) {
    const length = result.length;
    const x = path[at];
    const y = path[at + 1];
    if (length >= 2 && Math.abs(result[length - 2] - x) < 0.01 && Math.abs(result[length - 1] - y) < 0.01) {
      continue;
    }
    if (
      length >= 4 &&
      ((Math.abs(result[length - 2] - x) < 0.01 && Math.abs(result[length - 4] - x) < 0.01) ||
        (Math.abs(result[length - 1] - y) < 0.01 && Math.abs(result[length - 3] - y) < 0.01))
    ) {
      result[length - 2] = x;
      result[length - 1] = y;
      continue;
    }
    result.push(x, y);
  }
  return result;
}
