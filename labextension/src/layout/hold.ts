/** Keeping what stands above a group where it is while the group opens or closes. */

import type { Grid } from './grid';
import type { Held } from './types';

/** How little a held box gives way: others make room. */
export const FIRM = 1e9;

/** Boxes that are held keep their order from left to right. */
export function holdOrder(grid: Grid, held: Held): void {
  const offset = new Map(held.items.map((item, row) => [item, held.offsets[row]]));
  for (let at = 0; at < grid.rank[held.anchor]; at++) {
    const rank = grid.ranks[at];
    const slots = [...rank.keys()].filter((slot) => offset.has(rank[slot]));
    const items = slots.map((slot) => rank[slot]).sort((a, b) => offset.get(a)! - offset.get(b)!);
    slots.forEach((slot, row) => (rank[slot] = items[row]));
  }
}

/** Boxes that are held keep their places; `settle` makes room for them in a rank. */
export function holdPlaces(
  grid: Grid,
  x: Float64Array,
  held: Held,
  settle: (rank: Int32Array, firm: ReadonlySet<number>) => void,
): void {
  const axis = x[held.anchor] + held.axis;
  const firm = new Set(held.items);
  held.items.forEach((item, row) => (x[item] = axis + held.offsets[row]));
  for (let at = 0; at < grid.rank[held.anchor]; at++) {
    settle(grid.ranks[at], firm);
  }
}

/** How far below the upper edge of the rank above each rank begins, where both are held; -1 where that is free. */
export function heldSteps(grid: Grid, held: Held | undefined): Float64Array {
  const steps = new Float64Array(grid.ranks.length).fill(-1);
  if (held === undefined) {
    return steps;
  }
  const height = new Float64Array(grid.ranks.length).fill(-1);
  held.items.forEach((item, row) => (height[grid.rank[item]] = held.heights[row]));
  height[grid.rank[held.anchor]] = 0;
  for (let at = 1; at <= grid.rank[held.anchor]; at++) {
    if (height[at] >= 0 && height[at - 1] >= 0) {
      steps[at] = height[at - 1] - height[at];
    }
  }
  return steps;
}
