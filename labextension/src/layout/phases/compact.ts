/**
 * The last touch on horizontal places. What stands straight above each other, and the bends of each long line, become
 * one rigid block (after Brandes and Köpf, 2002); then each block moves to where its lines are shortest, as far as
 * its neighbors let it.
 */

import { adjacency, type Adjacency } from './adjacency';
import type { Grid } from './grid';
import { CORNER } from '../spacing';
import { Kind } from '../types';

/** Work is bounded: a large group gets fewer sweeps. */
const WORK = 200_000;
const MOST_SWEEPS = 10;
const LEAST_SWEEPS = 2;
/** Groups up to this size are gone over a second time. */
const SMALL = 12_000;
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

/**
 * Changes `x`, but not of what is fixed; `gap` says how far apart the centers of two neighbors are at least. What is
 * straight on the main path stays so.
 */
export function compact(
  grid: Grid,
  x: Float64Array,
  gap: Gap,
  isFixed: (item: number) => boolean,
  isMain: (item: number) => boolean,
): void {
  const place = new Int32Array(grid.count);
  for (const rank of grid.ranks) {
    rank.forEach((item, at) => (place[item] = at));
  }
  const straight = chooseStraight(grid, x, place, isFixed);
  const work = grid.count + grid.upper.length;
  const sweeps = Math.max(LEAST_SWEEPS, Math.min(MOST_SWEEPS, Math.floor(WORK / work)));
  shorten(grid, x, formBlocks(grid, straight, isFixed), place, gap, sweeps);
  if (work > SMALL) {
    return;
  }
  // Now all but the main path and the long lines comes nearer, piece by piece.
  const { kind, upper, lower } = grid;
  const stiff = straight.map((is, segment) => {
    const [a, b] = [upper[segment], lower[segment]];
    return is === 1 && (kind[a] === Kind.Bend ? kind[b] === Kind.Bend : isMain(a) && isMain(b)) ? 1 : 0;
  });
  shorten(grid, x, formBlocks(grid, stiff, isFixed), place, gap, LEAST_SWEEPS);
}

/** Moves blocks to where their lines are shortest, one after the other. */
function shorten(
  grid: Grid,
  x: Float64Array,
  blocks: Blocks,
  place: Int32Array,
  gap: Gap,
  sweeps: number,
): void {
  const order = leftToRight(grid, blocks, place);
  if (order === null) {
    return;
  }
  const at = startPlaces(grid, x, blocks, order, place, gap);
  const lines = linesOf(grid, blocks);
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

/** How far left a block may go (or, from the other side, right), given where its neighbors are. */
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

/** The segments that lead from one block to another. */
interface Lines {
  upper: Int32Array;
  lower: Int32Array;
  /** How far right of the upper block the lower one is where the segment is straight. */
  apart: Float64Array;
  /** How far from there it may be and the line is straight still: lines may end anywhere along a box. */
  reach: Float64Array;
  /** For each block the rows of segments: 2 × segment from its upper end, 2 × segment + 1 from its lower one. */
  list: Adjacency;
}

function linesOf(grid: Grid, blocks: Blocks): Lines {
  const upper: number[] = [];
  const lower: number[] = [];
  const apart: number[] = [];
  const reach: number[] = [];
  for (let segment = 0; segment < grid.upper.length; segment++) {
    const a = grid.upper[segment];
    const b = grid.lower[segment];
    if (blocks.of[a] !== blocks.of[b]) {
      upper.push(blocks.of[a]);
      lower.push(blocks.of[b]);
      apart.push(blocks.shift[a] + grid.upperOffset[segment] - blocks.shift[b] - grid.lowerOffset[segment]);
      reach.push(reachOf(grid, segment));
    }
  }
  const ends = Int32Array.from(
    { length: 2 * upper.length },
    (_, row) => (row % 2 === 0 ? upper : lower)[row >> 1],
  );
  return {
    upper: Int32Array.from(upper),
    lower: Int32Array.from(lower),
    apart: Float64Array.from(apart),
    reach: Float64Array.from(reach),
    list: adjacency(blocks.count, ends),
  };
}

/** How far to the side the ends of a segment may be and the line is straight still. */
function reachOf({ kind, width, upper, lower, upperOffset, lowerOffset }: Grid, segment: number): number {
  const of = (item: number, offset: number): number =>
    kind[item] === Kind.Box && offset === 0 ? Math.max(0, width[item] / 2 - CORNER) : 0;
  return of(upper[segment], upperOffset[segment]) + of(lower[segment], lowerOffset[segment]);
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
  // The sum of what is beyond reach is least in the middle of where each line's reach begins and ends.
  const middles = new Float64Array(count);
  const ends = new Float64Array(2 * count);
  for (let line = 0; line < count; line++) {
    const segment = rows[first + line] >> 1;
    const isUpper = rows[first + line] % 2 === 0;
    middles[line] = isUpper
      ? at[lines.lower[segment]] - lines.apart[segment]
      : at[lines.upper[segment]] + lines.apart[segment];
    ends[2 * line] = middles[line] - lines.reach[segment];
    ends[2 * line + 1] = middles[line] + lines.reach[segment];
  }
  middles.sort();
  ends.sort();
  const now = at[block];
  // Anywhere between the two is as short; best is where a line goes from middle to middle.
  const [low, high] = [middles[(count - 1) >> 1], middles[count >> 1]];
  const middle = now - low < high - now ? low : high;
  const to = Math.max(ends[count - 1], Math.min(ends[count], middle));
  const least = limit(block, -1, grid, blocks, at, place, gap);
  const most = limit(block, 1, grid, blocks, at, place, gap);
  at[block] = Math.max(least, Math.min(most, to));
}
