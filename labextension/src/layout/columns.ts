/**
 * The inside of a group, wrapped into columns that stand side by side. It is cut only between two rows that few lines
 * pass; each of them goes on over the top of the next column, and no two of them cross on the way.
 */

import { shorten } from './shortcuts';
import { ABOVE_BOX, BELOW_BOX, LINE_GAP, TRACK } from './spacing';
import { Kind, type GroupLayout, type GroupProblem } from './types';

/** More lines than these would stand between two columns as a wall. */
const MOST_LINES = 3;
/** As much nearer to even columns a cut must be to part one line more. */
const A_LINE = 40;
/** What comes after so many stands in the last column. */
const MOST_ITEMS = 999;
/** Between a column and the lines beside it. */
const BESIDE = 18;

/** Where a group may be cut. */
interface Cut {
  y: number;
  /** The first item below. */
  item: number;
  /** Where lines pass, from left to right. */
  lines: number[];
}

/** Lines on one place are one line. */
const tenth = (x: number): number => Math.round(10 * x) / 10;

function cutsOf({ height, kind }: GroupProblem, { x, y, paths }: GroupLayout): Cut[] {
  const items = [...y.keys()].filter((item) => kind[item] === Kind.Box);
  items.sort((a, b) => y[a] - y[b] || x[a] - x[b]);
  const cuts: Cut[] = [];
  let bottom = 0;
  items.slice(0, MOST_ITEMS).forEach((item, at) => {
    if (at > 0 && y[item] > bottom + BELOW_BOX) {
      cuts.push({ y: bottom + BELOW_BOX / 2, item, lines: [] });
    }
    bottom = Math.max(bottom, y[item] + height[item]);
  });
  for (const path of paths) {
    for (let at = 3; at < path.length; at += 2) {
      const line = tenth(path[at - 1]);
      for (const { y: cut, lines } of cuts) {
        if (path[at - 2] <= cut && cut < path[at] && !lines.includes(line)) {
          lines.push(line);
        }
      }
    }
  }
  return cuts.filter(({ lines }) => lines.sort((a, b) => a - b).length <= MOST_LINES);
}

/** The first cut below a place; all cuts stand in order. */
const firstBelow = (cuts: Cut[], y: number): number => cuts.filter((cut) => cut.y < y).length;

/** Of columns that are as high as each other, as nearly as there are cuts. */
function evenCuts(cuts: Cut[], columns: number, height: number): Cut[] {
  const chosen = new Set<Cut>();
  for (let column = 1; column < columns && cuts.length > 0; column++) {
    const away = ({ y, lines }: Cut): number =>
      Math.abs(y - (column * height) / columns) + A_LINE * lines.length;
    chosen.add(cuts.reduce((best, cut) => (away(cut) < away(best) ? cut : best)));
  }
  return cuts.filter((cut) => chosen.has(cut));
}

/** `breaks`: the items with which columns begin, where they were chosen before; they are told in any case. */
export function wrapped(
  problem: GroupProblem,
  made: GroupLayout,
  columns: number,
  breaks?: number[],
): { made: GroupLayout; breaks: number[] } {
  const { x, y, paths } = made;
  const { kind, width } = problem;
  const possible = cutsOf(problem, made);
  const before = breaks?.map((item) => possible[firstBelow(possible, y[item]) - 1]);
  const cuts = before
    ? possible.filter((cut) => before.includes(cut))
    : evenCuts(possible, columns, made.height);
  if (cuts.length === 0) {
    return { made, breaks: [] };
  }

  const left = new Array<number>(cuts.length + 1).fill(Infinity);
  const right = new Array<number>(cuts.length + 1).fill(-Infinity);
  const widen = (column: number, from: number, to: number): void => {
    left[column] = Math.min(left[column], from);
    right[column] = Math.max(right[column], to);
  };
  const columnOf = Array.from(y, (top) => firstBelow(cuts, top));
  columnOf.forEach((column, item) => widen(column, x[item] - width[item] / 2, x[item] + width[item] / 2));
  for (const path of paths) {
    for (let at = 0; at < path.length; at += 2) {
      widen(firstBelow(cuts, path[at + 1]), path[at], path[at]);
    }
  }
  // A line that passes all of a column has no corner in it.
  cuts.forEach(({ lines }, cut) =>
    lines.forEach((line) => [cut, cut + 1].forEach((column) => widen(column, line, line))),
  );
  const dx: number[] = [];
  let end = 0;
  left.forEach((from, column) => {
    dx.push(end - from);
    end += right[column] - from;
    if (column < cuts.length) {
      end += 2 * BESIDE + (cuts[column].lines.length - 1) * LINE_GAP;
    }
  });
  // All first rows stand at one height, below the lines that come over the top.
  const tops = [
    y.reduce((least, top, item) => (kind[item] === Kind.Box ? Math.min(least, top) : least), Infinity),
    ...cuts.map(({ item }) => y[item]),
  ];
  const row = Math.max(
    tops[0],
    ...cuts.map((cut) => y[cut.item] - cut.y + cut.lines.length * TRACK + ABOVE_BOX / 2),
  );
  const dy = tops.map((top) => row - top);
  const bottoms = [...cuts.map((cut) => cut.y + cut.lines.length * TRACK), made.height];
  const height = Math.max(...bottoms.map((bottom, column) => bottom + dy[column]));

  /** Ports stay at the border; what else is in a column moves with it. */
  const moved = (from: number, column: number): number =>
    from <= 0 ? from : from >= made.height ? height : from + dy[column];
  const wrap = (path: number[]): number[] => {
    const out: number[] = [];
    let column = firstBelow(cuts, path[1]);
    for (let at = 0; at < path.length; at += 2) {
      for (; column < cuts.length && cuts[column].y < path[at + 1]; column++) {
        const { lines, y: cut } = cuts[column];
        const line = path[at];
        // The line at the right turns first, and is the innermost all the way.
        const place = lines.length - 1 - lines.indexOf(tenth(line));
        const lane = right[column] + dx[column] + BESIDE + place * LINE_GAP;
        const low = cut + dy[column] + TRACK * (place + 1);
        const high = cut + dy[column + 1] - TRACK * (lines.length - place);
        out.push(line + dx[column], low, lane, low, lane, high, line + dx[column + 1], high);
      }
      out.push(path[at] + dx[column], moved(path[at + 1], column));
    }
    return out;
  };
  const inColumns = {
    ...made,
    width: end,
    height,
    x: x.map((each, item) => each + dx[columnOf[item]]),
    y: y.map((each, item) =>
      kind[item] === Kind.Box ? each + dy[columnOf[item]] : moved(each, columnOf[item]),
    ),
    paths: paths.map(wrap),
  };
  shorten(problem, inColumns, paths);
  return { made: inColumns, breaks: cuts.map(({ item }) => item) };
}
