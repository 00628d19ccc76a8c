/**
 * The last touch on horizontal places. What stands straight above each other, and the bends of each long line, become
 * one rigid block (after Brandes and Köpf, 2002); then each block moves to where its lines are shortest, as far as
 * its neighbours let it.
 */

import { adjacency, type Adjacency } from './adjacency';
import type { Grid } from './grid';
import { Kind } from './types';

/** Work is bounded: a large group gets fewer sweeps. */
const WORK = 200_000;
const MOST_SWEEPS = 10;
const LEAST_SWEEPS = 2;
/** Steps to the side smaller than this are none. */
const STRAIGHT = 0.5;
/** What is straight already stays so before all else; then long lines become straight. */
const KEEP = 1000;
const BENDS = 8;

interface Blocks {
  count: number;
  /** The block of each item, and how far right of the block's own place it stands. */
  of: Int32Array;
  shift: Float64Array;
  members: Adjacency;
  /** The item with which each begins, which is its highest; whether it is fixed. */
  first: Int32Array;
  fixed: Uint8Array;
}

/** Changes `x`, but not of what is fixed; `gap` says how far apart the centres of two neighbours are at least. */
export function compact(
  grid: Grid,
  x: Float64Array,
  gap: (left: number, right: number) => number,
  isFixed: (item: number) => boolean,
): void {
  const place = new Int32Array(grid.count);
  for (const rank of grid.ranks) {
    rank.forEach((item, at) => (place[item] = at));
  }
  const blocks = formBlocks(grid, chooseStraight(grid, x, place, isFixed), isFixed);
  const order = leftToRight(grid, blocks, place);
  if (order === null) {
    return;
  }
  const at = startPlaces(grid, x, blocks, order, place, gap);
  const lines = linesOf(grid, blocks);
  const work = grid.count + grid.upper.length;
  const sweeps = Math.max(LEAST_SWEEPS, Math.min(MOST_SWEEPS, Math.floor(WORK / work)));
  for (let sweep = 0; sweep < sweeps; sweep++) {
    for (let step = 0; step < order.length; step++) {
      const block = order[sweep % 2 === 0 ? step : order.length - 1 - step];
      if (blocks.fixed[block] === 0) {
        moveBlock(block, grid, blocks, at, lines, place, gap);
      }
    }
  }
  for (let item = 0; item < grid.count; item++) {
    x[item] = at[blocks.of[item]] + blocks.shift[item];
  }
}

/** Of the segments that could be straight, those that cross no other: the heaviest rising sequence in each gap. */
function chooseStraight(
  grid: Grid,
  x: Float64Array,
  place: Int32Array,
  isFixed: (item: number) => boolean,
): Uint8Array {
  const { upper, lower, upperOffset, lowerOffset, kind, below } = grid;
  const chosen = new Uint8Array(upper.length);
  const weightOf = (segment: number): number => {
    if (isFixed(lower[segment])) {
      return 0;
    }
    const off = x[upper[segment]] + upperOffset[segment] - x[lower[segment]] - lowerOffset[segment];
    const bends = kind[upper[segment]] === Kind.Bend && kind[lower[segment]] === Kind.Bend;
    if (isFixed(upper[segment]) && Math.abs(off) >= STRAIGHT) {
      return 0;
    }
    return (Math.abs(off) < STRAIGHT ? KEEP : 0) + (bends ? BENDS : 0);
  };
  grid.ranks.forEach((rank, index) => {
    if (index + 1 === grid.ranks.length) {
      return;
    }
    // A Fenwick tree of the best sequence that ends left of each place in the rank below.
    const size = grid.ranks[index + 1].length;
    const best = new Float64Array(size + 1);
    const last = new Int32Array(size + 1).fill(-1);
    const from = new Map<number, number>();
    for (const item of rank) {
      const found: [number, number, number][] = [];
      for (let row = below.start[item]; row < below.start[item + 1]; row++) {
        const segment = below.rows[row];
        const weight = weightOf(segment);
        if (weight > 0) {
          let most = 0;
          let before = -1;
          for (let node = place[lower[segment]]; node > 0; node -= node & -node) {
            if (best[node] > most) {
              most = best[node];
              before = last[node];
            }
          }
          from.set(segment, before);
          found.push([segment, place[lower[segment]] + 1, most + weight]);
        }
      }
      // Only now: one item has one segment at most in a sequence.
      for (const [segment, slot, total] of found) {
        for (let node = slot; node <= size; node += node & -node) {
          if (total > best[node]) {
            best[node] = total;
            last[node] = segment;
          }
        }
      }
    }
    let most = 0;
    let end = -1;
    for (let node = size; node > 0; node -= node & -node) {
      if (best[node] > most) {
        most = best[node];
        end = last[node];
      }
    }
    for (let segment = end; segment >= 0; segment = from.get(segment)!) {
      chosen[segment] = 1;
    }
  });
  return chosen;
}

