/**
 * Follows the cells of one notebook: what a trace in an output says is shown in the cells that it ran through, and
 * what is selected in its graph is highlighted there. Cells without a trace are left alone.
 */

import type { Cell, CodeCell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { IOutputModel } from '@jupyterlab/rendermime';
import type { EditorView } from '@codemirror/view';
import type { Explorer } from '../../explorer/explorer';
import { MIME_TYPE, type ViewDocument } from '../../protocol/viewdocument';
import { readDocument } from '../../protocol/validate';
import { cellTrace, linesOf, nameSizes, type CellTrace } from '../celltrace';
import { EditorDecorations, type HintSettings, type DecorationTexts } from './editordecorations';
import type { CellAnnotations } from './cellannotations';
import { outputGraph, type OutputGraph } from './outputgraph';
import { annotationsOf, matchFile, type CellText, type CellMatch } from './cellmatching';

export interface HintTexts extends DecorationTexts {
  /** The reason of a highlight in the graph. */
  highlighted: string;
  toSource: string;
  /** A link of a table leads to a graph that no output shows. */
  notShown: (name: string) => string;
}

/** One trace in an output, as the notebook shows it. */
export interface ShownTrace {
  trace: CellTrace;
  state: CellState;
  graph: OutputGraph;
  /** Traces that came later stand over those that came before. */
  rank: number;
  /** By file of the trace. */
  matches: Map<number, CellMatch<CellState>>;
  /** The node whose lines are highlighted. */
  selected: number;
}

/** A code cell and what is known of it. */
export class CellState implements CellText {
  decorations: EditorDecorations | null = null;
  shown: ShownTrace[] = [];
  watcher: MutationObserver | null = null;
  /** Nothing of the cell reads as it did: as soon as it does, its trace is shown. */
  lost = false;

  constructor(readonly cell: CodeCell) {}

  get count(): number | null {
    return this.cell.model.executionCount ?? null;
  }

  lines(): readonly string[] {
    return this.cell.model.sharedModel.getSource().split('\n');
  }

  get running(): boolean {
    return this.cell.node.querySelector('.jp-InputPrompt')?.textContent?.includes('*') ?? false;
  }

  /** Null while the cell was never on the screen. */
  get editor(): EditorView | null {
    return (this.cell.editor as { editor?: EditorView } | null)?.editor ?? null;
  }
}

/** Null for what cannot be shown: the output says why. */
function readTrace(output: IOutputModel): CellTrace | null {
  if (output.type !== 'display_data' && output.type !== 'execute_result') {
    return null;
  }
  const document = output.data[MIME_TYPE];
  try {
    return document === undefined ? null : cellTrace(readDocument(document));
  } catch {
    return null;
  }
}

/** What the links of tables begin with: `Cell.selects` in Python. */
const LINK = '#tracelab:';

/** Whether a graph has the value (`%relu.1`) or the module (`layer1.0`) of a link. */
function holds({ strings, values, scopes }: ViewDocument, what: string): boolean {
  const [names, name] = what.startsWith('%')
    ? [values.name, what.slice(1)]
    : [scopes.name, what.slice(what.lastIndexOf('.') + 1)];
  const at = strings.indexOf(name);
  return at >= 0 && names.includes(at);
}

/** Runs once for all calls of one task. */
function batched(run: () => void): () => void {
  let asked = false;
  return () => {
    if (!asked) {
      asked = true;
      queueMicrotask(() => {
        asked = false;
        run();
      });
    }
  };
}

export class NotebookFollower {
  private readonly cells = new Map<Cell, CellState>();
  /** What each output was found to hold. */
  private readonly read = new WeakMap<IOutputModel, ShownTrace | null>();
  private readonly offered = new WeakSet<Explorer>();
  /** Where a menu was last asked for. */
  menu: { cell: Cell; position: number } | null = null;
  private arrived = 0;
  private readonly scheduleTracking = batched(() => !this.panel.isDisposed && this.trackCells());
  private readonly scheduleMatching = batched(() => !this.panel.isDisposed && this.matchCells());

  constructor(
    readonly panel: NotebookPanel,
    private readonly texts: HintTexts,
    private readonly settings: () => HintSettings,
    private readonly toSource: (shown: ShownTrace, node: number) => void,
    private readonly notify: (text: string) => void,
  ) {
    const connect = (): void => {
      panel.content.model?.cells.changed.connect(this.scheduleTracking);
      this.scheduleTracking();
    };
    panel.content.modelChanged.connect(connect);
    NotebookActions.executed.connect(this.onExecuted, this);
    panel.node.addEventListener('click', (event) => this.followLink(event), true);
    panel.disposed.connect(() => NotebookActions.executed.disconnect(this.onExecuted, this));
    connect();
  }

  /** Applies the settings as they are now. */
  refresh(): void {
    this.show();
    this.traces().forEach((shown) => this.followSelection(shown, true));
  }

  /** The traces that a cell's outputs hold, in their order. */
  tracesOf(cell: Cell | null): readonly ShownTrace[] {
    return (cell && this.cells.get(cell)?.shown) ?? [];
  }

  decorationsOf(cell: Cell | null): EditorDecorations | null {
    return (cell && this.cells.get(cell)?.decorations) ?? null;
  }

  /** The trace that a graph is of. */
  shownOf(graph: unknown): ShownTrace | undefined {
    return this.traces().find((shown) => shown.graph === graph);
  }

  /** The trace in whose picture an element of the page lies. */
  traceAround(node: Element | null): ShownTrace | undefined {
    return node === null ? undefined : this.traces().find(({ graph }) => graph.host?.contains(node));
  }

  /** All traces, the latest last. */
  traces(): ShownTrace[] {
    return [...this.cells.values()].flatMap(({ shown }) => shown).sort((a, b) => a.rank - b.rank);
  }

  /** A link in a table of results selects what it names in the picture next above it that holds it. */
  private followLink(event: Event): void {
    const link = (event.target as Element | null)?.closest?.(`a[href^="${LINK}"]`);
    if (!link) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const what = decodeURIComponent(link.getAttribute('href')!.slice(LINK.length));
    const cells = this.panel.content.widgets;
    const place = ({ state }: ShownTrace): number => cells.indexOf(state.cell);
    const here = cells.findIndex((cell) => cell.node.contains(link));
    const found = this.traces()
      .filter(({ trace }) => holds(trace.view, what))
      .sort((a, b) => place(a) - place(b));
    const shown = found.filter((each) => place(each) <= here).pop() ?? found[0];
    if (shown === undefined) {
      this.notify(this.texts.notShown(what));
    } else {
      shown.graph.select(what);
    }
  }

  private onExecuted(_: unknown, { cell }: { cell: Cell }): void {
    const state = this.cells.get(cell);
    if (state !== undefined) {
      this.collect(state, true);
    }
  }

  private trackCells(): void {
    const cells = new Set<Cell>(this.panel.content.widgets);
    for (const [cell, state] of this.cells) {
      if (!cells.has(cell) || cell.isDisposed) {
        state.watcher?.disconnect();
        this.cells.delete(cell);
        this.scheduleMatching();
      }
    }
    for (const cell of cells) {
      if (cell.model.type === 'code' && !this.cells.has(cell)) {
        const state = new CellState(cell as CodeCell);
        this.cells.set(cell, state);
        state.cell.model.outputs.changed.connect(() => this.collect(state, false));
        state.cell.model.contentChanged.connect(() => state.lost && this.scheduleMatching());
        this.collect(state, true);
        // It may be the cell that a trace ran through: moved, or brought back.
        this.scheduleMatching();
      }
    }
  }

  /** Reads a cell's outputs. While it runs again it has none: what was stays until it has ended or a trace comes. */
  private collect(state: CellState, ended: boolean): void {
    const before = state.shown;
    const now = this.outputsOf(state);
    if (now.length === 0 && before.length > 0 && !ended) {
      // Cleared by hand, or about to run.
      window.setTimeout(() => !state.running && this.collect(state, true), 50);
    } else if (now.length !== before.length || now.some((shown, at) => shown !== before[at])) {
      state.shown = now;
      this.watch(state);
      this.scheduleMatching();
    }
  }

  private outputsOf(state: CellState): ShownTrace[] {
    const { outputs } = state.cell.model;
    const found: ShownTrace[] = [];
    for (let at = 0; at < outputs.length; at++) {
      const output = outputs.get(at);
      let shown = this.read.get(output);
      if (shown === undefined) {
        const trace = readTrace(output);
        const graph = outputGraph(state.cell, output, this.texts.highlighted);
        shown = trace && { trace, state, graph, rank: ++this.arrived, matches: new Map(), selected: -1 };
        this.read.set(output, shown);
      }
      if (shown !== null) {
        found.push(shown);
      }
    }
    return found;
  }

  /** Watches the selection in the pictures of a cell. */
  private watch(state: CellState): void {
    state.watcher?.disconnect();
    state.watcher = null;
    if (state.shown.length > 0) {
      const look = (): void =>
        state.shown.forEach((shown) => {
          this.offer(shown);
          this.followSelection(shown);
          this.followNames(shown);
        });
      state.watcher = new MutationObserver(look);
      state.watcher.observe(state.cell.node, {
        subtree: true,
        attributeFilter: ['data-selected', 'data-tracelab-ready'],
      });
      look();
    }
  }

  /** Adds "Go to source" to the actions of a picture. */
  private offer(shown: ShownTrace): void {
    const { explorer } = shown.graph;
    if (explorer !== null && !this.offered.has(explorer)) {
      this.offered.add(explorer);
      explorer.offer?.({ label: this.texts.toSource, key: 'g', run: (node) => this.toSource(shown, node) });
    }
  }

  /** The hints call sizes as the picture does. */
  private followNames(shown: ShownTrace): void {
    const names = shown.graph.sizeNames();
    if (names !== null && nameSizes(shown.trace, names)) {
      this.scheduleMatching();
    }
  }

  private followSelection(shown: ShownTrace, again = false): void {
    const node = shown.graph.selected;
    if (node === shown.selected && !again) {
      return;
    }
    shown.selected = node;
    const lines = node < 0 ? [] : linesOf(shown.trace, node);
    const cells = new Map<CellState, { file: number; line: number } | null>();
    shown.matches.forEach(({ cell }, file) => {
      const line = lines.find((at) => at.file === file);
      cells.set(cell, line ?? cells.get(cell) ?? null);
    });
    cells.forEach((line, cell) => cell.decorations?.highlightLine(shown.trace, line));
  }

  /** Finds the cells of all traces; what was found stays so while its cell is there. */
  private matchCells(): void {
    const cells = [...this.cells.values()];
    for (const shown of this.traces()) {
      for (const file of shown.trace.files) {
        const link = shown.matches.get(file.file);
        if (link !== undefined && this.cells.get(link.cell.cell) === link.cell) {
          continue;
        }
        const text = file.texts.get(1);
        const before = shown.state.shown.slice(0, shown.state.shown.indexOf(shown));
        const skip = before.filter(({ trace }) =>
          trace.files.some((other) => other.isLineMagic && other.texts.get(1) === text),
        ).length;
        const found = matchFile(shown.trace, file, shown.state, cells, skip);
        if (file.isTracedCell) {
          shown.state.lost = found === null;
        }
        if (found === null) {
          shown.matches.delete(file.file);
        } else {
          shown.matches.set(file.file, found);
        }
      }
    }
    this.refresh();
  }

  private show(): void {
    const layers = new Map<CellState, CellAnnotations[]>();
    for (const shown of this.traces()) {
      annotationsOf(shown.trace, shown.graph, shown.matches).forEach((layer, state) => {
        layers.set(state, [...(layers.get(state) ?? []), layer]);
      });
    }
    for (const state of this.cells.values()) {
      const found = layers.get(state) ?? [];
      if (found.length === 0 && state.decorations === null) {
        continue;
      }
      const { editor } = state;
      if (editor === null) {
        // The cell was never on the screen: its editor comes later.
        void state.cell.ready.then(() => state.editor !== null && this.scheduleMatching());
        continue;
      }
      state.decorations ??= new EditorDecorations(editor, this.texts, {
        onMenu: (position) => {
          this.menu = { cell: state.cell, position };
        },
        edit(run) {
          // Edits that follow each other closely are undone together, unless they are told apart.
          const { undoManager } = state.cell.model.sharedModel as unknown as {
            undoManager?: { stopCapturing(): void } | null;
          };
          undoManager?.stopCapturing();
          const done = run();
          undoManager?.stopCapturing();
          return done;
        },
        notify: this.notify,
      });
      state.decorations.show(found, this.settings());
      state.cell.toggleClass('tracelab-traced', found.length > 0);
    }
  }
}
