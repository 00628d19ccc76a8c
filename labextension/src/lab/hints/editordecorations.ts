/** What stands in one cell's editor: hints at the ends of traced lines, their hover, squiggles, and the lit line. */

import { forEachDiagnostic, setDiagnostics, type Diagnostic } from '@codemirror/lint';
import {
  StateEffect,
  StateField,
  type EditorState,
  type Extension,
  type Range,
  type Text,
} from '@codemirror/state';
import { Decoration, EditorView, hoverTooltip, type DecorationSet } from '@codemirror/view';
import { unitOf, type CellTrace, type TracedLine } from '../celltrace';
import { follow, isFresh, pointAt, type Anchor, type Point } from './textanchors';
import { Hint, hoverOf, type HoverWords } from './hint';
import { applyRewrite } from '../quickfix/quickfix';
import type { Graph, Layer, PlacedLine, PlacedWarning } from './placed';
import { actionsFor, messageParts, renderWarning, type WarningWords } from './diagnostics';

export interface Words {
  stale: string;
  hover: HoverWords;
  warning: WarningWords;
}

/** What may be shown: the settings. */
export interface Wanted {
  shapeHints: boolean;
  squiggles: boolean;
  links: boolean;
}

type LinePoint = Point<PlacedLine> & { layer: Layer };
type WarningPoint = Point<PlacedWarning> & { layer: Layer };

interface LitLine {
  file: number;
  /** As the trace counts. */
  line: number;
}

interface Marks {
  lines: readonly LinePoint[];
  warnings: readonly WarningPoint[];
  lit: ReadonlyMap<CellTrace, LitLine>;
  hints: boolean;
  shown: DecorationSet;
}

/** A diagnostic that knows what it is of. */
interface WarningDiagnostic extends Diagnostic {
  anchor: PlacedWarning;
}

const NONE: Marks = { lines: [], warnings: [], lit: new Map(), hints: false, shown: Decoration.none };
const setMarks = StateEffect.define<Partial<Marks>>();

/** Points by the line on which they stand; those of the latest trace last. */
function byLine(doc: Text, points: readonly LinePoint[]): Map<number, LinePoint[]> {
  const found = new Map<number, LinePoint[]>();
  for (const point of points) {
    const { from } = doc.lineAt(point.at);
    found.set(from, [...(found.get(from) ?? []), point]);
  }
  return found;
}

function draw(state: EditorState, marks: Marks, staleText: string): DecorationSet {
  const { doc } = state;
  const ranges: Range<Decoration>[] = [];
  for (const [from, points] of byLine(doc, marks.lines)) {
    const fresh = points.filter((point) => isFresh(doc, point));
    const isLit = ({ layer, anchor }: LinePoint): boolean => {
      const at = marks.lit.get(layer.trace);
      return at?.file === anchor.file && at.line === anchor.line.last;
    };
    if (fresh.some(isLit)) {
      ranges.push(Decoration.line({ class: 'tracelab-lit' }).range(from));
    }
    const stale = fresh.length === 0;
    const { hint } = (stale ? points : fresh)[(stale ? points : fresh).length - 1].anchor.line;
    if (marks.hints && hint !== '') {
      const widget = new Hint(hint, stale ? staleText : '');
      ranges.push(Decoration.widget({ widget, side: 1 }).range(doc.lineAt(from).to));
    }
  }
  return Decoration.set(ranges, true);
}

/** What the notebook does for the marks of a cell. */
export interface Hosts {
  /** A menu was asked for at a place in the text. */
  onMenu(position: number): void;
  /** Runs an edit that is undone by itself. */
  edit(run: () => boolean): boolean;
  /** Says one sentence to the person. */
  say(text: string): void;
}

export class CellMarks {
  private readonly field: StateField<Marks>;
  private readonly extension: Extension;
  private wanted: Wanted = { shapeHints: true, squiggles: true, links: true };
  /** The graphs that the cursor lit. */
  private lighting = new Set<Graph>();
  private layers: Layer[] = [];

