/**
 * Lines between items: down, along a track between two ranks, down again. Tracks are shared by all that leaves
 * one box, so that a fan-out reads as one tree, and no line ever runs through a box.
 */

import { CORNER, LINE_GAP, RANK_GAP, TRACK, TRACK_MARGIN } from './spacing';
import type { Item, Link } from './types';

/** A link cut into vertical stretches: one at the source, one at each bend or lane, one at the target. */
export interface Run {
  link: Link;
  /** Items passed on the way (source, bends, target), or nothing between the ends when it takes a lane. */
  via: number[];
  /** The lane beside the boxes, or -1. */
  lane: number;
}

export interface Lane {
  net: number;
  from: number;
  to: number;
  side: -1 | 1;
  x: number;
}

/** A horizontal stretch of a net in the gap above rank `gap`. */
interface Stretch {
  net: number;
  low: number;
  high: number;
  y: number;
}

/** Where a line meets an item: on the item's side that is nearest to where the line comes from. */
function meet(item: Item, offset: number, from: number): number {
  if (item.kind !== 'box' || offset !== 0) {
    return item.x + offset;
  }
  const reach = Math.max(0, Math.min(item.width / 2 - CORNER, item.width / 4 + 6));
  return Math.max(item.x - reach, Math.min(item.x + reach, from));
}

/** Gives lanes that overlap in rank different places outside the boxes. */
export function placeLanes(lanes: Lane[], left: number, right: number): { left: number; right: number } {
  const edges = { left, right };
  for (const side of [-1, 1] as const) {
    const ends: number[] = [];
    const mine = lanes.filter((lane) => lane.side === side);
    // The shortest lanes lie nearest to the boxes, so that they cross no other.
    mine.sort((a, b) => a.to - a.from - (b.to - b.from) || a.from - b.from);
    const slots: Lane[][] = [];
    for (const lane of mine) {
      let slot = slots.findIndex((taken) =>
        taken.every((other) => other.to < lane.from || other.from > lane.to),
      );
      if (slot < 0) {
        slot = slots.push([]) - 1;
      }
      slots[slot].push(lane);
      ends[slot] = Math.max(ends[slot] ?? 0, lane.to);
      const away = (slot + 1) * LINE_GAP + 4;
      lane.x = side < 0 ? left - away : right + away;
      edges.left = Math.min(edges.left, lane.x - 4);
      edges.right = Math.max(edges.right, lane.x + 4);
    }
  }
  return edges;
}

/** The x of each vertical stretch of a run, with the ranks between which it changes to the next. */
function columns(run: Run, items: Item[], lanes: Lane[]): { xs: number[]; gaps: number[] } {
  const { link, via } = run;
  const source = items[link.source];
  const target = items[link.target];
  if (run.lane >= 0) {
    const x = lanes[run.lane].x;
    return {
      xs: [meet(source, link.exit, x), x, meet(target, link.entry, x)],
      gaps: [source.rank + 1, target.rank],
    };
  }
  const middle = via.slice(1, -1).map((item) => items[item].x);
  const first = middle.length > 0 ? middle[0] : target.x + link.entry;
  const start = middle.length > 0 ? meet(source, link.exit, first) : source.x + link.exit;
  const last = middle.length > 0 ? middle[middle.length - 1] : start;
  const xs = [start, ...middle, meet(target, link.entry, last)];
  return { xs, gaps: via.slice(1).map((item) => items[item].rank) };
}

/** Spreads the stretches of one gap over as few tracks as keep different nets apart. */
function assignTracks(stretches: Stretch[]): number {
  stretches.sort((a, b) => b.high - b.low - (a.high - a.low));
  const tracks: Stretch[][] = [];
  for (const stretch of stretches) {
    let track = tracks.findIndex((taken) =>
      taken.every((other) => other.high + 8 < stretch.low || other.low - 8 > stretch.high),
    );
    if (track < 0 && tracks.length < 40) {
      track = tracks.push([]) - 1;
    }
    track = track < 0 ? tracks.length - 1 : track;
    tracks[track].push(stretch);
    stretch.y = track;
  }
  return tracks.length;
}

/**
 * Sets the `y` of items and the paths of links, given ranks and all x; returns the height of the whole.
 * Rank heights and gap heights depend on the lines, so both are decided here.
 */
export function routeRuns(ranks: number[][], items: Item[], runs: Run[], lanes: Lane[]): number {
  const cut = runs.map((run) => columns(run, items, lanes));
  const gaps: Map<number, Stretch>[] = Array.from({ length: ranks.length + 1 }, () => new Map());
  runs.forEach((run, at) => {
    const { xs, gaps: where } = cut[at];
    where.forEach((gap, step) => {
      const low = Math.min(xs[step], xs[step + 1]);
      const high = Math.max(xs[step], xs[step + 1]);
      if (high - low < 0.5) {
        return;
      }
      const known = gaps[gap].get(run.link.net);
      if (known === undefined) {
        gaps[gap].set(run.link.net, { net: run.link.net, low, high, y: 0 });
      } else {
        known.low = Math.min(known.low, low);
        known.high = Math.max(known.high, high);
      }
    });
  });

  let y = 0;
  const top: number[] = [];
  const bottom: number[] = [];
  ranks.forEach((rank, index) => {
    const stretches = [...gaps[index].values()];
    const tracks = assignTracks(stretches);
    const room =
      index === 0
        ? tracks > 0
          ? TRACK_MARGIN * 2 + tracks * TRACK
          : 0
        : Math.max(RANK_GAP, tracks > 0 ? TRACK_MARGIN * 2 + (tracks - 1) * TRACK : 0);
    for (const stretch of stretches) {
      stretch.y = y + (room - (tracks - 1) * TRACK) / 2 + stretch.y * TRACK;
    }
    y += room;
    top.push(y);
    let height = 0;
    for (const item of rank) {
      height = Math.max(height, items[item].height);
      items[item].y = y;
    }
    y += height;
    bottom.push(y);
  });
  // Lines that go back up leave below the last rank.
  const below = [...gaps[ranks.length].values()];
  if (below.length > 0) {
    const tracks = assignTracks(below);
    for (const stretch of below) {
      stretch.y = y + TRACK_MARGIN + stretch.y * TRACK;
    }
    y += TRACK_MARGIN * 2 + (tracks - 1) * TRACK;
  }

  runs.forEach((run, at) => {
    const { xs, gaps: where } = cut[at];
    const source = items[run.link.source];
    const target = items[run.link.target];
    const path = [xs[0], source.y + source.height];
    where.forEach((gap, step) => {
      const stretch = gaps[gap].get(run.link.net);
      if (stretch !== undefined && Math.abs(xs[step] - xs[step + 1]) >= 0.5) {
        path.push(xs[step], stretch.y, xs[step + 1], stretch.y);
      }
    });
    path.push(xs[xs.length - 1], target.y);
    run.link.path = path;
  });
  return y;
}
