/** Which row each item of a group stands in. */

import { adjacency, type Adjacency } from './adjacency';
import { shorten } from './simplex';
import { Kind, type GroupProblem } from '../types';

const TIGHTEN_PASSES = 4;
/** Groups up to this size get the ranks with the shortest lines. */
const SMALL = 1200;

/** Lines that run against the order of the trace (a group left and entered again) do not count for ranks. */
export const isBackward = (problem: GroupProblem, link: number): boolean =>
  problem.source[link] >= problem.target[link];

const isTop = (problem: GroupProblem, item: number): boolean =>
  problem.kind[item] === Kind.In || problem.pinned[item] < 0;

const isBottom = (problem: GroupProblem, item: number): boolean =>
  problem.kind[item] === Kind.Out || problem.pinned[item] > 0;

export interface Ranks {
  rank: Int32Array;
  count: number;
}

/** An item's lines upwards and downwards, backward ones left out. */
interface Lines {
  above: Adjacency;
  below: Adjacency;
}

/**
 * Longest path from the top; then items move along their lines where that shortens more lines than it lengthens:
 * a constant or a mask comes down to just above its first user. Ports take the first and last rank.
 */
export function assignRanks(problem: GroupProblem): Ranks {
  const { target, kind } = problem;
  const count = kind.length;
  const forward = forwardOnce(problem);
  const lines: Lines = {
    below: adjacency(count, forward),
    above: adjacency(
      count,
      target.map((to, link) => (forward[link] < 0 ? -1 : to)),
    ),
  };
  const { below } = lines;
  const rank = new Int32Array(count);
  let hasTop = 0;
  for (let item = 0; item < count; item++) {
    hasTop |= Number(isTop(problem, item));
  }
  for (let item = 0; item < count; item++) {
    rank[item] = isTop(problem, item) ? 0 : Math.max(rank[item], hasTop);
    for (let at = below.start[item]; at < below.start[item + 1]; at++) {
      const to = target[below.rows[at]];
      rank[to] = Math.max(rank[to], rank[item] + 1);
    }
  }
  for (let pass = 0; pass < TIGHTEN_PASSES && moveDown(problem, rank, lines); pass++) {
    moveUp(problem, rank, lines, hasTop);
  }
  let last = setBottom(problem, rank);
  if (count <= SMALL && count > 2) {
    minimize(problem, rank, forward, hasTop);
    moveUp(problem, rank, lines, hasTop);
    last = setBottom(problem, rank);
  }
  return { rank, count: last + 1 };
}

/**
 * The source of each link that counts: not backward ones, and of several between the same two items only the first,
 * so that a group has the same rank open, with many lines out of it, and closed, with one. Ports of the lower border
 * are one item here: their number changes with what is open above them.
 */
function forwardOnce(problem: GroupProblem): Int32Array {
  const seen = new Set<number>();
  const count = problem.kind.length;
  return problem.source.map((from, link) => {
    const target = problem.target[link];
    const pair = from * (count + 1) + (problem.kind[target] === Kind.Out ? count : target);
    if (isBackward(problem, link) || seen.has(pair)) {
      return -1;
    }
    seen.add(pair);
    return from;
  });
}

/** Puts outputs into a last row of their own; returns its rank. */
function setBottom(problem: GroupProblem, rank: Int32Array): number {
  let last = 0;
  let hasBottom = false;
  for (let item = 0; item < rank.length; item++) {
    if (isBottom(problem, item)) {
      hasBottom = true;
    } else {
      last = Math.max(last, rank[item]);
    }
  }
  last += Number(hasBottom && rank.length > 1);
  for (let item = 0; item < rank.length; item++) {
    if (isBottom(problem, item)) {
      rank[item] = last;
    }
  }
  return last;
}

const movable = (problem: GroupProblem, item: number): boolean =>
  problem.kind[item] === Kind.Box && problem.pinned[item] === 0;

const size = (list: Adjacency, item: number): number => list.start[item + 1] - list.start[item];

/** Moves down what has as many lines below as above, or more; says whether anything moved. */
function moveDown(problem: GroupProblem, rank: Int32Array, { above, below }: Lines): boolean {
  let moved = false;
  for (let item = rank.length - 1; item >= 0; item--) {
    const users = size(below, item);
    if (!movable(problem, item) || users === 0 || users < size(above, item)) {
      continue;
    }
    let lowest = Infinity;
    for (let at = below.start[item]; at < below.start[item + 1]; at++) {
      lowest = Math.min(lowest, rank[problem.target[below.rows[at]]] - 1);
    }
    if (lowest > rank[item]) {
      rank[item] = lowest;
      moved = true;
    }
  }
  return moved;
}

/** The reverse: what gains nothing by standing low stands as high as it can. */
function moveUp(problem: GroupProblem, rank: Int32Array, { above, below }: Lines, hasTop: number): void {
  for (let item = 0; item < rank.length; item++) {
    const makers = size(above, item);
    if (!movable(problem, item) || (makers === 0 && size(below, item) > 0) || makers < size(below, item)) {
      continue;
    }
    let highest = hasTop;
    for (let at = above.start[item]; at < above.start[item + 1]; at++) {
      highest = Math.max(highest, rank[problem.source[above.rows[at]]] + 1);
    }
    rank[item] = Math.min(rank[item], highest);
  }
}

/** All items of the first row are one node to the simplex, those of the last row another. */
function minimize(problem: GroupProblem, rank: Int32Array, forward: Int32Array, hasTop: number): void {
  const { target } = problem;
  const node = new Int32Array(rank.length);
  const first = new Map<number, number>();
  let nodes = 1;
  let bottom = -1;
  for (let item = 0; item < rank.length; item++) {
    if (isTop(problem, item)) {
      node[item] = 0;
    } else if (isBottom(problem, item)) {
      bottom = bottom < 0 ? nodes++ : bottom;
      node[item] = bottom;
    } else {
      node[item] = nodes++;
    }
    first.set(node[item], item);
  }
  const from: number[] = [];
  const to: number[] = [];
  const least: number[] = [];
  const weight: number[] = [];
  const fed = new Uint8Array(nodes);
  const used = new Uint8Array(nodes);
  forward.forEach((source, link) => {
    if (source >= 0 && node[source] !== node[target[link]]) {
      from.push(node[source]);
      to.push(node[target[link]]);
      least.push(1);
      weight.push(1);
      used[node[source]] = fed[node[target[link]]] = 1;
    }
  });
  const hold = (upper: number, lower: number, ranks: number): void => {
    from.push(upper);
    to.push(lower);
    least.push(ranks);
    weight.push(0);
  };
  for (let at = 1; at < nodes; at++) {
    if (fed[at] === 0) {
      hold(0, at, hasTop);
    }
    if (used[at] === 0 && bottom >= 0 && at !== bottom) {
      hold(at, bottom, 1);
    }
  }
  if (bottom >= 0 && hasTop === 1) {
    hold(0, bottom, 1);
  }
  const ranks = new Int32Array(nodes);
  first.forEach((item, at) => (ranks[at] = rank[item]));
  ranks[0] = 0;
  shorten(
    {
      nodes,
      from: Int32Array.from(from),
      to: Int32Array.from(to),
      least: Uint8Array.from(least),
      weight: Uint8Array.from(weight),
    },
    ranks,
  );
  let lowest = Infinity;
  for (let at = hasTop === 1 ? 0 : 1; at < nodes; at++) {
    lowest = Math.min(lowest, ranks[at]);
  }
  for (let item = 0; item < rank.length; item++) {
    rank[item] = ranks[node[item]] - lowest;
  }
}
