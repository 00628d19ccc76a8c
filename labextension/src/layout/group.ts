/** One group laid out alone: its items get places from its own top left corner, its links get paths. */

import { buildGrid, type Runs } from './phases/grid';
import { anchoredPositions, anchoredTops, keepAnchoredOrder } from './phases/anchors';
import { placeLanes } from './phases/lanes';
import { orderRanks } from './phases/order';
import { placeItems } from './phases/place';
import { assignRanks } from './phases/rank';
import { routeLinks } from './phases/route';
import type { GroupLayout, GroupProblem, GroupAnchors } from './types';

export function layoutGroup(problem: GroupProblem, anchors?: GroupAnchors): GroupLayout {
  const { grid, runs } = buildGrid(problem, assignRanks(problem));
  const fixed = anchors === undefined ? undefined : anchoredPositions(grid, anchors);
  if (fixed !== undefined) {
    keepAnchoredOrder(grid, fixed);
  }
  orderRanks(grid, fixed?.rank);
  const x = placeItems(grid, fixed);
  let left = Infinity;
  let right = -Infinity;
  for (let item = 0; item < grid.count; item++) {
    left = Math.min(left, x[item] - grid.width[item] / 2);
    right = Math.max(right, x[item] + grid.width[item] / 2);
  }
  if (grid.count === 0) {
    const bends = { net: grid.bendNet, rank: grid.rank, x };
    return { width: 0, height: 0, x, y: new Float64Array(0), bends, paths: [] };
  }
  chooseSides(problem, runs, x, (left + right) / 2);
  const edges = placeLanes(runs.lanes, left, right);
  const { y, height, paths } = routeLinks(problem, grid, runs, x, anchoredTops(grid, anchors));
  for (let item = 0; item < grid.count; item++) {
    x[item] -= edges.left;
  }
  for (const path of paths) {
    for (let at = 0; at < path.length; at += 2) {
      path[at] -= edges.left;
    }
  }
  const bends = { net: grid.bendNet, rank: grid.rank.slice(grid.items), x: x.slice(grid.items) };
  return { width: edges.right - edges.left, height, x, y, bends, paths };
}

/** Each lane runs on the side to which most of its ends lie. */
function chooseSides(problem: GroupProblem, runs: Runs, x: Float64Array, middle: number): void {
  const lean = new Float64Array(runs.lanes.length);
  runs.lane.forEach((lane, link) => {
    if (lane >= 0) {
      lean[lane] +=
        x[problem.source[link]] +
        problem.exit[link] +
        x[problem.target[link]] +
        problem.entry[link] -
        2 * middle;
    }
  });
  runs.lanes.forEach((lane, at) => {
    lane.side = lean[at] < -1 ? -1 : 1;
  });
}
