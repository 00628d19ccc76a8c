/** Lines of a cell that are tracked through edits, and found again where they were moved. */

import type { ChangeDesc, Text } from '@codemirror/state';

/** The whole lines of a statement, as they were when they ran. */
export interface LineText {
  texts: readonly string[];
}

export interface TrackedLine<A extends LineText> {
  readonly anchor: A;
  /** At the end of its last line. */
  readonly at: number;
}

/** Whether the lines that end at a line of the text read as they did. */
function standsAt(doc: Text, last: number, texts: readonly string[]): boolean {
  const first = last - texts.length + 1;
  return first >= 1 && last <= doc.lines && texts.every((text, at) => doc.line(first + at).text === text);
}

export function trackLine<A extends LineText>(doc: Text, anchor: A, line: number): TrackedLine<A> | null {
  return line < 1 || line > doc.lines ? null : { anchor, at: doc.line(line).to };
}

export const isUnchanged = (doc: Text, point: TrackedLine<LineText>): boolean =>
  standsAt(doc, doc.lineAt(point.at).number, point.anchor.texts);

/**
 * Tracked lines after an edit. A line that was moved, or cut and pasted, is found again by its text, the nearest
 * first; two of them never share one line.
 */
export function mapThroughChanges<A extends LineText>(
  points: readonly TrackedLine<A>[],
  changes: ChangeDesc,
  doc: Text,
): TrackedLine<A>[] {
  const mapped = points.map((point) => {
    const moved = { ...point, at: changes.mapPos(point.at, -1) };
    return isUnchanged(doc, moved) ? { ...moved, at: doc.lineAt(moved.at).to } : moved;
  });
  if (mapped.every((point) => isUnchanged(doc, point))) {
    return mapped;
  }
  const claimed = new Set(
    mapped.filter((point) => isUnchanged(doc, point)).map(({ at }) => doc.lineAt(at).number),
  );
  const byText = new Map<string, number[]>();
  for (let line = 1; line <= doc.lines; line++) {
    const { text } = doc.line(line);
    const list = byText.get(text);
    if (list === undefined) {
      byText.set(text, [line]);
    } else {
      list.push(line);
    }
  }
  const moved = new Map<number, number>();
  return mapped.map((point) => {
    if (isUnchanged(doc, point)) {
      return point;
    }
    const { texts } = point.anchor;
    const here = doc.lineAt(point.at).number;
    const free = (byText.get(texts[texts.length - 1]) ?? []).filter(
      // What stood together on one line moves together.
      (line) => (!claimed.has(line) || moved.get(line) === here) && standsAt(doc, line, texts),
    );
    if (free.length === 0 || texts.every((text) => text.trim() === '')) {
      return point;
    }
    const line = free.reduce((best, other) =>
      Math.abs(other - here) < Math.abs(best - here) ? other : best,
    );
    claimed.add(line);
    moved.set(line, here);
    return { ...point, at: doc.line(line).to };
  });
}
