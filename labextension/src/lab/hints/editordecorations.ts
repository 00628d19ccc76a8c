/** The decorations of one cell's editor: hints at the ends of traced lines, their hover, diagnostics, the highlighted line. */

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
import { mapThroughChanges, isUnchanged, trackLine, type LineText, type TrackedLine } from './trackedlines';
import { Hint, hoverOf, type HoverTexts } from './hint';
import { applyQuickFix } from '../quickfix/quickfix';
import type { TraceGraph, CellAnnotations, PlacedLine, PlacedDiagnostic } from './cellannotations';
import { actionsFor, messageParts, renderDiagnostic, type DiagnosticTexts } from './diagnostics';

export interface DecorationTexts {
  stale: string;
  hover: HoverTexts;
  warning: DiagnosticTexts;
}

/** The settings: what may be shown. */
export interface HintSettings {
  shapeHints: boolean;
  diagnostics: boolean;
  syncSelection: boolean;
}

type TrackedHint = TrackedLine<PlacedLine> & { layer: CellAnnotations };
type TrackedDiagnostic = TrackedLine<PlacedDiagnostic> & { layer: CellAnnotations };

interface HighlightedLine {
  file: number;
  /** As the trace counts. */
  line: number;
}

interface DecorationState {
  lines: readonly TrackedHint[];
  warnings: readonly TrackedDiagnostic[];
  highlighted: ReadonlyMap<CellTrace, HighlightedLine>;
  hints: boolean;
  shown: DecorationSet;
}

/** A diagnostic that knows what it is of. */
interface WarningDiagnostic extends Diagnostic {
  anchor: PlacedDiagnostic;
}

const NONE: DecorationState = {
  lines: [],
  warnings: [],
  highlighted: new Map(),
  hints: false,
  shown: Decoration.none,
};
const setDecorations = StateEffect.define<Partial<DecorationState>>();

/** Tracked lines by the line on which they are now; those of the latest trace last. */
function byLine(doc: Text, points: readonly TrackedHint[]): Map<number, TrackedHint[]> {
  const found = new Map<number, TrackedHint[]>();
  for (const point of points) {
    const { from } = doc.lineAt(point.at);
    found.set(from, [...(found.get(from) ?? []), point]);
  }
  return found;
}

function draw({ doc }: EditorState, decorations: DecorationState, staleText: string): DecorationSet {
  const ranges: Range<Decoration>[] = [];
  for (const [from, points] of byLine(doc, decorations.lines)) {
    const fresh = points.filter((point) => isUnchanged(doc, point));
    const isHighlighted = ({ layer, anchor }: TrackedHint): boolean => {
      const at = decorations.highlighted.get(layer.trace);
      return at?.file === anchor.file && at.line === anchor.line.last;
    };
    if (fresh.some(isHighlighted)) {
      ranges.push(Decoration.line({ class: 'tracelab-highlighted' }).range(from));
    }
    const stale = fresh.length === 0;
    const { hint } = (stale ? points : fresh)[(stale ? points : fresh).length - 1].anchor.line;
    if (decorations.hints && hint !== '') {
      const widget = new Hint(hint, stale ? staleText : '');
      ranges.push(Decoration.widget({ widget, side: 1 }).range(doc.lineAt(from).to));
    }
  }
  return Decoration.set(ranges, true);
}

/** What the notebook does for the decorations of a cell. */
export interface EditorHost {
  /** A menu was asked for at a place in the text. */
  onMenu(position: number): void;
  /** Runs an edit as an undo step of its own. */
  edit(run: () => boolean): boolean;
  /** Shows a message. */
  notify(text: string): void;
}

export class EditorDecorations {
  private readonly field: StateField<DecorationState>;
  private readonly extension: Extension;
  private settings: HintSettings = { shapeHints: true, diagnostics: true, syncSelection: true };
  /** The graphs that the cursor highlighted. */
  private highlighting = new Set<TraceGraph>();
  private annotations: CellAnnotations[] = [];

