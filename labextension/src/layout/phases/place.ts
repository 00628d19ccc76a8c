/** Horizontal places: main paths as straight lines, the rest as near to its neighbors as there is room. */

import { compact } from './compact';
import type { Grid } from './grid';
import { ANCHORED_WEIGHT, type AnchoredPositions } from './anchors';
import { BOX_GAP, LINE_GAP } from '../spacing';
import { Kind } from '../types';

const WORK = 150_000;
const MOST_SWEEPS = 24;
const LEAST_SWEEPS = 6;

/** The path through most boxes is the axis of a group: what stands beside it must not bend it. */
const AXIS = 1000;
/** Bends give way to boxes. */
const GIVING = 0.05;
/** Lines that pull this evenly to both sides leave the choice open. */
const NEARLY = 1.02;

/** How much a line wants to be straight: the path through boxes most, then the bends of one long line. */
function pull(a: number, b: number): number {
  if (a === Kind.Bend && b === Kind.Bend) {
    return 8;
  }
  return a === Kind.Bend || b === Kind.Bend ? 0.25 : 40;
}

/** Sets the center of every item; ranks stand in their order from left to right. */
export function placeItems(grid: Grid, fixed?: AnchoredPositions): Float64Array {
  const x = new Float64Array(grid.count);
  let widest = 0;
  for (const rank of grid.ranks) {
    widest = Math.max(widest, rank.length);
  }
  const settle = createSettle(grid, x, widest);
  const firm = firmness(grid);
  const wish = createWish(grid, x, firm);
  const wanted = new Float64Array(widest);
  const weights = new Float64Array(widest).fill(1);
  const isFixed = (item: number): boolean => fixed !== undefined && !Number.isNaN(fixed.x[item]);
  /** Moves a rank; what is fixed in it stays. */
  const settleRank = (rank: Int32Array, wishOf: (item: number, at: number) => void): void => {
    for (let at = 0; at < rank.length; at++) {
      if (isFixed(rank[at])) {
        wanted[at] = fixed!.x[rank[at]];
        weights[at] = ANCHORED_WEIGHT;
      } else {
        wishOf(rank[at], at);
      }
    }
    settle(rank, wanted, weights);
  };
  for (const rank of grid.ranks) {
    settleRank(rank, (_, at) => {
      wanted[at] = 0;
      weights[at] = 1;
    });
  }
  const work = grid.count + grid.upper.length;
  const sweeps = Math.max(LEAST_SWEEPS, Math.min(MOST_SWEEPS, Math.floor(WORK / Math.max(1, work))));
  const { ranks } = grid;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const down = sweep % 2 === 0;
    for (let step = down ? 1 : 0; step < ranks.length; step++) {
      const at = down ? step : ranks.length - 1 - step;
      if (fixed?.still[at] !== 1) {
        settleRank(ranks[at], (item, slot) => {
          weights[slot] = wish(item, down);
          wanted[slot] = wish.place;
        });
      }
    }
  }
  fixed?.x.forEach((place, item) => (x[item] = Number.isNaN(place) ? x[item] : place));
  compact(
    grid,
    x,
    (left, right) => apart(grid, left, right),
    isFixed,
    (item) => firm[item] === AXIS,
  );
  return x;
}

/** How little each item gives way: what lies on a path through the most boxes is the main path. */
function firmness({ count, kind, rank, ranks, above, below, upper, lower }: Grid): Float64Array {
  const over = new Int32Array(count);
  const under = new Int32Array(count);
  const box = (item: number): number => Number(kind[item] === Kind.Box);
  for (const list of ranks) {
    for (const item of list) {
      for (let row = above.start[item]; row < above.start[item + 1]; row++) {
        const other = upper[above.rows[row]];
        over[item] = Math.max(over[item], over[other] + box(other));
      }
    }
  }
  let longest = 0;
  for (let at = ranks.length - 1; at >= 0; at--) {
    for (const item of ranks[at]) {
      for (let row = below.start[item]; row < below.start[item + 1]; row++) {
        const other = lower[below.rows[row]];
        under[item] = Math.max(under[item], under[other] + box(other));
      }
      longest = Math.max(longest, over[item] + under[item] + box(item));
    }
  }
  // Of several inputs on such paths the first is the main one.
  let entered = false;
  return Float64Array.from(kind, (each, item) => {
    if (each === Kind.Bend) {
      return GIVING;
    }
    const main = over[item] + under[item] + box(item) === longest && !(entered && rank[item] === 0);
    entered ||= main && rank[item] === 0;
    return main ? AXIS : 1;
  });
}

