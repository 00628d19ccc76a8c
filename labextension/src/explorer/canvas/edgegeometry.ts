/**
 * The lines of a picture, taken apart into straight pieces, round corners and arrowheads. All lines that leave one
 * box are drawn as one: where they run together a piece exists once, so that a mask that feeds a thousand layers is
 * drawn once and not a thousand times.
 */

import type { Scene } from './scene';
import { createSpatialIndex, type SpatialIndex } from './spatialindex';

/** Radius of round corners, and the room that an arrowhead takes at the end of a line. */
export const BEND = 9;
export const HEAD = 5;

export interface EdgeGeometry {
  /** Straight pieces: ends, x and y by turns, four numbers each. */
  straight: Float64Array;
  /** Corners: where they begin, the corner itself, where they end; six numbers each. */
  corners: Float64Array;
  /** Points of arrowheads. */
  heads: Float64Array;
  /** The box that each piece, corner and head starts from, in this order. */
  net: Int32Array;
  /** Over pieces, then corners, then heads. */
  index: SpatialIndex;
  /** The pieces that are long enough to be seen from very far, and an index over those alone. */
  long: Int32Array;
  longIndex: SpatialIndex;
}

/** What is shorter does not show where boxes are drawn as blocks. */
const LONG = 50;

class Numbers {
  private array = new Float64Array(256);
  length = 0;

  push(...values: number[]): void {
    if (this.length + values.length > this.array.length) {
      const larger = new Float64Array(2 * this.array.length + values.length);
      larger.set(this.array);
      this.array = larger;
    }
    this.array.set(values, this.length);
    this.length += values.length;
  }

  done(): Float64Array {
    return this.array.slice(0, this.length);
  }
}

interface Parts {
  straight: Numbers;
  corners: Numbers;
  heads: Numbers;
  nets: [straight: number[], corners: number[], heads: number[]];
}

const made = new WeakMap<Scene, EdgeGeometry>();

/** The strokes of a scene, made when they are first drawn. */
export function edgeGeometryOf(scene: Scene): EdgeGeometry {
  let strokes = made.get(scene);
  if (strokes === undefined) {
    strokes = buildEdgeGeometry(scene);
    made.set(scene, strokes);
  }
  return strokes;
}

function buildEdgeGeometry(scene: Scene): EdgeGeometry {
  const byNet = new Map<number, number[]>();
  scene.visible.edges.forEach(({ source }, edge) => {
    const known = byNet.get(source);
    if (known === undefined) {
      byNet.set(source, [edge]);
    } else {
      known.push(edge);
    }
  });
  const parts: Parts = {
    straight: new Numbers(),
    corners: new Numbers(),
    heads: new Numbers(),
    nets: [[], [], []],
  };
  for (const [net, edges] of byNet) {
    addNet(
      parts,
      net,
      edges.map((edge) => scene.paths[edge]).filter((path) => path.length >= 4),
    );
  }
  const straight = parts.straight.done();
  const corners = parts.corners.done();
  const heads = parts.heads.done();
  const bounds = new Float64Array(straight.length + (4 * corners.length) / 6 + 2 * heads.length);
  let at = 0;
  const add = (x1: number, y1: number, x2: number, y2: number): void => {
    bounds[at++] = Math.min(x1, x2);
    bounds[at++] = Math.min(y1, y2);
    bounds[at++] = Math.max(x1, x2);
    bounds[at++] = Math.max(y1, y2);
  };
  for (let piece = 0; piece < straight.length; piece += 4) {
    add(straight[piece], straight[piece + 1], straight[piece + 2], straight[piece + 3]);
  }
  for (let corner = 0; corner < corners.length; corner += 6) {
    add(corners[corner], corners[corner + 1], corners[corner + 4], corners[corner + 5]);
  }
  for (let head = 0; head < heads.length; head += 2) {
    const [x, y] = [heads[head], heads[head + 1]];
    if (scene.flow === 'right') {
      add(x - 9, y - 5, x, y + 5);
    } else {
      add(x - 5, y - 9, x + 5, y);
    }
  }
  const long: number[] = [];
  for (let piece = 0; 4 * piece < straight.length; piece++) {
    const [left, top, right, bottom] = bounds.subarray(4 * piece, 4 * piece + 4);
    if (right - left + bottom - top >= LONG) {
      long.push(piece);
    }
  }
  return {
    straight,
    corners,
    heads,
    net: Int32Array.from(parts.nets.flat()),
    index: createSpatialIndex(bounds),
    long: Int32Array.from(long),
    longIndex: createSpatialIndex(
      Float64Array.from({ length: 4 * long.length }, (_, at) => bounds[4 * long[at >> 2] + (at & 3)]),
    ),
  };
}

