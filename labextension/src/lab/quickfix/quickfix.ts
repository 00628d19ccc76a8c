/** Quick fixes: shown as lines before and after, and applied as one edit where the text is still as it was traced. */

import type { EditorView } from '@codemirror/view';
import type { QuickFix, TraceDiagnostic } from '../../protocol/viewdocument';
import { unitOf } from '../celltrace';

/** A quick fix in whole lines. */
export interface QuickFixEdit {
  edit: QuickFix;
  before: string[];
  after: string[];
  /** Lines from the last line of the warning to the last of the edit. */
  below: number;
}

/** Null where the document does not hold the lines: what they read cannot be compared then. */
export function quickFixEdit(
  { fix: edit }: TraceDiagnostic,
  texts: ReadonlyMap<number, string>,
  endLine: number,
): QuickFixEdit | null {
  if (edit === undefined) {
    return null;
  }
  const before: string[] = [];
  for (let line = edit.line; line <= edit.end_line; line++) {
    const text = texts.get(line);
    if (text === undefined) {
      return null;
    }
    before.push(text);
  }
  const [first, last] = [before[0], before[before.length - 1]];
  const after =
    first.slice(0, unitOf(first, edit.column)) + edit.text + last.slice(unitOf(last, edit.end_column));
  return { edit, before, after: after.split('\n'), below: edit.end_line - endLine };
}

/** Lines before and after, marked by more than color. */
export function quickFixPreview({ edit, before, after }: QuickFixEdit): HTMLElement {
  const node = document.createElement('div');
  node.className = 'tracelab-quick-fix';
  node.appendChild(document.createElement('div')).textContent = edit.reason;
  const block = node.appendChild(document.createElement('pre'));
  const put = (tag: 'del' | 'ins', sign: string, lines: readonly string[]): void => {
    for (const text of lines) {
      block.appendChild(document.createElement(tag)).textContent = `${sign} ${text}\n`;
    }
  };
  put('del', '−', before);
  put('ins', '+', after);
  return node;
}

/** Writes the rewrite, whose warning ends at line `warned` now. False, and nothing done: other text stands there. */
export function applyQuickFix(
  view: EditorView,
  { before, after, below }: QuickFixEdit,
  warned: number,
): boolean {
  const { doc } = view.state;
  const last = warned + below;
  const first = last - before.length + 1;
  if (
    first < 1 ||
    last > doc.lines ||
    before.some((text, at) => doc.line(first + at).text !== text) ||
    view.state.readOnly
  ) {
    return false;
  }
  // Only what differs is replaced, so that the cursor and other marks stay where they are.
  const old = before.join('\n');
  const now = after.join('\n');
  let head = 0;
  while (head < Math.min(old.length, now.length) && old[head] === now[head]) {
    head++;
  }
  let tail = 0;
  while (
    tail < Math.min(old.length, now.length) - head &&
    old[old.length - 1 - tail] === now[now.length - 1 - tail]
  ) {
    tail++;
  }
  const start = doc.line(first).from;
  view.dispatch({
    changes: {
      from: start + head,
      to: start + old.length - tail,
      insert: now.slice(head, now.length - tail),
    },
    userEvent: 'input.quickfix',
    scrollIntoView: true,
  });
  view.focus();
  return true;
}
