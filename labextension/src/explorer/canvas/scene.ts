/** A laid-out picture: what the canvas draws and what the pointer hits. No DOM but for measuring text. */

import { labelOf, type Label } from '../../model/describe';
import { endOf, type Element, type Hierarchy } from '../../model/hierarchy';
import type { Visible } from '../../model/visible';
import { GROUP_TOP } from '../../layout/spacing';
import type { Anchors, Flow, LayoutInput, LayoutResult, Places, Waypoints, Wrap } from '../../layout/types';
import type { Box } from './camera';

export const TITLE_SIZE = 13;
export const DETAIL_SIZE = 11;
export const PAD = 13;
/** Side of the square with plus or minus in a group's header. */
export const TOGGLE = 14;
export const HEADER = GROUP_TOP;

/** A label with the width of its box: of an open group, the width that it has when closed. */
export interface SceneLabel extends Label {
  boxWidth: number;
}

export interface Scene {
  /** Where the main path runs. */
  flow: Flow;
  visible: Visible;
  labels: SceneLabel[];
  x: number[];
  y: number[];
  width: number[];
  height: number[];
  depth: number[];
  /**
   * How far right of its left border a group's header begins. It stands where the closed group stood, above the
   * main line: so nothing else moves when the group opens, and its square stays under the pointer.
   */
  header: Float64Array;
  /** Where the main line enters each box, or its middle: an x where the picture runs down, else a y. */
  axis: number[];
  /** Where lines pass, for `anchorsAbove`. */
  waypoints: Waypoints;
  /** What stands in columns (-1: all), and what begins all but the first. */
  columns: { group: Element; breaks: Element[] } | null;
  /** Where boxes would be without columns. */
  unwrapped: Places | undefined;
  paths: number[][];
  /** Bounding boxes of the paths: x, y, right, bottom by turns. */
  pathBounds: Float64Array;
  /** Edges that leave and enter each box; an open group's are those that cross its border. */
  outgoing: number[][];
  incoming: number[][];
  bounds: Box;
}

export type Measure = (text: string, font: string) => number;

/** Measures on a canvas where there is one, else by the mean width of a letter. */
export function createMeasure(): Measure {
  const context = document.createElement('canvas').getContext?.('2d') ?? null;
  const known = new Map<string, number>();
  return (text, font) => {
    const key = `${font}\n${text}`;
    let width = known.get(key);
    if (width === undefined) {
      if (context === null) {
        width = text.length * (parseInt(font.replace(/^\d+ /, ''), 10) || 12) * 0.56;
      } else {
        context.font = font;
        width = context.measureText(text).width;
      }
      known.set(key, width);
    }
    return width;
  };
}

export const titleFont = (family: string): string => `600 ${TITLE_SIZE}px ${family}`;
export const subtitleFont = (family: string): string => `400 ${TITLE_SIZE}px ${family}`;
export const detailFont = (family: string): string => `400 ${DETAIL_SIZE}px ${family}`;

const LONGEST = 44;

export const truncate = (text: string, most = LONGEST): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

function shortLabel(label: Label): SceneLabel {
  return {
    title: truncate(label.title),
    subtitle: truncate(label.subtitle),
    detail: truncate(label.detail),
    boxWidth: 0,
  };
}

/** Sizes of boxes, from their labels; on paper there is nothing to open them by. */
export function layoutInput(
  h: Hierarchy,
  visible: Visible,
  measure: Measure,
  family: string,
  isPrint = false,
  flow: Flow = 'down',
  wrap?: Wrap,
): { input: LayoutInput; labels: SceneLabel[] } {
  const labels = visible.elements.map((element) => shortLabel(labelOf(h, element)));
  const widths: number[] = [];
  const heights: number[] = [];
  labels.forEach((label, index) => {
    const kind = visible.kinds[index];
    const title =
      measure(label.title, titleFont(family)) +
      (label.subtitle ? 7 + measure(label.subtitle, subtitleFont(family)) : 0);
    const detail = measure(label.detail, detailFont(family));
    const toggle = !isPrint && (kind === 'closed' || kind === 'open') ? TOGGLE + 9 : 0;
    label.boxWidth = Math.ceil(Math.max(64, Math.max(title, detail) + toggle + 2 * PAD + 4));
    if (kind === 'open') {
      widths.push(Math.ceil(title + toggle + 2 * PAD + 14));
      heights.push(HEADER);
    } else {
      widths.push(label.boxWidth);
      heights.push(label.detail ? 42 : 30);
    }
  });
  return {
    labels,
    input: {
      flow,
      ...(wrap && { wrap }),
      parents: visible.parents,
      widths,
      heights,
      open: visible.kinds.map((kind) => kind === 'open'),
      keys: visible.elements,
      headerOffsets: labels.map((label) => label.boxWidth / 2),
      pinned: visible.elements.map((element) => endOf(h, element)),
      sources: visible.edges.map((edge) => edge.source),
      targets: visible.edges.map((edge) => edge.target),
    },
  };
}