/** Pieces on one line, as intervals that are joined at the end. */
type Tracks = Map<number, number[]>;

function note(tracks: Tracks, line: number, from: number, to: number): void {
  const known = tracks.get(line);
  if (known === undefined) {
    tracks.set(line, [Math.min(from, to), Math.max(from, to)]);
  } else {
    known.push(Math.min(from, to), Math.max(from, to));
  }
}

/** Calls back for each interval that is left once all that touch are joined. */
function joined(intervals: number[], visit: (from: number, to: number) => void): void {
  if (intervals.length === 2) {
    visit(intervals[0], intervals[1]);
    return;
  }
  const order = Array.from({ length: intervals.length / 2 }, (_, at) => 2 * at).sort(
    (a, b) => intervals[a] - intervals[b],
  );
  let from = intervals[order[0]];
  let to = intervals[order[0] + 1];
  for (const at of order) {
    if (intervals[at] > to + 0.01) {
      visit(from, to);
      from = intervals[at];
    }
    to = Math.max(to, intervals[at + 1]);
  }
  visit(from, to);
}

/** Hundredths of a pixel: what lies nearer together is one line. */
const key = (value: number): number => Math.round(value * 100);

function addNet(parts: Parts, net: number, paths: number[][]): void {
  const down: Tracks = new Map();
  const across: Tracks = new Map();
  const corners = new Set<string>();
  const heads = new Set<string>();
  const alone = paths.length === 1;
  for (const path of paths) {
    const last = path.length - 2;
    let [x, y] = path;
    for (let at = 2; at <= last; at += 2) {
      const [px, py] = [path[at], path[at + 1]];
      const before = Math.hypot(px - path[at - 2], py - path[at - 1]);
      const after = at < last ? Math.hypot(path[at + 2] - px, path[at + 3] - py) : 0;
      const trim = at < last ? Math.min(BEND, before / 2, after / 2) : Math.min(HEAD, before);
      // Where the straight piece ends, and where the next one begins.
      const endX = px - (before > 0 ? ((px - path[at - 2]) / before) * trim : 0);
      const endY = py - (before > 0 ? ((py - path[at - 1]) / before) * trim : 0);
      if (Math.abs(endX - x) < 0.01) {
        note(down, key(endX), y, endY);
      } else if (Math.abs(endY - y) < 0.01) {
        note(across, key(endY), x, endX);
      } else {
        parts.straight.push(x, y, endX, endY);
        parts.nets[0].push(net);
      }
      if (at < last) {
        const nextX = px + ((path[at + 2] - px) / after) * trim;
        const nextY = py + ((path[at + 3] - py) / after) * trim;
        const name = alone ? '' : `${key(endX)},${key(endY)},${key(nextX)},${key(nextY)}`;
        if (alone || !corners.has(name)) {
          corners.add(name);
          parts.corners.push(endX, endY, px, py, nextX, nextY);
          parts.nets[1].push(net);
        }
        [x, y] = [nextX, nextY];
      }
    }
    const name = alone ? '' : `${key(path[last])},${key(path[last + 1])}`;
    if (!heads.has(name)) {
      heads.add(name);
      parts.heads.push(path[last], path[last + 1]);
      parts.nets[2].push(net);
    }
  }
  for (const [line, intervals] of down) {
    joined(intervals, (from, to) => {
      parts.straight.push(line / 100, from, line / 100, to);
      parts.nets[0].push(net);
    });
  }
  for (const [line, intervals] of across) {
    joined(intervals, (from, to) => {
      parts.straight.push(from, line / 100, to, line / 100);
      parts.nets[0].push(net);
    });
  }
}