function formBlocks(grid: Grid, straight: Uint8Array, isFixed: (item: number) => boolean): Blocks {
  const { count, below, lower, upperOffset, lowerOffset } = grid;
  const of = new Int32Array(count).fill(-1);
  const shift = new Float64Array(count);
  const first: number[] = [];
  let blocks = 0;
  // From above: whoever has no block yet begins one.
  for (const rank of grid.ranks) {
    for (const item of rank) {
      if (of[item] < 0) {
        first.push(item);
        of[item] = blocks++;
      }
      for (let row = below.start[item]; row < below.start[item + 1]; row++) {
        const segment = below.rows[row];
        if (straight[segment] === 1) {
          of[lower[segment]] = of[item];
          shift[lower[segment]] = shift[item] + upperOffset[segment] - lowerOffset[segment];
        }
      }
    }
  }
  const fixed = Uint8Array.from(first, (item) => Number(isFixed(item)));
  return { count: blocks, of, shift, members: adjacency(blocks, of), first: Int32Array.from(first), fixed };
}

/** Blocks such that each stands after all to its left; null if they go round in a ring. */
function leftToRight(grid: Grid, blocks: Blocks, place: Int32Array): Int32Array | null {
  const waiting = new Int32Array(blocks.count);
  for (const rank of grid.ranks) {
    for (let at = 1; at < rank.length; at++) {
      waiting[blocks.of[rank[at]]]++;
    }
  }
  const order = new Int32Array(blocks.count);
  let filled = 0;
  for (let block = 0; block < blocks.count; block++) {
    if (waiting[block] === 0) {
      order[filled++] = block;
    }
  }
  const { start, rows } = blocks.members;
  for (let at = 0; at < filled; at++) {
    for (let row = start[order[at]]; row < start[order[at] + 1]; row++) {
      const item = rows[row];
      const right = grid.ranks[grid.rank[item]][place[item] + 1];
      if (right !== undefined && --waiting[blocks.of[right]] === 0) {
        order[filled++] = blocks.of[right];
      }
    }
  }
  return filled === blocks.count ? order : null;
}

type Gap = (left: number, right: number) => number;

/** How far left a block may go (or, from the other side, right), given where its neighbours are. */
function limit(
  block: number,
  side: -1 | 1,
  grid: Grid,
  blocks: Blocks,
  at: Float64Array,
  place: Int32Array,
  gap: Gap,
): number {
  const { start, rows } = blocks.members;
  let bound = side * Infinity;
  for (let row = start[block]; row < start[block + 1]; row++) {
    const item = rows[row];
    const other = grid.ranks[grid.rank[item]][place[item] + side];
    if (other !== undefined) {
      const apart = side < 0 ? gap(other, item) : -gap(item, other);
      const found = at[blocks.of[other]] + blocks.shift[other] + apart - blocks.shift[item];
      bound = side < 0 ? Math.max(bound, found) : Math.min(bound, found);
    }
  }
  return bound;
}

