import { EditorState } from '@codemirror/state';
import type { EditorView } from '@codemirror/view';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyQuickFix, quickFixEdit } from '../../src/lab/quickfix/quickfix';
import type { TraceDiagnostic } from '../../src/protocol/viewdocument';

const LINES = ['%%trace', 'if x.sum() > 0:', '    y = x * 2', 'else:', '    y = -x', 'z = y'];
const AFTER = ['%%trace', 'y = torch.where(x.sum() > 0, x * 2, -x)', 'z = y'];

const warning = {
  fix: {
    line: 2,
    column: 0,
    end_line: 5,
    end_column: 10,
    text: 'y = torch.where(x.sum() > 0, x * 2, -x)',
    reason: 'both sides are computed',
  },
} as TraceDiagnostic;
const texts = new Map(LINES.map((text, at) => [at + 1, text]));

/** As much of an editor as an edit needs. */
function editor(lines: readonly string[]): { view: EditorView; text(): string[] } {
  let state = EditorState.create({ doc: lines.join('\n') });
  const view = {
    get state() {
      return state;
    },
    dispatch(spec: Parameters<EditorState['update']>[0]) {
      state = state.update(spec).state;
    },
    focus() {},
  };
  return { view: view as unknown as EditorView, text: () => state.doc.toString().split('\n') };
}

describe('a quick fix', () => {
  const rewrite = quickFixEdit(warning, texts, 2)!;

  it('shows the lines that it takes and those that it gives', () => {
    expect([rewrite.before, rewrite.after]).toEqual([LINES.slice(1, 5), [AFTER[1]]]);
  });

  it('is one edit of the lines where they stand now', () => {
    const other = fc.array(fc.constantFrom('', '#', 'w = 1'), { maxLength: 5 });
    fc.assert(
      fc.property(other, other, (above, below) => {
        const { view, text } = editor([...above, ...LINES, ...below]);
        expect(applyQuickFix(view, rewrite, above.length + 2)).toBe(true);
        expect(text()).toEqual([...above, ...AFTER, ...below]);
      }),
    );
  });

  it('is refused, and changes nothing, where any of the lines reads otherwise', () => {
    for (const line of [2, 3, 4, 5]) {
      const changed = LINES.map((text, at) => (at + 1 === line ? `${text} ` : text));
      const { view, text } = editor(changed);
      expect(applyQuickFix(view, rewrite, 2)).toBe(false);
      expect(text()).toEqual(changed);
    }
    expect(applyQuickFix(editor(LINES.slice(0, 3)).view, rewrite, 2)).toBe(false);
  });

  it('counts columns in characters, of which some take two units', () => {
    const line = 's = "😀"; n = int(x.sum())';
    const fix = { ...warning.fix!, line: 1, end_line: 1, column: 13, end_column: 25, text: 'x.sum()' };
    const found = quickFixEdit({ ...warning, fix }, new Map([[1, line]]), 1)!;
    expect(found.after).toEqual(['s = "😀"; n = x.sum()']);
  });

  it('is none where the document does not hold the lines', () => {
    expect(quickFixEdit(warning, new Map([[2, LINES[1]]]), 2)).toBeNull();
  });
});
