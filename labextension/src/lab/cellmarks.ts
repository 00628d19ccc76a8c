/** Hints at the ends of traced lines, their hover, and the squiggles of one cell's editor. */

import { setDiagnostics, type Diagnostic } from '@codemirror/lint';
import {
  RangeSet,
  StateEffect,
  StateField,
  type EditorState,
  type Extension,
  type Range,
} from '@codemirror/state';
import { Decoration, EditorView, hoverTooltip, WidgetType, type DecorationSet } from '@codemirror/view';
import { offsetIn, type CellTrace, type CellWarning, type TracedLine } from './celllines';

export interface Words {
  stale: string;
  frozen: string;
  outputs: string;
  show: string;
  /** What the graph says of the nodes of the cursor's line. */
  lit: string;
  more(count: number): string;
}

export interface Links {
  /** The cursor stands on a line that ran these nodes. */
  light(nodes: number[]): void;
  select(node: number): void;
}

class Hint extends WidgetType {
  constructor(
    readonly text: string,
    readonly stale: string,
  ) {
    super();
  }

  override eq(other: Hint): boolean {
    return other.text === this.text && other.stale === this.stale;
  }

  toDOM(): HTMLElement {
    const node = document.createElement('span');
    node.className = 'tracelab-hint' + (this.stale ? ' tracelab-hint-stale' : '');
    node.textContent = this.text;
    node.title = this.stale;
    // What a screen reader should read is the code.
    node.setAttribute('aria-hidden', 'true');
    return node;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

class Traced extends WidgetType {
  constructor(readonly line: TracedLine) {
    super();
  }

  toDOM(): HTMLElement {
    return document.createElement('span');
  }
}

interface Marks {
  /** Where each traced line is by now: a point at its start, moved along by edits. */
  points: RangeSet<Decoration>;
  shown: DecorationSet;
  lit: number | null;
}

const NONE: Marks = { points: Decoration.none, shown: Decoration.none, lit: null };
const setPoints = StateEffect.define<RangeSet<Decoration>>();
const setLit = StateEffect.define<number | null>();

function lineAt(state: EditorState, marks: Marks, position: number): TracedLine | null {
  const { from, to, text } = state.doc.lineAt(position);
  let found: TracedLine | null = null;
  marks.points.between(from, to, (_from, _to, mark) => {
    const line = (mark.spec as { traced: Traced }).traced.line;
    found = line.text === text ? line : found;
  });
  return found;
}

function draw(state: EditorState, marks: Marks, words: Words): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  marks.points.between(0, state.doc.length, (from, _to, mark) => {
    const { line } = (mark.spec as { traced: Traced }).traced;
    const place = state.doc.lineAt(from);
    if (marks.lit !== null && line.line === marks.lit) {
      ranges.push(Decoration.line({ class: 'tracelab-lit' }).range(place.from));
    }
    if (line.hint !== '') {
      const stale = place.text === line.text ? '' : words.stale;
      ranges.push(Decoration.widget({ widget: new Hint(line.hint, stale), side: 1 }).range(place.to));
    }
  });
  return Decoration.set(ranges, true);
}

function hover(line: TracedLine, words: Words): HTMLElement {
  const node = document.createElement('div');
  node.className = 'tracelab-hover';
  const table = node.appendChild(document.createElement('table'));
  for (const row of line.rows) {
    const cells = table.insertRow();
    row.forEach((text) => (cells.insertCell().textContent = text));
  }
  if (line.more > 0) {
    node.appendChild(document.createElement('div')).textContent = words.more(line.more);
  }
  return node;
}

export class CellMarks {
  private readonly field: StateField<Marks>;
  private readonly extension: Extension;
  private offset = 0;

