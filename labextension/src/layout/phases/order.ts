/**
 * Order within ranks: barycenter sweeps down and up (Sugiyama, Tagawa and Toda, 1981), then exchanges of neighbors
 * (Gansner, Koutsofios, North and Vo, 1993); the order with the fewest crossings is kept. Ties keep the trace order.
 */

import type { Grid } from './grid';

/** Work is bounded: a large group gets fewer sweeps. */
const WORK = 120_000;
const MOST_SWEEPS = 24;
const LEAST_SWEEPS = 4;
const EXCHANGE_ROUNDS = 6;
/** Items with more lines than this are not worth comparing line by line. */
const MOST_LINES = 24;

/** Reorders `grid.ranks`, those from `first` on. */
export function orderRanks(grid: Grid, first = 0): void {
  const { ranks } = grid;
  const place = new Float64Array(grid.count);
  const work = grid.count + grid.upper.length;
  const sweeps = Math.max(LEAST_SWEEPS, Math.min(MOST_SWEEPS, Math.floor(WORK / Math.max(1, work))));
  const small = work < 12_000;
  for (const rank of ranks) {
    rank.forEach((item, at) => (place[item] = at));
  }
  const key = new Float64Array(grid.count);
  let least = Infinity;
  let best: Int32Array[] = [];
  let stale = 0;
  for (let sweep = 0; sweep < sweeps && least > 0 && stale < 6; sweep++) {
    const down = sweep % 2 === 0;
    for (let step = 1; step < ranks.length; step++) {
      const at = down ? step : ranks.length - 1 - step;
      if (at >= first) {
        sortRank(grid, at, down, place, key);
      }
    }
    if (small || sweep === sweeps - 1) {
      exchange(grid, place, first);
    }
    // Large groups: counting costs as much as a sweep.
    const found = small || sweep >= sweeps - 2 ? countCrossings(grid, place) : Infinity;
    stale = found < least || found === Infinity ? 0 : stale + 1;
    if (found < least) {
      least = found;
      best = ranks.map((rank) => rank.slice());
    }
  }
  best.forEach((rank, at) => ranks[at].set(rank));
}

function sortRank(grid: Grid, at: number, down: boolean, place: Float64Array, key: Float64Array): void {
  const rank = grid.ranks[at];
  if (rank.length < 2) {
    return;
  }
  const { start, rows } = down ? grid.above : grid.below;
  const other = down ? grid.upper : grid.lower;
  const offset = down ? grid.upperOffset : grid.lowerOffset;
  const beside = grid.ranks[down ? at - 1 : at + 1];
  const scale = (beside.length - 1) / (rank.length - 1);
  let sorted = true;
  let before = -Infinity;
  for (const item of rank) {
    let sum = 0;
    const lines = start[item + 1] - start[item];
    for (let row = start[item]; row < start[item + 1]; row++) {
      const segment = rows[row];
      // The end of the line, not the box's middle: ports of one wide group must not cross.
      sum += place[other[segment]] + offset[segment] / (grid.width[other[segment]] + 1);
    }
    key[item] = lines > 0 ? sum / lines : place[item] * scale;
    sorted &&= key[item] >= before;
    before = key[item];
  }
  if (sorted) {
    return;
  }
  rank.sort((a, b) => key[a] - key[b] || place[a] - place[b]);
  rank.forEach((item, index) => (place[item] = index));
}

/** Exchanges neighbors while that removes crossings. */
function exchange(grid: Grid, place: Float64Array, first: number): void {
  for (let round = 0; round < EXCHANGE_ROUNDS; round++) {
    let gained = 0;
    for (let index = first; index < grid.ranks.length; index++) {
      const rank = grid.ranks[index];
      for (let at = 0; at + 1 < rank.length; at++) {
        const left = rank[at];
        const right = rank[at + 1];
        const gain = gainOf(grid, place, left, right, true) + gainOf(grid, place, left, right, false);
        if (gain > 0) {
          gained += gain;
          rank[at] = right;
          rank[at + 1] = left;
          place[right] = at;
          place[left] = at + 1;
        }
      }
    }
    if (gained === 0) {
      return;
    }
  }
}

/** How many crossings fewer there are when two neighbors change places. */
function gainOf(grid: Grid, place: Float64Array, left: number, right: number, up: boolean): number {
  const { start, rows } = up ? grid.above : grid.below;
  const other = up ? grid.upper : grid.lower;
  const offset = up ? grid.upperOffset : grid.lowerOffset;
  if (start[left + 1] - start[left] > MOST_LINES || start[right + 1] - start[right] > MOST_LINES) {
    return 0;
  }
  let gain = 0;
  for (let a = start[left]; a < start[left + 1]; a++) {
    const one = other[rows[a]];
    const from = place[one] + offset[rows[a]] / (grid.width[one] + 1);
    for (let b = start[right]; b < start[right + 1]; b++) {
      const two = other[rows[b]];
      const to = place[two] + offset[rows[b]] / (grid.width[two] + 1);
      gain += Number(from > to) - Number(from < to);
    }
  }
  return gain;
}

/** Crossings between all neighboring ranks, by counting inversions in O(n log n). */
export function countCrossings(grid: Grid, place: Float64Array): number {
  const { upper, lower, upperOffset, lowerOffset, width, below } = grid;
  let total = 0;
  let keys = new Float64Array(64);
  let scratch = new Float64Array(64);
  const ends: number[] = [];
  for (let at = 0; at + 1 < grid.ranks.length; at++) {
    let count = 0;
    for (const item of grid.ranks[at]) {
      ends.length = 0;
      for (let row = below.start[item]; row < below.start[item + 1]; row++) {
        ends.push(below.rows[row]);
      }
      if (ends.length > 1) {
        ends.sort(
          (a, b) =>
            upperOffset[a] - upperOffset[b] ||
            place[lower[a]] - place[lower[b]] ||
            lowerOffset[a] - lowerOffset[b],
        );
      }
      for (const segment of ends) {
        if (count === keys.length) {
          const larger = new Float64Array(2 * count);
          larger.set(keys);
          keys = larger;
          scratch = new Float64Array(2 * count);
        }
        const to = lower[segment];
        keys[count++] = place[to] + lowerOffset[segment] / (width[to] + 1);
      }
    }
    total += inversions(keys, scratch, count);
  }
  return upper.length === 0 ? 0 : total;
}

/** Merge sort, bottom up; counts how often a later key is smaller than an earlier one. */
function inversions(keys: Float64Array, scratch: Float64Array, count: number): number {
  let total = 0;
  let from = keys;
  let to = scratch;
  for (let size = 1; size < count; size *= 2) {
    for (let low = 0; low < count; low += 2 * size) {
      const middle = Math.min(low + size, count);
      const high = Math.min(low + 2 * size, count);
      let a = low;
      let b = middle;
      for (let at = low; at < high; at++) {
        if (b >= high || (a < middle && from[a] <= from[b])) {
          to[at] = from[a++];
        } else {
          total += middle - a;
          to[at] = from[b++];
        }
      }
    }
    [from, to] = [to, from];
  }
  return total;
}