  constructor(
    readonly view: EditorView,
    private readonly texts: DecorationTexts,
    private readonly host: EditorHost,
  ) {
    const field = StateField.define<DecorationState>({
      create: () => NONE,
      update: (before, { docChanged, changes, state, effects }) => {
        let after = before;
        if (docChanged) {
          const lines = mapThroughChanges(after.lines, changes, state.doc) as TrackedHint[];
          const warnings = mapThroughChanges(after.warnings, changes, state.doc) as TrackedDiagnostic[];
          after = { ...after, lines, warnings };
        }
        for (const effect of effects) {
          if (effect.is(setDecorations)) {
            after = { ...after, ...effect.value };
          }
        }
        return after === before ? before : { ...after, shown: draw(state, after, texts.stale) };
      },
      provide: (from) => EditorView.decorations.from(from, ({ shown }) => shown),
    });
    // The notebook prevents the browser's menu, and so CodeMirror does not hear of it.
    view.dom.addEventListener('contextmenu', ({ clientX: x, clientY: y }) =>
      host.onMenu(view.posAtCoords({ x, y }, false)),
    );
    this.field = field;
    this.extension = [
      field,
      hoverTooltip((editor, position) => {
        const { to } = editor.state.doc.lineAt(position);
        const points = this.settings.shapeHints ? this.unchangedAt(position) : [];
        const point = points.filter(({ at }) => at === to).pop();
        // On the hint, not on the code, which belongs to other extensions.
        return point === undefined || point.anchor.line.hint === '' || position < to
          ? null
          : {
              pos: to,
              create: () => ({
                dom: hoverOf(point.layer.trace, point.anchor.line, point.layer.graph.lastRun(), texts.hover),
              }),
            };
      }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged && this.cameBack(update.startState)) {
          // An update must not begin another.
          queueMicrotask(() => this.diagnose());
        }
        if ((update.selectionSet || update.focusChanged) && update.view.hasFocus) {
          this.highlightGraphs();
        }
      }),
    ];
  }

  /** Shows what traces say, the latest last; none: takes everything away. */
  show(layers: CellAnnotations[], settings: HintSettings): void {
    this.annotations = layers;
    this.settings = settings;
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
    const placed = <
      A extends LineText & { at: number },
      P extends TrackedLine<A> & { layer: CellAnnotations },
    >(
      layer: CellAnnotations,
      anchors: readonly A[],
      known: readonly P[],
    ): P[] =>
      anchors.flatMap((anchor) => {
        const old = known.find((point) => point.anchor === anchor);
        const point = old ?? trackLine(doc, anchor, anchor.at);
        return point === null ? [] : [{ ...point, layer } as P];
      });
    const lines = layers.flatMap((layer) =>
      placed<PlacedLine, TrackedHint>(layer, layer.lines, before.lines),
    );
    const warnings = layers.flatMap((layer) =>
      placed<PlacedDiagnostic, TrackedDiagnostic>(layer, layer.warnings, before.warnings),
    );
    const traces = new Set(layers.map(({ trace }) => trace));
    const highlighted = new Map(
      [...before.highlighted].filter(([trace]) => settings.syncSelection && traces.has(trace)),
    );
    this.view.dispatch({
      effects: setDecorations.of({ lines, warnings, highlighted, hints: settings.shapeHints }),
    });
    this.diagnose();
    if (!settings.syncSelection) {
      this.clearHighlights();
    }
  }

  /** Highlights a line of a trace; null: clears the highlight of that trace. */
  highlightLine(trace: CellTrace, line: HighlightedLine | null): void {
    if (!this.attached || !this.settings.syncSelection) {
      return;
    }
    const { highlighted: before } = this.view.state.field(this.field);
    if (line === null && !before.has(trace)) {
      return;
    }
    const highlighted = new Map(before);
    if (line === null) {
      highlighted.delete(trace);
    } else {
      highlighted.set(trace, line);
    }
    this.view.dispatch({ effects: setDecorations.of({ highlighted }) });
  }

  /** What ran on the line of a position, or of the cursor; the latest trace last. Nothing where it was edited. */
  linesAt(position = this.view.state.selection.main.head): { layer: CellAnnotations; line: TracedLine }[] {
    return this.unchangedAt(position).map(({ layer, anchor }) => ({ layer, line: anchor.line }));
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

  private unchangedAt(position: number): TrackedHint[] {
    if (!this.attached) {
      return [];
    }
    const { doc } = this.view.state;
    const { number } = doc.lineAt(position);
    // A statement over several lines is one place; of statements within each other it is the innermost.
    const found = new Map<CellAnnotations, TrackedHint>();
    for (const point of this.view.state.field(this.field).lines) {
      const last = doc.lineAt(point.at).number;
      const { length } = point.anchor.texts;
      const best = found.get(point.layer)?.anchor.texts.length ?? Infinity;
      if (number <= last && number > last - length && length < best && isUnchanged(doc, point)) {
        found.set(point.layer, { ...point, at: doc.line(last).to });
      }
    }
    return [...found.values()];
  }

  private highlightGraphs(): void {
    if (!this.settings.syncSelection) {
      return;
    }
    const highlighted = new Set<TraceGraph>();
    for (const { layer, line } of this.linesAt()) {
      highlighted.add(layer.graph);
      layer.graph.highlight(line.nodes);
    }
    this.annotations.forEach(
      ({ graph }) => this.highlighting.has(graph) && !highlighted.has(graph) && graph.highlight([]),
    );
    this.highlighting = highlighted;
  }

  private clearHighlights(): void {
    this.highlighting.forEach((graph) => graph.highlight([]));
    this.highlighting.clear();
  }

  /** Whether the lines of a warning are again as traced: its underline may have been lost with the text. */
  private cameBack(before: EditorState): boolean {
    const { doc } = this.view.state;
    const were = before.field(this.field).warnings;
    return this.view.state
      .field(this.field)
      .warnings.some((point, at) => isUnchanged(doc, point) && !isUnchanged(before.doc, were[at]));
  }

  private diagnose(): void {
    const { doc } = this.view.state;
    const known = new Map<PlacedDiagnostic, { from: number; to: number }>();
    forEachDiagnostic(this.view.state, (found, from, to) =>
      known.set((found as WarningDiagnostic).anchor, { from, to }),
    );
    const points = this.settings.diagnostics ? this.view.state.field(this.field).warnings : [];
    const found = points.flatMap((point): WarningDiagnostic[] => {
      // Where the line was edited since, the underline stays with what is left of it.
      const range = isUnchanged(doc, point) ? rangeOf(doc, point) : known.get(point.anchor);
      return range === undefined ? [] : [this.diagnostic(point, range)];
    });
    if (found.length > 0 || known.size > 0) {
      this.view.dispatch(setDiagnostics(this.view.state, found));
    }
  }

  private applyFix(anchor: PlacedDiagnostic): void {
    const { doc } = this.view.state;
    const point = this.view.state.field(this.field).warnings.find((other) => other.anchor === anchor);
    const done =
      point !== undefined &&
      anchor.rewrite !== null &&
      this.host.edit(() => applyQuickFix(this.view, anchor.rewrite!, doc.lineAt(point.at).number));
    if (!done) {
      this.host.notify(this.texts.warning.changed);
    }
  }

  private diagnostic(point: TrackedDiagnostic, range: { from: number; to: number }): WarningDiagnostic {
    const { layer, anchor } = point;
    const texts = this.texts.warning;
    const parts = messageParts(anchor.warning, texts);
    return {
      ...range,
      severity: 'warning',
      source: 'tracelab',
      anchor,
      message: parts.join('\n'),
      renderMessage: () => renderDiagnostic(anchor, parts),
      actions: actionsFor(anchor, layer.graph, texts, () => this.applyFix(anchor)),
    };
  }
}

/** The exact columns of a warning whose lines read as they did. */
function rangeOf(doc: Text, { anchor, at }: TrackedDiagnostic): { from: number; to: number } {
  const last = doc.lineAt(at);
  const first = doc.line(last.number - anchor.texts.length + 1);
  // What the trace counted from stands behind `%trace` on a line of its own.
  const unit = (text: string, column: number): number =>
    anchor.shift + unitOf(text.slice(anchor.shift), column);
  const from = Math.min(first.from + unit(first.text, anchor.place.column), first.to);
  const to = Math.min(last.from + unit(last.text, anchor.place.endColumn), last.to);
  return { from, to: Math.max(from, to) };
}