  constructor(
    private readonly view: EditorView,
    private readonly words: Words,
    private readonly links: Links,
  ) {
    const field = StateField.define<Marks>({
      create: () => NONE,
      update: (before, transaction) => {
        let marks = before;
        if (transaction.docChanged) {
          marks = { ...marks, points: marks.points.map(transaction.changes) };
        }
        for (const effect of transaction.effects) {
          if (effect.is(setPoints)) {
            marks = { ...marks, points: effect.value };
          } else if (effect.is(setLit)) {
            marks = { ...marks, lit: effect.value };
          }
        }
        return marks === before ? before : { ...marks, shown: draw(transaction.state, marks, words) };
      },
      provide: (from) => EditorView.decorations.from(from, (marks) => marks.shown),
    });
    this.field = field;
    this.extension = [
      field,
      hoverTooltip((editor, position) => {
        const line = lineAt(editor.state, editor.state.field(field), position);
        const end = editor.state.doc.lineAt(position).to;
        // On the hint, not on the code: there other extensions have their say.
        return line === null || line.hint === '' || position < end
          ? null
          : { pos: end, create: () => ({ dom: hover(line, words) }) };
      }),
      EditorView.updateListener.of((update) => {
        if (update.selectionSet && update.view.hasFocus) {
          const line = lineAt(update.state, update.state.field(field), update.state.selection.main.head);
          this.links.light(line?.nodes ?? []);
        }
      }),
    ];
  }

  /** Shows what a trace says; null takes everything away. */
  show(trace: CellTrace | null, hints: boolean): void {
    const { state } = this.view;
    const text = state.doc.toString().split('\n');
    const offset = trace === null ? null : offsetIn(trace, text);
    if (trace === null || offset === null) {
      if (this.attached) {
        this.view.dispatch({ effects: setPoints.of(Decoration.none) });
        this.view.dispatch(setDiagnostics(this.view.state, []));
      }
      return;
    }
    if (!this.attached) {
      this.view.dispatch({ effects: StateEffect.appendConfig.of(this.extension) });
    }
    this.offset = offset;
    const ranges = trace.lines
      .filter(({ line }) => line + offset <= state.doc.lines)
      .map((line) => {
        // Without hints the cursor still leads to the graph, and a node to its line.
        const traced = new Traced(hints ? line : { ...line, hint: '' });
        return Decoration.widget({ widget: traced, traced, side: -1 }).range(
          state.doc.line(line.line + offset).from,
        );
      });
    this.view.dispatch({ effects: setPoints.of(RangeSet.of(ranges, true)) });
    const found = trace.warnings.flatMap((warning) => this.diagnostic(warning));
    this.view.dispatch(setDiagnostics(this.view.state, found));
  }

  /** Lights the line that a node stands on. */
  light(line: number | null): void {
    if (this.attached) {
      this.view.dispatch({ effects: setLit.of(line) });
    }
  }

  private get attached(): boolean {
    return this.view.state.field(this.field, false) !== undefined;
  }

  private diagnostic(at: CellWarning): Diagnostic[] {
    const { doc } = this.view.state;
    const [first, last] = [at.line + this.offset, at.endLine + this.offset];
    if (last > doc.lines || doc.line(first).text !== at.text) {
      return [];
    }
    const from = Math.min(doc.line(first).from + at.column, doc.line(first).to);
    const to = Math.min(doc.line(last).from + at.endColumn, doc.line(last).to);
    const { warning } = at;
    const parts = [warning.message];
    if (warning.value !== '') {
      parts.push(`${this.words.frozen} ${warning.value}`);
    }
    if (at.outputs.length > 0) {
      parts.push(`${this.words.outputs} ${at.outputs.join(', ')}`);
    }
    if (warning.answer) {
      parts.push(warning.answer);
    }
    return [
      {
        from,
        to: Math.max(from, to),
        severity: 'warning',
        source: 'tracelab',
        message: parts.join('\n'),
        renderMessage() {
          const node = document.createElement('div');
          node.className = 'tracelab-warning';
          node.textContent = parts.join('\n');
          return node;
        },
        actions:
          warning.node < 0 ? [] : [{ name: this.words.show, apply: () => this.links.select(warning.node) }],
      },
    ];
  }
}
