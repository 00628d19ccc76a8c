/** Order within ranks and horizontal places: few crossings, and main paths as straight lines. */

import { BOX_GAP, LINE_GAP } from './spacing';
import type { Item } from './types';

/** A short line between neighbouring ranks. */
export interface Segment {
  upper: number;
  lower: number;
  /** Where it leaves and enters, from the items' centres. */
  upperOffset: number;
  lowerOffset: number;
}

const ORDER_SWEEPS = 6;
const PLACE_SWEEPS = 10;

/** For each item the segments above it and below it. */
interface Neighbours {
  above: Segment[][];
  below: Segment[][];
}

function neighboursOf(items: Item[], segments: Segment[]): Neighbours {
  const above: Segment[][] = items.map(() => []);
  const below: Segment[][] = items.map(() => []);
  for (const segment of segments) {
    below[segment.upper].push(segment);
    above[segment.lower].push(segment);
  }
  return { above, below };
}

/** Sorts each rank by the mean place of its neighbours, down and up by turns; ties keep the trace order. */
function orderRanks(ranks: number[][], items: Item[], near: Neighbours): void {
  const place = new Float64Array(items.length);
  const renumber = (rank: number[]): void => {
    rank.forEach((item, index) => {
      place[item] = rank.length === 1 ? 0.5 : index / (rank.length - 1);
    });
  };
  for (const rank of ranks) {
    rank.sort(
      (a, b) =>
        Number(items[a].kind === 'bend') - Number(items[b].kind === 'bend') ||
        items[a].order - items[b].order,
    );
    renumber(rank);
  }
  const key = new Float64Array(items.length);
  for (let sweep = 0; sweep < ORDER_SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (let step = 1; step < ranks.length; step++) {
      const rank = ranks[down ? step : ranks.length - 1 - step];
      if (rank.length < 2) {
        continue;
      }
      for (const item of rank) {
        let sum = 0;
        const list = down ? near.above[item] : near.below[item];
        for (const segment of list) {
          const other = down ? segment.upper : segment.lower;
          // The end of the line, not the box's middle: ports of one wide group must not cross.
          const offset = down ? segment.upperOffset : segment.lowerOffset;
          sum += place[other] + (offset / (items[other].width + 1)) * 0.5 * spread(ranks, items[other].rank);
        }
        key[item] = list.length > 0 ? sum / list.length : place[item];
      }
      rank.sort((a, b) => key[a] - key[b] || place[a] - place[b]);
      renumber(rank);
    }
  }
}

const spread = (ranks: number[][], rank: number): number => 1 / Math.max(1, ranks[rank].length - 1);

function gap(a: Item, b: Item): number {
  return a.kind === 'box' && b.kind === 'box' ? BOX_GAP : LINE_GAP;
}

/**
 * The places nearest to what each item wants such that no two overlap: isotonic regression, exact for the sum
 * of weighted squares and linear in the length of the rank.
 */
function settle(rank: number[], items: Item[], wanted: number[], weights: number[]): void {
  const blockSum: number[] = [];
  const blockWeight: number[] = [];
  const blockSize: number[] = [];
  const shifts: number[] = [];
  let shift = 0;
  for (let at = 0; at < rank.length; at++) {
    const item = items[rank[at]];
    if (at > 0) {
      const before = items[rank[at - 1]];
      shift += (before.width + item.width) / 2 + gap(before, item);
    }
    shifts.push(shift);
    let sum = (wanted[at] - shift) * weights[at];
    let weight = weights[at];
    let size = 1;
    while (
      blockSum.length > 0 &&
      blockSum[blockSum.length - 1] / blockWeight[blockWeight.length - 1] > sum / weight
    ) {
      sum += blockSum.pop()!;
      weight += blockWeight.pop()!;
      size += blockSize.pop()!;
    }
    blockSum.push(sum);
    blockWeight.push(weight);
    blockSize.push(size);
  }
  let at = 0;
  blockSum.forEach((sum, block) => {
    for (let count = 0; count < blockSize[block]; count++, at++) {
      items[rank[at]].x = sum / blockWeight[block] + shifts[at];
    }
  });
}

/** How much a line wants to be straight: the path through boxes most, then the bends of one long line. */
function pull(a: Item, b: Item): number {
  if (a.kind === 'bend' && b.kind === 'bend') {
    return 8;
  }
  return a.kind === 'bend' || b.kind === 'bend' ? 0.25 : 40;
}

/** The mean of the middle of what pulls: unlike a plain mean it makes lines exactly straight. */
function weightedMedian(places: number[], weights: number[]): number {
  const order = places.map((_, index) => index).sort((a, b) => places[a] - places[b]);
  const half = weights.reduce((sum, weight) => sum + weight, 0) / 2;
  let passed = 0;
  for (let at = 0; at < order.length; at++) {
    passed += weights[order[at]];
    if (passed > half + 1e-9) {
      return places[order[at]];
    }
    if (Math.abs(passed - half) <= 1e-9) {
      return (places[order[at]] + places[order[Math.min(at + 1, order.length - 1)]]) / 2;
    }
  }
  return places[order[order.length - 1]];
}

function wish(item: number, items: Item[], near: Neighbours, down: boolean): [number, number] {
  const places: number[] = [];
  const weights: number[] = [];
  let strongest = 0;
  for (const segment of down ? near.above[item] : near.below[item]) {
    const other = items[down ? segment.upper : segment.lower];
    const offset = down
      ? segment.upperOffset - segment.lowerOffset
      : segment.lowerOffset - segment.upperOffset;
    const weight = pull(items[item], other);
    places.push(other.x + offset);
    weights.push(weight);
    strongest = Math.max(strongest, weight);
  }
  return places.length === 0 ? [items[item].x, 0.2] : [weightedMedian(places, weights), strongest];
}

/** Sets the `x` of every item; `ranks` leaves in the order in which items stand from left to right. */
export function placeItems(ranks: number[][], items: Item[], segments: Segment[]): void {
  const near = neighboursOf(items, segments);
  orderRanks(ranks, items, near);
  for (const rank of ranks) {
    settle(
      rank,
      items,
      rank.map(() => 0),
      rank.map(() => 1),
    );
  }
  for (let sweep = 0; sweep < PLACE_SWEEPS; sweep++) {
    const down = sweep % 2 === 0;
    for (let step = down ? 1 : 0; step < ranks.length; step++) {
      const rank = ranks[down ? step : ranks.length - 1 - step];
      const wanted: number[] = [];
      const weights: number[] = [];
      for (const item of rank) {
        const [place, weight] = wish(item, items, near, down);
        wanted.push(place);
        weights.push(weight);
      }
      settle(rank, items, wanted, weights);
    }
  }
}
