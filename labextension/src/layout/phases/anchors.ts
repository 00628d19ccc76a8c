/**
 * Keeping what stands above a group where it is while the group opens or closes. Ranks do not change by that: so
 * all ranks above the group's keep their order and their places, and only the rest is laid out anew.
 */

import type { Grid } from './grid';
import type { Held } from '../types';

/** How little a held box gives way: others make room. */
export const FIRM = 1e9;

/** Where items and bends are held; NaN: nowhere. The axis of the changed group is at 0. */
export interface Fixed {
  x: Float64Array;
  /** Ranks of which all is held. */
  still: Uint8Array;
  /** The rank of the anchor. */
  rank: number;
}

export function fixedPlaces(grid: Grid, held: Held): Fixed {
  const rank = grid.rank[held.anchor];
  const x = new Float64Array(grid.count).fill(NaN);
  x[held.anchor] = -held.axis;
  held.items.forEach((item, row) => {
    if (grid.rank[item] < rank) {
      x[item] = held.offsets[row];
    }
  });
  const bends = new Map<number, number>();
  held.bends.forEach((place, row) => bends.set(held.nets[row] * grid.ranks.length + held.ranks[row], place));
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

/** What is held keeps its order from left to right. */
export function holdOrder(grid: Grid, { x, rank }: Fixed): void {
  for (let at = 0; at < rank; at++) {
    const list = grid.ranks[at];
    const slots = [...list.keys()].filter((slot) => !Number.isNaN(x[list[slot]]));
    const items = slots.map((slot) => list[slot]).sort((a, b) => x[a] - x[b]);
    slots.forEach((slot, row) => (list[slot] = items[row]));
  }
}

/** Where each rank begins, as far as that is held; NaN elsewhere. */
export function heldTops(grid: Grid, held: Held | undefined): Float64Array {
  const tops = new Float64Array(grid.ranks.length).fill(NaN);
  if (held === undefined) {
    return tops;
  }
  const last = grid.rank[held.anchor];
  tops[last] = held.depth;
  held.items.forEach((item, row) => {
    if (grid.rank[item] < last) {
      tops[grid.rank[item]] = held.depth - held.heights[row];
    }
  });
  return tops;
}
