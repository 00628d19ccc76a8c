/** One group laid out alone: its items get places from its own top left corner, its links get paths. */

import { placeItems, type Segment } from './place';
import { assignRanks, isBackward } from './rank';
import { placeLanes, routeRuns, type Lane, type Run } from './route';
import { LONGEST_INSIDE } from './spacing';
import type { Item, Link } from './types';

export interface GroupLayout {
  width: number;
  height: number;
}

/** The longest lines may pass between boxes only while bends stay in proportion to boxes. */
const BENDS_PER_ITEM = 4;

export function layoutGroup(items: Item[], links: Link[]): GroupLayout {
  const count = assignRanks(items, links);
  const runs: Run[] = [];
  const segments: Segment[] = [];
  const lanes: Lane[] = [];
  const laneOf = new Map<number, number>();
  /** Bends that a net already has, by rank: its lines share them. */
  const bends = new Map<number, Map<number, number>>();
  let budget = BENDS_PER_ITEM * items.length + 64;
  const boxes = items.length;

  const long = new Set<number>();
  for (const link of links) {
    const span = items[link.target].rank - items[link.source].rank;
    if (isBackward(items, link) || span <= 0 || span > LONGEST_INSIDE) {
      long.add(link.net);
    }
  }

  for (const link of links) {
    const from = items[link.source].rank;
    const to = items[link.target].rank;
    // A net that has a lane uses it wherever it passes a rank, or it would run down twice.
    if (to - from !== 1 && (long.has(link.net) || budget < to - from)) {
      let lane = laneOf.get(link.net);
      if (lane === undefined) {
        lane = lanes.push({ net: link.net, from, to, side: 1, x: 0 }) - 1;
        laneOf.set(link.net, lane);
      }
      lanes[lane].from = Math.min(lanes[lane].from, from, to);
      lanes[lane].to = Math.max(lanes[lane].to, from, to);
      runs.push({ link, via: [link.source, link.target], lane });
      continue;
    }
    const via = [link.source];
    let own = bends.get(link.net);
    if (own === undefined && to - from > 1) {
      own = new Map();
      bends.set(link.net, own);
    }
    for (let rank = from + 1; rank < to; rank++) {
      let bend = own!.get(rank);
      if (bend === undefined) {
        bend =
          items.push({
            width: 4,
            height: 0,
            rank,
            x: 0,
            y: 0,
            order: items[link.source].order,
            kind: 'bend',
            pinned: 0,
          }) - 1;
        own!.set(rank, bend);
        budget--;
        segments.push(segmentBetween(items, via[via.length - 1], bend, link));
      }
      via.push(bend);
    }
    via.push(link.target);
    segments.push(segmentBetween(items, via[via.length - 2], link.target, link));
    runs.push({ link, via, lane: -1 });
  }

  const ranks: number[][] = Array.from({ length: count }, () => []);
  items.forEach((item, index) => ranks[item.rank].push(index));
  placeItems(ranks, items, segments);

  let left = Infinity;
  let right = -Infinity;
  for (const item of items) {
    left = Math.min(left, item.x - item.width / 2);
    right = Math.max(right, item.x + item.width / 2);
  }
  const middle = (left + right) / 2;
  // Each lane runs on the side to which most of its ends lie.
  const lean = new Float64Array(lanes.length);
  for (const { lane, link } of runs) {
    if (lane >= 0) {
      lean[lane] += items[link.source].x + link.exit + items[link.target].x + link.entry - 2 * middle;
    }
  }
  lanes.forEach((lane, at) => {
    lane.side = lean[at] < -1 ? -1 : 1;
  });
  const edges = placeLanes(lanes, left, right);
  const height = routeRuns(ranks, items, runs, lanes);
  for (const item of items) {
    item.x -= edges.left;
  }
  for (const link of links) {
    for (let at = 0; at < link.path.length; at += 2) {
      link.path[at] -= edges.left;
    }
  }
  items.length = boxes;
  return { width: items.length > 0 ? edges.right - edges.left : 0, height };
}

function segmentBetween(items: Item[], upper: number, lower: number, link: Link): Segment {
  return {
    upper,
    lower,
    upperOffset: items[upper].kind === 'bend' ? 0 : link.exit,
    lowerOffset: items[lower].kind === 'bend' ? 0 : link.entry,
  };
}
