/**
 * Anchors: what is above a group keeps its place while the group opens or closes. Ranks do not change then, so all
 * ranks above the group's keep their order and their positions, and only the rest is laid out again.
 */

import type { Grid } from './grid';
import type { GroupAnchors } from '../types';

/** The weight of an anchored box: others make room for it. */
export const ANCHORED_WEIGHT = 1e9;

/** The positions of anchored items and bends; NaN: not anchored. The axis of the changed group is at 0. */
export interface AnchoredPositions {
  x: Float64Array;
  /** Ranks of which every item is anchored. */
  still: Uint8Array;
  /** The rank of the changed group. */
  rank: number;
}

export function anchoredPositions(grid: Grid, anchors: GroupAnchors): AnchoredPositions {
  const rank = grid.rank[anchors.changed];
  const x = new Float64Array(grid.count).fill(NaN);
  x[anchors.changed] = -anchors.axis;
  anchors.items.forEach((item, row) => {
    if (grid.rank[item] < rank) {
      x[item] = anchors.offsets[row];
    }
  });
  const bends = new Map<number, number>();
  anchors.bends.forEach((place, row) =>
    bends.set(anchors.nets[row] * grid.ranks.length + anchors.ranks[row], place),
  );
  for (let bend = grid.items; bend < grid.count; bend++) {
    if (grid.rank[bend] < rank) {
      x[bend] = bends.get(grid.bendNet[bend - grid.items] * grid.ranks.length + grid.rank[bend]) ?? NaN;
    }
  }
  const still = Uint8Array.from(grid.ranks, (items, at) =>
    Number(at < rank && items.every((item) => !Number.isNaN(x[item]))),
  );
  return { x, still, rank };
}

/** Anchored items keep their order from left to right. */
export function keepAnchoredOrder(grid: Grid, { x, rank }: AnchoredPositions): void {
  for (let at = 0; at < rank; at++) {
    const list = grid.ranks[at];
    const slots = [...list.keys()].filter((slot) => !Number.isNaN(x[list[slot]]));
    const items = slots.map((slot) => list[slot]).sort((a, b) => x[a] - x[b]);
    slots.forEach((slot, row) => (list[slot] = items[row]));
  }
}

/** Where each anchored rank begins; NaN for other ranks. */
export function anchoredTops(grid: Grid, anchors: GroupAnchors | undefined): Float64Array {
  const tops = new Float64Array(grid.ranks.length).fill(NaN);
  if (anchors === undefined) {
    return tops;
  }
  const last = grid.rank[anchors.changed];
  tops[last] = anchors.depth;
  anchors.items.forEach((item, row) => {
    if (grid.rank[item] < last) {
      tops[grid.rank[item]] = anchors.depth - anchors.heights[row];
    }
  });
  return tops;
}