/** How far right of a group's left border its header begins, given its axis. */
function headerOf(index: number, visible: Visible, scene: Omit<Scene, 'header'>, least: number): number {
  if (visible.kinds[index] !== 'open' || scene.flow === 'right') {
    return 0;
  }
  const start = scene.axis[index] - scene.labels[index].boxWidth / 2 - scene.x[index];
  return Math.max(0, Math.min(scene.width[index] - least + 10, start));
}

export function buildScene(
  visible: Visible,
  labels: SceneLabel[],
  input: LayoutInput,
  result: LayoutResult,
): Scene {
  const count = visible.elements.length;
  const flow = input.flow ?? 'down';
  const depth: number[] = [];
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let index = 0; index < count; index++) {
    depth.push(visible.parents[index] < 0 ? 0 : depth[visible.parents[index]] + 1);
    bounds.left = Math.min(bounds.left, result.x[index]);
    bounds.top = Math.min(bounds.top, result.y[index]);
    bounds.right = Math.max(bounds.right, result.x[index] + result.width[index]);
    bounds.bottom = Math.max(bounds.bottom, result.y[index] + result.height[index]);
  }
  const pathBounds = new Float64Array(result.paths.length * 4);
  result.paths.forEach((path, edge) => {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (let at = 0; at < path.length; at += 2) {
      left = Math.min(left, path[at]);
      right = Math.max(right, path[at]);
      top = Math.min(top, path[at + 1]);
      bottom = Math.max(bottom, path[at + 1]);
    }
    pathBounds.set([left, top, right, bottom], edge * 4);
    bounds.left = Math.min(bounds.left, left);
    bounds.right = Math.max(bounds.right, right);
    if (flow !== 'down') {
      bounds.top = Math.min(bounds.top, top);
      bounds.bottom = Math.max(bounds.bottom, bottom);
    }
  });
  const outgoing: number[][] = Array.from({ length: count }, () => []);
  const incoming: number[][] = Array.from({ length: count }, () => []);
  const ancestors = (index: number): number[] => {
    const list: number[] = [];
    for (let at = index; at >= 0; at = visible.parents[at]) {
      list.push(at);
    }
    return list;
  };
  visible.edges.forEach((edge, index) => {
    const from = ancestors(edge.source);
    const to = ancestors(edge.target);
    while (from.length > 0 && to.length > 0 && from[from.length - 1] === to[to.length - 1]) {
      from.pop();
      to.pop();
    }
    from.forEach((box) => outgoing[box].push(index));
    to.forEach((box) => incoming[box].push(index));
  });
  const scene = {
    flow,
    visible,
    labels,
    x: result.x,
    y: result.y,
    width: result.width,
    height: result.height,
    depth,
    axis: result.axis,
    waypoints: result.waypoints,
    unwrapped: result.unwrapped,
    columns:
      input.wrap !== undefined && result.breaks !== undefined
        ? {
            group: visible.elements[input.wrap.group] ?? -1,
            breaks: result.breaks.map((box) => visible.elements[box]),
          }
        : null,
    paths: result.paths,
    pathBounds,
    outgoing,
    incoming,
    bounds:
      count === 0
        ? { x: 0, y: 0, width: 1, height: 1 }
        : {
            x: bounds.left,
            y: bounds.top,
            width: bounds.right - bounds.left,
            height: bounds.bottom - bounds.top,
          },
  };
  return {
    ...scene,
    header: Float64Array.from(input.widths, (least, index) => headerOf(index, visible, scene, least)),
  };
}

/** The same columns in another picture. */
export function wrapIn(next: Visible, { group, breaks }: NonNullable<Scene['columns']>): Wrap {
  const among = (element: Element): number => next.indexOf.get(element) ?? -1;
  return { group: among(group), columns: 1, breaks: breaks.map(among).filter((box) => box >= 0) };
}

