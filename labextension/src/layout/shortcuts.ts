/** A line that went over the top of a column is spared what is a way round: down beside boxes and up again, or back. */

import { TRACK } from './spacing';
import { Kind, type GroupLayout, type GroupProblem } from './types';

/** So near to another line or to a box nothing new runs. */
const NEAR = TRACK - 1;

/** Whether a stretch ends where it began, along one axis. */
const isEven = (path: number[], at: number): boolean => Math.abs(path[at] - path[at - 2]) < 0.01;

/** `before`: the paths as they were before they went over the top; those that did have more corners now. */
export function shorten(
  { net, kind, width, height }: GroupProblem,
  made: GroupLayout,
  before: number[][],
): void {
  const { x, y, paths } = made;
  const isFree = (link: number, ...[x1, y1, x2, y2]: number[]): boolean => {
    const meets = (left: number, top: number, right: number, bottom: number): boolean =>
      Math.min(x1, x2) - NEAR < Math.max(left, right) &&
      Math.max(x1, x2) + NEAR > Math.min(left, right) &&
      Math.min(y1, y2) - NEAR < Math.max(top, bottom) &&
      Math.max(y1, y2) + NEAR > Math.min(top, bottom);
    return !(
      x.some((middle, item) => {
        const half = width[item] / 2;
        return (
          kind[item] === Kind.Box && meets(middle - half, y[item], middle + half, y[item] + height[item])
        );
      }) ||
      paths.some(
        (path, other) =>
          net[other] !== net[link] &&
          path.some(
            (_, at) => at % 2 > 0 && at > 1 && meets(path[at - 3], path[at - 2], path[at - 1], path[at]),
          ),
      )
    );
  };
  const over = paths.flatMap((path, link) => (path.length > before[link].length ? [link] : []));
  // Twice: one may make way for another.
  [...over, ...over].forEach((link) => {
    const path = paths[link];
    // Five corners a, b, c, d, e: b moves along its first stretch to where e is seen, and c and d go.
    for (let at = 4; at < path.length - 6; at += 2) {
      const flat = Number(isEven(path, at + 1));
      const cross = 1 - flat;
      const corner = [path[at], path[at + 1]];
      corner[cross] = path[at + 6 + cross];
      const [fromX, fromY, toX, toY] = [path[at - 2], path[at - 1], path[at + 6], path[at + 7]];
      const isEnd = at + 8 === path.length;
      if (
        [0, 2, 4, 6].every((step) => isEven(path, at + step + (step % 4 ? cross : flat))) &&
        (path[at + cross] - path[at - 2 + cross]) * (corner[cross] - path[at - 2 + cross]) > 0 &&
        (!isEnd || corner[1] <= path[at + 5]) &&
        isFree(link, fromX, fromY, corner[0], corner[1]) &&
        isFree(link, corner[0], corner[1], toX, isEnd ? path[at + 5] : toY)
      ) {
        path.splice(at, 6, ...corner);
        at = 2;
      }
    }
  });
}
