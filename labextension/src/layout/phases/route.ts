/**
 * Lines between items: down, along a track between two ranks, down again. Tracks are shared by all that leaves
 * one box, so that a fan-out reads as one tree, and no line ever runs through a box.
 */

import type { Grid, Runs } from './grid';
import { ABOVE_BOX, BELOW_BOX, BESIDE_BEND, CORNER, GROUP_GAP, PORT_GAP, RANK_GAP, TRACK } from '../spacing';
import { assignTracks, type Stretch } from './tracks';
import { Kind, type GroupProblem } from '../types';

/** Steps to the side smaller than this are none. */
const STRAIGHT = 0.5;

interface Routed {
  y: Float64Array;
  height: number;
  paths: number[][];
}

/** `tops` says where anchored ranks begin; NaN: not anchored. */
export function routeLinks(
  problem: GroupProblem,
  grid: Grid,
  runs: Runs,
  x: Float64Array,
  tops: Float64Array,
): Routed {
  const links = problem.net.length;
  const columns = createColumns(problem, grid, runs, x);
  const gaps: Map<number, Stretch>[] = Array.from({ length: grid.ranks.length + 1 }, () => new Map());
  const cuts: Cut[] = [];
  for (let link = 0; link < links; link++) {
    const cut = columns(link);
    cuts.push(cut);
    const { xs, ranks } = cut;
    for (let step = 0; step < ranks.length; step++) {
      const from = xs[step];
      const to = xs[step + 1];
      if (Math.abs(from - to) >= STRAIGHT) {
        extend(gaps[ranks[step]], problem.net[link], from, to);
      }
    }
  }

  const items = problem.kind.length;
  const y = new Float64Array(items);
  const trackY = (gap: Map<number, Stretch>, first: number, apart = TRACK): void => {
    for (const stretch of gap.values()) {
      stretch.track = first + stretch.track * apart;
    }
  };
  let bottom = 0;
  let boxesAbove = false;
  let openAbove = false;
  grid.ranks.forEach((rank, index) => {
    let height = 0;
    let boxes = false;
    let open = false;
    for (const item of rank) {
      if (item < items) {
        height = Math.max(height, problem.height[item]);
        boxes ||= problem.kind[item] === Kind.Box;
        open ||= problem.open[item] === 1;
      }
    }
    const above = boxesAbove ? BELOW_BOX : BESIDE_BEND;
    const below = boxes ? ABOVE_BOX : BESIDE_BEND;
    const tracks = gaps[index].size > 0 ? assignTracks([...gaps[index].values()]) : 0;
    const least =
      index === 0 ? 0 : boxesAbove && boxes ? (open || openAbove ? GROUP_GAP : RANK_GAP) : PORT_GAP;
    const needed = tracks > 0 ? above + (tracks - 1) * TRACK + below : 0;
    // Where boxes are anchored, the lines between them come closer together instead.
    const free = Number.isNaN(tops[index]);
    const room = free ? Math.max(least, needed) : Math.max(0, tops[index] - bottom);
    const spare = Math.max(0, room - needed);
    const apart = needed <= room ? TRACK : Math.max(0, (room - above - below) / Math.max(1, tracks - 1));
    trackY(gaps[index], bottom + above + spare / 2, apart);
    const top = bottom + room;
    for (const item of rank) {
      if (item < items) {
        y[item] = top;
      }
    }
    bottom = top + height;
    boxesAbove = boxes;
    openAbove = open;
  });
  // Lines that go back up leave below the last rank.
  const last = gaps[grid.ranks.length];
  if (last.size > 0) {
    const tracks = assignTracks([...last.values()]);
    trackY(last, bottom + BELOW_BOX);
    bottom += BELOW_BOX + ABOVE_BOX + (tracks - 1) * TRACK;
  }

  const paths = cuts.map(({ xs, ranks }, link) => {
    const source = problem.source[link];
    const path = [xs[0], y[source] + problem.height[source]];
    for (let step = 0; step < ranks.length; step++) {
      if (Math.abs(xs[step] - xs[step + 1]) >= STRAIGHT) {
        const at = gaps[ranks[step]].get(problem.net[link])!.track;
        path.push(xs[step], at, xs[step + 1], at);
      }
    }
    path.push(xs[xs.length - 1], y[problem.target[link]]);
    return path;
  });
  return { y, height: bottom, paths };
}

function extend(gap: Map<number, Stretch>, net: number, from: number, to: number): void {
  const known = gap.get(net);
  if (known === undefined) {
    gap.set(net, {
      net,
      low: Math.min(from, to),
      high: Math.max(from, to),
      tops: [from],
      bottoms: [to],
      track: 0,
    });
    return;
  }
  known.low = Math.min(known.low, from, to);
  known.high = Math.max(known.high, from, to);
  note(known.tops, from);
  note(known.bottoms, to);
}

/** A fan of hundreds of lines needs no exact count of where it ends. */
const MOST_NOTED = 48;

function note(xs: number[], x: number): void {
  if (xs.length < MOST_NOTED && !xs.includes(x)) {
    xs.push(x);
  }
}

/** The x of each vertical part of a link, with the ranks above which it changes to the next. */
interface Cut {
  xs: number[];
  ranks: number[];
}

function createColumns(
  problem: GroupProblem,
  grid: Grid,
  runs: Runs,
  x: Float64Array,
): (link: number) => Cut {
  const { source, target, exit, entry, kind, width } = problem;
  /** Where a line meets an item: on the item's side that is nearest to where the line comes from. */
  const meet = (item: number, offset: number, from: number): number => {
    if (kind[item] !== Kind.Box || offset !== 0) {
      return x[item] + offset;
    }
    const reach = Math.max(0, width[item] / 2 - CORNER);
    return Math.max(x[item] - reach, Math.min(x[item] + reach, from));
  };
  return (link) => {
    const from = source[link];
    const to = target[link];
    if (runs.lane[link] >= 0) {
      const side = runs.lanes[runs.lane[link]].x;
      return {
        xs: [meet(from, exit[link], side), side, meet(to, entry[link], side)],
        ranks: [grid.rank[from] + 1, grid.rank[to]],
      };
    }
    const first = runs.start[link];
    const end = runs.start[link + 1];
    const ahead = first < end ? x[runs.bends[first]] : meet(to, entry[link], x[from] + exit[link]);
    const begin = meet(from, exit[link], ahead);
    const xs = [begin];
    const ranks: number[] = [];
    let last = begin;
    for (let at = first; at < end; at++) {
      last = x[runs.bends[at]];
      xs.push(last);
      ranks.push(grid.rank[runs.bends[at]]);
    }
    xs.push(meet(to, entry[link], last));
    ranks.push(grid.rank[to]);
    return { xs, ranks };
  };
}
