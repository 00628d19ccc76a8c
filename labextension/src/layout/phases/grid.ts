/** A group on its ranks: items and the bends of long lines, with a segment between each pair of neighbors. */

import { adjacency, type Adjacency } from './adjacency';
import { isBackward, type Ranks } from './rank';
import { LONGEST_INSIDE } from '../spacing';
import { Kind, type GroupProblem } from '../types';

/** Lines may pass between boxes only while bends stay in proportion to boxes. */
const BENDS_PER_ITEM = 4;
const BEND_WIDTH = 4;

/** Short lines between neighboring ranks, and where they end, from the items' centers. */
export interface Grid {
  /** Items first, then bends. */
  count: number;
  items: number;
  /** The net of each bend. */
  bendNet: Int32Array;
  kind: Uint8Array;
  width: Float64Array;
  rank: Int32Array;
  ranks: Int32Array[];
  upper: Int32Array;
  lower: Int32Array;
  upperOffset: Float64Array;
  lowerOffset: Float64Array;
  /** Segments by their lower end (`above` an item) and by their upper end. */
  above: Adjacency;
  below: Adjacency;
}

export interface Lane {
  net: number;
  from: number;
  to: number;
  side: -1 | 1;
  x: number;
}

/** How each link runs: through bends, or along a lane beside all boxes. */
export interface Runs {
  /** Bends of link `i` are `bends[start[i]]` up to `bends[start[i + 1]]`. */
  start: Int32Array;
  bends: number[];
  /** The lane of each link, or -1. */
  lane: Int32Array;
  lanes: Lane[];
}

export function buildGrid(problem: GroupProblem, ranks: Ranks): { grid: Grid; runs: Runs } {
  const { net, source, target } = problem;
  const items = problem.kind.length;
  const links = net.length;
  const { rank } = ranks;
  let nets = 0;
  for (let link = 0; link < links; link++) {
    nets = Math.max(nets, net[link] + 1);
  }
  const long = new Uint8Array(nets);
  for (let link = 0; link < links; link++) {
    const span = rank[target[link]] - rank[source[link]];
    if (isBackward(problem, link) || span <= 0 || span > LONGEST_INSIDE) {
      long[net[link]] = 1;
    }
  }

  const bendRank: number[] = [];
  const bendNet: number[] = [];
  const upper: number[] = [];
  const lower: number[] = [];
  const upperOffset: number[] = [];
  const lowerOffset: number[] = [];
  const start = new Int32Array(links + 1);
  const bends: number[] = [];
  const lane = new Int32Array(links).fill(-1);
  const lanes: Lane[] = [];
  const laneOf = new Int32Array(nets).fill(-1);
  /** Bends that a net already has, from the rank below its source on: its lines share them. */
  const trunk: (number[] | undefined)[] = new Array<undefined>(nets).fill(undefined);
  let budget = BENDS_PER_ITEM * items + 64;
  for (let link = 0; link < links; link++) {
    const from = rank[source[link]];
    const to = rank[target[link]];
    const own = net[link];
    // A net that has a lane uses it wherever it passes a rank, or it would run down twice.
    if (to - from !== 1 && (long[own] === 1 || budget < to - from)) {
      long[own] = 1;
      if (laneOf[own] < 0) {
        laneOf[own] = lanes.push({ net: own, from, to, side: 1, x: 0 }) - 1;
      }
      const used = lanes[laneOf[own]];
      used.from = Math.min(used.from, from, to);
      used.to = Math.max(used.to, from, to);
      lane[link] = laneOf[own];
      start[link + 1] = bends.length;
      continue;
    }
    let last = source[link];
    let offset = problem.exit[link];
    for (let at = from + 1; at < to; at++) {
      const line = (trunk[own] ??= []);
      if (line.length < at - from) {
        const bend = items + bendRank.push(at) - 1;
        bendNet.push(own);
        line.push(bend);
        budget--;
        upper.push(last);
        lower.push(bend);
        upperOffset.push(offset);
        lowerOffset.push(0);
      }
      last = line[at - from - 1];
      offset = 0;
      bends.push(last);
    }
    upper.push(last);
    lower.push(target[link]);
    upperOffset.push(offset);
    lowerOffset.push(problem.entry[link]);
    start[link + 1] = bends.length;
  }

  const count = items + bendRank.length;
  const grow = <T extends Uint8Array | Float64Array | Int32Array>(made: T, from: ArrayLike<number>): T => {
    made.set(from);
    return made;
  };
  const allRanks = grow(new Int32Array(count), rank);
  allRanks.set(bendRank, items);
  const kind = grow(new Uint8Array(count), problem.kind).fill(Kind.Bend, items);
  const width = grow(new Float64Array(count), problem.width).fill(BEND_WIDTH, items);
  const byRank = adjacency(ranks.count, allRanks);
  const lowerArray = Int32Array.from(lower);
  const upperArray = Int32Array.from(upper);
  const grid: Grid = {
    count,
    items,
    bendNet: Int32Array.from(bendNet),
    kind,
    width,
    rank: allRanks,
    ranks: Array.from({ length: ranks.count }, (_, at) =>
      byRank.rows.slice(byRank.start[at], byRank.start[at + 1]),
    ),
    upper: upperArray,
    lower: lowerArray,
    upperOffset: Float64Array.from(upperOffset),
    lowerOffset: Float64Array.from(lowerOffset),
    above: adjacency(count, lowerArray),
    below: adjacency(count, upperArray),
  };
  return { grid, runs: { start, bends, lane, lanes } };
}