/** Near to where the items are: the middle between pushing all to the right and all to the left as far as needed. */
function startPlaces(
  grid: Grid,
  x: Float64Array,
  blocks: Blocks,
  order: Int32Array,
  place: Int32Array,
  gap: Gap,
): Float64Array {
  const { start, rows } = blocks.members;
  const wanted = new Float64Array(blocks.count);
  for (let block = 0; block < blocks.count; block++) {
    let sum = 0;
    for (let row = start[block]; row < start[block + 1]; row++) {
      sum += x[rows[row]] - blocks.shift[rows[row]];
    }
    // Nothing that is fixed hangs below something else.
    wanted[block] =
      blocks.fixed[block] === 1 ? x[blocks.first[block]] : sum / (start[block + 1] - start[block]);
  }
  const right = wanted.slice();
  const pushRight = (places: Float64Array): void => {
    for (const block of order) {
      if (blocks.fixed[block] === 0) {
        places[block] = Math.max(places[block], limit(block, -1, grid, blocks, places, place, gap));
      }
    }
  };
  const pushLeft = (places: Float64Array): void => {
    for (let step = order.length - 1; step >= 0; step--) {
      const block = order[step];
      if (blocks.fixed[block] === 0) {
        places[block] = Math.min(places[block], limit(block, 1, grid, blocks, places, place, gap));
      }
    }
  };
  pushRight(right);
  const left = wanted.slice();
  pushLeft(left);
  const middle = right.map((value, block) => (value + left[block]) / 2);
  if (blocks.fixed.includes(1)) {
    // What is fixed was not pushed: the middle may overlap it.
    pushRight(middle);
    pushLeft(middle);
  }
  return middle;
}

/** For each block the segments that lead to others: where they begin, and where they want to end. */
interface Lines {
  list: Adjacency;
  /** By row: the other block, and where this block would have to be for the line to be straight, less that place. */
  other: Int32Array;
  offset: Float64Array;
}

function linesOf(grid: Grid, blocks: Blocks): Lines {
  const segments = grid.upper.length;
  const block = new Int32Array(2 * segments).fill(-1);
  const other = new Int32Array(2 * segments);
  const offset = new Float64Array(2 * segments);
  for (let segment = 0; segment < segments; segment++) {
    const a = grid.upper[segment];
    const b = grid.lower[segment];
    if (blocks.of[a] !== blocks.of[b]) {
      const apart = blocks.shift[a] + grid.upperOffset[segment] - blocks.shift[b] - grid.lowerOffset[segment];
      block[2 * segment] = blocks.of[a];
      other[2 * segment] = blocks.of[b];
      offset[2 * segment] = -apart;
      block[2 * segment + 1] = blocks.of[b];
      other[2 * segment + 1] = blocks.of[a];
      offset[2 * segment + 1] = apart;
    }
  }
  return { list: adjacency(blocks.count, block), other, offset };
}

function moveBlock(
  block: number,
  grid: Grid,
  blocks: Blocks,
  at: Float64Array,
  lines: Lines,
  place: Int32Array,
  gap: Gap,
): void {
  const { start, rows } = lines.list;
  const first = start[block];
  const count = start[block + 1] - first;
  if (count === 0) {
    return;
  }
  let low = at[lines.other[rows[first]]] + lines.offset[rows[first]];
  let high = low;
  if (count === 2) {
    high = at[lines.other[rows[first + 1]]] + lines.offset[rows[first + 1]];
    [low, high] = low < high ? [low, high] : [high, low];
  } else if (count > 2) {
    const wanted = new Float64Array(count);
    for (let row = 0; row < count; row++) {
      wanted[row] = at[lines.other[rows[first + row]]] + lines.offset[rows[first + row]];
    }
    wanted.sort();
    low = wanted[(count - 1) >> 1];
    high = wanted[count >> 1];
  }
  const now = at[block];
  // Anywhere between the two is as short; at one of them a line is straight.
  const to = now - low < high - now ? low : high;
  const least = limit(block, -1, grid, blocks, at, place, gap);
  const most = limit(block, 1, grid, blocks, at, place, gap);
  at[block] = Math.max(least, Math.min(most, to));
}