/** The place and size of boxes along the flow and across it. */
function sidesOf(scene: Scene): {
  start: number[];
  length: number[];
  across: number[];
  breadth: number[];
  axis: number[];
} {
  const { flow, width, height } = scene;
  const { x, y, axis } = scene.unwrapped ?? scene;
  return flow === 'right'
    ? { start: x, length: width, across: y, breadth: height, axis }
    : { start: y, length: height, across: x, breadth: width, axis };
}

/**
 * What must not move when `anchor` opens or closes: all that stands before it, and before what surrounds it. Nothing
 * is anchored where other groups opened or closed with it.
 */
export function anchorsAbove(old: Scene, next: Visible, anchor: Element): Anchors | undefined {
  const from = indexOf(old, anchor);
  const to = next.indexOf.get(anchor);
  if (from < 0 || to === undefined) {
    return undefined;
  }
  const { parents, kinds, elements } = old.visible;
  const { start, length, across, breadth, axis } = sidesOf(old);
  const { waypoints } = old;
  const same = (index: number): number => next.indexOf.get(elements[index]) ?? -1;
  const anchors: Anchors = {
    changed: to,
    boxes: [],
    offsets: [],
    heights: [],
    waypoints: { subgraph: [], net: [], rank: [], x: [] },
    subgraphs: [],
    depths: [],
  };
  const subgraphs = new Map<number, number>();
  for (let at = from; at >= 0; at = parents[at]) {
    const around = parents[at];
    subgraphs.set(around, at);
    anchors.subgraphs.push(around < 0 ? -1 : same(around));
    anchors.depths.push(start[at] - (around < 0 ? 0 : start[around] + GROUP_TOP));
  }
  for (let box = 0; box < parents.length; box++) {
    const at = subgraphs.get(parents[box]);
    if (at !== undefined && start[box] + length[box] <= start[at]) {
      if (same(box) < 0 || next.kinds[same(box)] !== kinds[box]) {
        return undefined;
      }
      anchors.boxes.push(same(box));
      anchors.offsets.push(across[box] + breadth[box] / 2 - axis[from]);
      anchors.heights.push(start[at] - start[box]);
    }
  }
  for (let row = 0; row < waypoints.subgraph.length; row++) {
    const subgraph = waypoints.subgraph[row];
    if (subgraphs.has(subgraph) && same(waypoints.net[row]) >= 0) {
      anchors.waypoints.subgraph.push(subgraph < 0 ? -1 : same(subgraph));
      anchors.waypoints.net.push(same(waypoints.net[row]));
      anchors.waypoints.rank.push(waypoints.rank[row]);
      anchors.waypoints.x.push(waypoints.x[row] - axis[from]);
    }
  }
  return anchors;
}

export function boxOf(scene: Scene, index: number): Box {
  return {
    x: scene.x[index],
    y: scene.y[index],
    width: scene.width[index],
    height: scene.height[index],
  };
}

export const indexOf = (scene: Scene, element: Element): number => scene.visible.indexOf.get(element) ?? -1;

/** The innermost box at a point of the world; children stand after their parents. */
export function hit(scene: Scene, x: number, y: number): number {
  for (let index = scene.x.length - 1; index >= 0; index--) {
    if (
      x >= scene.x[index] &&
      x <= scene.x[index] + scene.width[index] &&
      y >= scene.y[index] &&
      y <= scene.y[index] + scene.height[index]
    ) {
      return index;
    }
  }
  return -1;
}

/**
 * How far below a group's upper border is the middle of its square: in its header, or on the main line, where it was
 * when the group was closed, in a picture from left to right.
 */
export const toggleDepth = (scene: Scene, index: number): number =>
  scene.flow === 'right'
    ? scene.axis[index] - scene.y[index]
    : (scene.visible.kinds[index] === 'open' ? HEADER : scene.height[index]) / 2;

/** The square that opens and closes a group, somewhat larger than it is drawn. */
export function toggleBox(scene: Scene, index: number): Box {
  return {
    x: scene.x[index] + scene.header[index] + PAD - 4,
    y: scene.y[index] + toggleDepth(scene, index) - TOGGLE / 2 - 4,
    width: TOGGLE + 8,
    height: TOGGLE + 8,
  };
}

export const contains = (box: Box, x: number, y: number): boolean =>
  x >= box.x && x <= box.x + box.width && y >= box.y && y <= box.y + box.height;