/** How far apart the centers of two neighbors in a rank are at least. */
function apart({ width, kind }: Grid, left: number, right: number): number {
  const gap = kind[left] === Kind.Box && kind[right] === Kind.Box ? BOX_GAP : LINE_GAP;
  return (width[left] + width[right]) / 2 + gap;
}

type Settle = (rank: Int32Array, wanted: Float64Array, weights: Float64Array) => void;

/**
 * The places nearest to what each item wants such that no two overlap: isotonic regression, exact for the sum
 * of weighted squares and linear in the length of the rank.
 */
function createSettle(grid: Grid, x: Float64Array, widest: number): Settle {
  const sums = new Float64Array(widest);
  const totals = new Float64Array(widest);
  const sizes = new Int32Array(widest);
  const shifts = new Float64Array(widest);
  return (rank, wanted, weights) => {
    let blocks = 0;
    let shift = 0;
    for (let at = 0; at < rank.length; at++) {
      const item = rank[at];
      if (at > 0) {
        shift += apart(grid, rank[at - 1], item);
      }
      shifts[at] = shift;
      let sum = (wanted[at] - shift) * weights[at];
      let total = weights[at];
      let size = 1;
      while (blocks > 0 && sums[blocks - 1] / totals[blocks - 1] > sum / total) {
        blocks--;
        sum += sums[blocks];
        total += totals[blocks];
        size += sizes[blocks];
      }
      sums[blocks] = sum;
      totals[blocks] = total;
      sizes[blocks++] = size;
    }
    let at = 0;
    for (let block = 0; block < blocks; block++) {
      const mean = sums[block] / totals[block];
      for (let end = at + sizes[block]; at < end; at++) {
        x[rank[at]] = mean + shifts[at];
      }
    }
  };
}

interface Wish {
  /** Returns how strongly the item wants to be at `place`. */
  (item: number, down: boolean): number;
  place: number;
}

/** The weighted median of what pulls: unlike a mean it makes lines exactly straight. */
function createWish(grid: Grid, x: Float64Array, firm: Float64Array): Wish {
  const { upper, lower, upperOffset, lowerOffset, kind } = grid;
  let places = new Float64Array(16);
  let weights = new Float64Array(16);
  const wish = ((item: number, down: boolean): number => {
    const { start, rows } = down ? grid.above : grid.below;
    const lines = start[item + 1] - start[item];
    if (lines === 0) {
      wish.place = x[item];
      return 0.2 * firm[item];
    }
    if (lines > places.length) {
      places = new Float64Array(2 * lines);
      weights = new Float64Array(2 * lines);
    }
    let strongest = 0;
    let half = 0;
    for (let line = 0; line < lines; line++) {
      const segment = rows[start[item] + line];
      const other = down ? upper[segment] : lower[segment];
      const offset = (upperOffset[segment] - lowerOffset[segment]) * (down ? 1 : -1);
      const place = x[other] + offset;
      const weight = pull(kind[item], kind[other]) * Math.min(firm[item], firm[other]);
      strongest = Math.max(strongest, weight);
      half += weight / 2;
      // Insertion into what is sorted so far.
      let at = line;
      for (; at > 0 && places[at - 1] > place; at--) {
        places[at] = places[at - 1];
        weights[at] = weights[at - 1];
      }
      places[at] = place;
      weights[at] = weight;
    }
    let passed = 0;
    let at = 0;
    while (at < lines - 1 && passed + weights[at] <= half * NEARLY) {
      passed += weights[at++];
    }
    // Just half way, anything between the two is as good: the nearest to the axis, or the picture would drift.
    const tie = at > 0 && passed * NEARLY >= half;
    wish.place = tie ? Math.max(places[at - 1], Math.min(places[at], 0)) : places[at];
    return strongest;
  }) as Wish;
  wish.place = 0;
  return wish;
}