  constructor(
    readonly view: EditorView,
    private readonly words: Words,
    private readonly hosts: Hosts,
  ) {
    const field = StateField.define<Marks>({
      create: () => NONE,
      update: (before, { docChanged, changes, state, effects }) => {
        let marks = before;
        if (docChanged) {
          const lines = follow(marks.lines, changes, state.doc) as LinePoint[];
          marks = { ...marks, lines, warnings: follow(marks.warnings, changes, state.doc) as WarningPoint[] };
        }
        for (const effect of effects) {
          if (effect.is(setMarks)) {
            marks = { ...marks, ...effect.value };
          }
        }
        return marks === before ? before : { ...marks, shown: draw(state, marks, words.stale) };
      },
      provide: (from) => EditorView.decorations.from(from, (marks) => marks.shown),
    });
    // The notebook prevents the browser's menu, and so CodeMirror does not hear of it.
    view.dom.addEventListener('contextmenu', ({ clientX: x, clientY: y }) =>
      hosts.onMenu(view.posAtCoords({ x, y }, false)),
    );
    this.field = field;
    this.extension = [
      field,
      hoverTooltip((editor, position) => {
        const { to } = editor.state.doc.lineAt(position);
        const points = this.wanted.shapeHints ? this.freshAt(position) : [];
        const point = points.filter(({ at }) => at === to).pop();
        // On the hint, not on the code: there other extensions have their say.
        return point === undefined || point.anchor.line.hint === '' || position < to
          ? null
          : {
              pos: to,
              create: () => ({
                dom: hoverOf(
                  point.layer.trace.view,
                  point.anchor.line,
                  point.layer.graph.lastRun(),
                  words.hover,
                ),
              }),
            };
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && this.cameBack(update.startState)) {
          // An update must not begin another.
          queueMicrotask(() => this.diagnose());
        }
        if ((update.selectionSet || update.focusChanged) && update.view.hasFocus) {
          this.lightGraphs();
        }
      }),
    ];
  }

  /** Shows what traces say, the latest last; none: takes everything away. */
  show(layers: Layer[], wanted: Wanted): void {
    this.layers = layers;
    this.wanted = wanted;
    if (layers.length === 0 && !this.attached) {
      // An editor in which nothing was traced is left as it is.
      return;
    }
    if (!this.attached) {
      this.view.dispatch({ effects: StateEffect.appendConfig.of(this.extension) });
    }
    const { doc } = this.view.state;
    const before = this.view.state.field(this.field);
    // What is shown already stays where edits have taken it.
    const placed = <A extends Anchor & { at: number }, P extends Point<A> & { layer: Layer }>(
      layer: Layer,
      anchors: readonly A[],
      known: readonly P[],
    ): P[] =>
      anchors.flatMap((anchor) => {
        const old = known.find((point) => point.anchor === anchor);
        const point = old ?? pointAt(doc, anchor, anchor.at);
        return point === null ? [] : [{ ...point, layer } as P];
      });
    const lines = layers.flatMap((layer) => placed<PlacedLine, LinePoint>(layer, layer.lines, before.lines));
    const warnings = layers.flatMap((layer) =>
      placed<PlacedWarning, WarningPoint>(layer, layer.warnings, before.warnings),
    );
    const traces = new Set(layers.map(({ trace }) => trace));
    const lit = new Map([...before.lit].filter(([trace]) => wanted.links && traces.has(trace)));
    this.view.dispatch({ effects: setMarks.of({ lines, warnings, lit, hints: wanted.shapeHints }) });
    this.diagnose();
    if (!wanted.links) {
      this.darken();
    }
  }

  /** Lights a line of a trace; null: none of that trace's. */
  light(trace: CellTrace, line: LitLine | null): void {
    if (!this.attached || !this.wanted.links) {
      return;
    }
    const { lit: before } = this.view.state.field(this.field);
    if (line === null && !before.has(trace)) {
      return;
    }
    const lit = new Map(before);
    if (line === null) {
      lit.delete(trace);
    } else {
      lit.set(trace, line);
    }
    this.view.dispatch({ effects: setMarks.of({ lit }) });
  }

  /** What ran on the line of a position, or of the cursor; the latest trace last. Nothing where it was edited. */
  ranAt(position = this.view.state.selection.main.head): { layer: Layer; line: TracedLine }[] {
    return this.freshAt(position).map(({ layer, anchor }) => ({ layer, line: anchor.line }));
  }

  /** Where a line of a trace stands now, as an offset in the text; null where it does not. */
  positionOf(trace: CellTrace, file: number, line: number, column: number): number | null {
    const { doc } = this.view.state;
    const points = this.attached ? this.view.state.field(this.field).lines : [];
    const point = points.find(
      ({ layer, anchor }) =>
        layer.trace === trace &&
        anchor.file === file &&
        anchor.line.first <= line &&
        anchor.line.last >= line,
    );
    if (point === undefined) {
      return null;
    }
    const number = doc.lineAt(point.at).number - (point.anchor.line.last - line);
    const { from, to } = doc.line(Math.max(1, number));
    return Math.min(to, from + column + point.anchor.shift);
  }

  private get attached(): boolean {
    return this.view.state.field(this.field, false) !== undefined;
  }

  private freshAt(position: number): LinePoint[] {
    if (!this.attached) {
      return [];
    }
    const { doc } = this.view.state;
    const { number } = doc.lineAt(position);
    // A statement over several lines is one place; of statements within each other it is the innermost.
    const found = new Map<Layer, LinePoint>();
    for (const point of this.view.state.field(this.field).lines) {
      const last = doc.lineAt(point.at).number;
      const { length } = point.anchor.texts;
      const best = found.get(point.layer)?.anchor.texts.length ?? Infinity;
      if (number <= last && number > last - length && length < best && isFresh(doc, point)) {
        found.set(point.layer, { ...point, at: doc.line(last).to });
      }
    }
    return [...found.values()];
  }

  private lightGraphs(): void {
    if (!this.wanted.links) {
      return;
    }
    const lit = new Set<Graph>();
    for (const { layer, line } of this.ranAt()) {
      lit.add(layer.graph);
      layer.graph.light(line.nodes);
    }
    this.layers.forEach(({ graph }) => this.lighting.has(graph) && !lit.has(graph) && graph.light([]));
    this.lighting = lit;
  }

  private darken(): void {
    this.lighting.forEach((graph) => graph.light([]));
    this.lighting.clear();
  }

  /** Whether a warning's lines read as they did again: its squiggle may have been lost with the text. */
  private cameBack(before: EditorState): boolean {
    const { doc } = this.view.state;
    const were = before.field(this.field).warnings;
    return this.view.state
      .field(this.field)
      .warnings.some((point, at) => isFresh(doc, point) && !isFresh(before.doc, were[at]));
  }

  private diagnose(): void {
    const { doc } = this.view.state;
    const known = new Map<PlacedWarning, { from: number; to: number }>();
    forEachDiagnostic(this.view.state, (found, from, to) =>
      known.set((found as WarningDiagnostic).anchor, { from, to }),
    );
    const points = this.wanted.squiggles ? this.view.state.field(this.field).warnings : [];
    const found = points.flatMap((point): WarningDiagnostic[] => {
      // Where the line was edited since, the squiggle stays with what is left of it.
      const range = isFresh(doc, point) ? rangeOf(doc, point) : known.get(point.anchor);
      return range === undefined ? [] : [this.diagnostic(point, range)];
    });
    if (found.length > 0 || known.size > 0) {
      this.view.dispatch(setDiagnostics(this.view.state, found));
    }
  }

  private mend(anchor: PlacedWarning): void {
    const { doc } = this.view.state;
    const point = this.view.state.field(this.field).warnings.find((other) => other.anchor === anchor);
    const done =
      point !== undefined &&
      anchor.rewrite !== null &&
      this.hosts.edit(() => applyRewrite(this.view, anchor.rewrite!, doc.lineAt(point.at).number));
    if (!done) {
      this.hosts.say(this.words.warning.changed);
    }
  }

  private diagnostic(point: WarningPoint, range: { from: number; to: number }): WarningDiagnostic {
    const { layer, anchor } = point;
    const words = this.words.warning;
    const parts = messageParts(anchor.warning, words);
    return {
      ...range,
      severity: 'warning',
      source: 'tracelab',
      anchor,
      message: parts.join('\n'),
      renderMessage: () => renderWarning(anchor, parts),
      actions: actionsFor(anchor, layer.graph, words, () => this.mend(anchor)),
    };
  }
}

/** The exact columns of a warning whose lines read as they did. */
function rangeOf(doc: Text, { anchor, at }: WarningPoint): { from: number; to: number } {
  const last = doc.lineAt(at);
  const first = doc.line(last.number - anchor.texts.length + 1);
  // What the trace counted from stands behind `%trace` on a line of its own.
  const unit = (text: string, column: number): number =>
    anchor.shift + unitOf(text.slice(anchor.shift), column);
  const from = Math.min(first.from + unit(first.text, anchor.place.column), first.to);
  const to = Math.min(last.from + unit(last.text, anchor.place.endColumn), last.to);
  return { from, to: Math.max(from, to) };
}
