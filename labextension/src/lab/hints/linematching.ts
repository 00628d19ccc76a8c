/**
 * Aligns the lines of a trace with the lines of a cell as it is now. IPython drops empty lines before `%%trace`, and a
 * cell may have been edited since it ran: lines are found by their text, in their order. No DOM.
 */

import type { CellFile } from '../celltrace';

/** The trace cuts longer lines off. */
const LONGEST = 400;

export interface LinePosition {
  /** 1-based line of the cell. */
  line: number;
  /** Characters that stand there before what the trace counted from. */
  shift: number;
  /** What the whole line of the cell must read for the place to be as it was traced. */
  text: string;
}

export interface LineAlignment {
  /** By line of the trace. Lines that the cell no longer has, and that no others hold in place, are absent. */
  places: Map<number, LinePosition>;
  /** How many of the lines that ran something read as they did. */
  exact: number;
}

/** Whether a line of the cell reads as the trace has it. */
export function matchesLine(text: string | undefined, was: string): boolean {
  return was.length >= LONGEST && was.endsWith('…')
    ? (text?.startsWith(was.slice(0, -1)) ?? false)
    : text === was;
}

type Pair = [line: number, at: number];

/** The longest sequence of lines that both have, empty ones aside: pairs of a traced line and a line of the cell. */
function common(traced: readonly [number, string][], cell: readonly string[]): Pair[] {
  const rows = traced.length;
  const columns = cell.length;
  const most = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  const same = (row: number, column: number): boolean =>
    traced[row][1].trim() !== '' && matchesLine(cell[column], traced[row][1]);
  for (let row = rows - 1; row >= 0; row--) {
    for (let column = columns - 1; column >= 0; column--) {
      most[row][column] = same(row, column)
        ? most[row + 1][column + 1] + 1
        : Math.max(most[row + 1][column], most[row][column + 1]);
    }
  }
  const pairs: Pair[] = [];
  for (let row = 0, column = 0; row < rows && column < columns;) {
    if (same(row, column)) {
      pairs.push([traced[row++][0], ++column]);
    } else if (most[row + 1][column] >= most[row][column + 1]) {
      row++;
    } else {
      column++;
    }
  }
  return pairs;
}

/** Lines that stand where the trace counted them, all moved alike; null where any reads otherwise. */
function moved(traced: readonly [number, string][], cell: readonly string[]): Pair[] | null {
  const [first] = traced.filter(([, text]) => text.trim() !== '');
  if (first === undefined) {
    return null;
  }
  for (let offset = 0; offset < Math.min(cell.length, 50); offset++) {
    if (
      matchesLine(cell[first[0] - 1 + offset], first[1]) &&
      traced.every(([line, text]) => text.trim() === '' || matchesLine(cell[line - 1 + offset], text))
    ) {
      return traced.map(([line]) => [line, line + offset]);
    }
  }
  return null;
}

/** `%trace f(x)`: the trace knows `f(x)` only. `skip` equal lines before it belong to other traces of the cell. */
function placeMagic(file: CellFile, cell: readonly string[], skip: number): LineAlignment {
  const text = file.texts.get(1) ?? '';
  const found = cell.flatMap((line, at) =>
    /^\s*%trace\s/.test(line) && line.trimEnd().endsWith(text) ? [at] : [],
  );
  const at = found[Math.min(skip, found.length - 1)];
  if (at === undefined || text === '') {
    return { places: new Map(), exact: 0 };
  }
  const place = { line: at + 1, shift: cell[at].lastIndexOf(text), text: cell[at] };
  return { places: new Map([[1, place]]), exact: 1 };
}

export function alignLines(file: CellFile, cell: readonly string[], skip = 0): LineAlignment {
  if (file.isLineMagic) {
    return placeMagic(file, cell, skip);
  }
  const traced = [...file.texts].sort(([a], [b]) => a - b);
  const pairs = moved(traced, cell) ?? common(traced, cell);
  const magic = cell.findIndex((line) => line.startsWith('%%'));
  if (file.isTracedCell && magic >= 0 && (pairs[0]?.[0] ?? 0) > 1) {
    // The line of the magic is empty in what ran.
    pairs.unshift([1, magic + 1]);
  }
  const known = new Map(pairs);
  const taken = new Set(known.values());
  const places = new Map<number, LinePosition>();
  let exact = 0;
  for (const [first, last] of file.spans) {
    const all = Array.from({ length: Math.max(1, last - first + 1) }, (_, at) => first + at);
    exact += all.every((line) => known.has(line)) ? 1 : 0;
    for (const line of all) {
      const at = known.get(line) ?? interpolate(line, pairs, taken, cell.length);
      if (at !== null) {
        const text = known.has(line) ? cell[at - 1] : (file.texts.get(line) ?? '');
        places.set(line, { line: at, shift: 0, text });
      }
    }
  }
  return exact === 0 ? { places: new Map(), exact } : { places, exact };
}

/** Where an edited line must be: as far behind its neighbor before, or before the one behind, as it was. */
function interpolate(line: number, pairs: readonly Pair[], taken: Set<number>, end: number): number | null {
  const before = pairs.filter(([traced]) => traced < line).pop();
  const behind = pairs.find(([traced]) => traced > line);
  const guesses = [
    ...(before === undefined ? [] : [before[1] + line - before[0]]),
    ...(behind === undefined ? [] : [behind[1] + line - behind[0]]),
  ];
  const fits = (at: number): boolean =>
    at > (before?.[1] ?? 0) && at < (behind?.[1] ?? end + 1) && !taken.has(at);
  return guesses.find(fits) ?? null;
}
