/**
 * Follows the cells of one notebook: what a trace in an output says is shown in the cells that it ran through, and
 * what is selected in its graph is lit there. Cells without a trace are left alone.
 */

import type { Cell, CodeCell } from '@jupyterlab/cells';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { IOutputModel } from '@jupyterlab/rendermime';
import type { EditorView } from '@codemirror/view';
import type { Explorer } from '../../explorer/explorer';
import { MIME_TYPE } from '../../protocol/document';
import { readDocument } from '../../protocol/validate';
import { cellTrace, linesOf, type CellTrace } from '../celltrace';
import { CellMarks, type Wanted, type Words } from './editordecorations';
import type { Layer } from './placed';
import { outputGraph, type OutputGraph } from './outputgraph';
import { layersOf, linkFile, type CellText, type Link } from './cellmatching';

export interface FollowWords extends Words {
  /** What the graph says of the nodes of the cursor's line. */
  lit: string;
  toSource: string;
}

/** One trace in an output, as the notebook shows it. */
export interface Shown {
  trace: CellTrace;
  held: Held;
  graph: OutputGraph;
  /** Traces that came later stand over those that came before. */
  rank: number;
  /** By file of the trace. */
  links: Map<number, Link<Held>>;
  /** The node whose lines are lit. */
  selected: number;
}

/** A code cell and what is known of it. */
export class Held implements CellText {
  marks: CellMarks | null = null;
  shown: Shown[] = [];
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

/** Calls back once for all that came in one go. */
function gathered(run: () => void): () => void {
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
  private readonly held = new Map<Cell, Held>();
  /** What each output was found to hold. */
  private readonly read = new WeakMap<IOutputModel, Shown | null>();
  private readonly offered = new WeakSet<Explorer>();
  /** Where a menu was last asked for. */
  menu: { cell: Cell; position: number } | null = null;
  private arrived = 0;
  private readonly adoptSoon = gathered(() => !this.panel.isDisposed && this.adopt());
  private readonly linkSoon = gathered(() => !this.panel.isDisposed && this.link());

  constructor(
    readonly panel: NotebookPanel,
    private readonly words: FollowWords,
    private readonly wanted: () => Wanted,
    private readonly toSource: (shown: Shown, node: number) => void,
    private readonly say: (text: string) => void,
  ) {
    const connect = (): void => {
      panel.content.model?.cells.changed.connect(this.adoptSoon);
      this.adoptSoon();
    };
    panel.content.modelChanged.connect(connect);
    NotebookActions.executed.connect(this.onExecuted, this);
    panel.disposed.connect(() => NotebookActions.executed.disconnect(this.onExecuted, this));
    connect();
  }

  /** Shows what is wanted now. */
  refresh(): void {
    this.show();
    this.traces().forEach((shown) => this.followSelection(shown, true));
  }

  /** The traces that a cell's outputs hold, in their order. */
  tracesOf(cell: Cell | null): readonly Shown[] {
    return (cell && this.held.get(cell)?.shown) ?? [];
  }

  marksOf(cell: Cell | null): CellMarks | null {
    return (cell && this.held.get(cell)?.marks) ?? null;
  }

  /** The trace that a graph is of. */
  shownOf(graph: unknown): Shown | undefined {
    return this.traces().find((shown) => shown.graph === graph);
  }

  /** The trace in whose picture an element of the page lies. */
  traceAround(node: Element | null): Shown | undefined {
    return node === null ? undefined : this.traces().find(({ graph }) => graph.host?.contains(node));
  }

  /** All traces, the latest last. */
  traces(): Shown[] {
    return [...this.held.values()].flatMap(({ shown }) => shown).sort((a, b) => a.rank - b.rank);
  }

  private onExecuted(_: unknown, { cell }: { cell: Cell }): void {
    const held = this.held.get(cell);
    if (held !== undefined) {
      this.collect(held, true);
    }
  }

  private adopt(): void {
    const cells = new Set<Cell>(this.panel.content.widgets);
    for (const [cell, held] of this.held) {
      if (!cells.has(cell) || cell.isDisposed) {
        held.watcher?.disconnect();
        this.held.delete(cell);
        this.linkSoon();
      }
    }
    for (const cell of cells) {
      if (cell.model.type === 'code' && !this.held.has(cell)) {
        const held = new Held(cell as CodeCell);
        this.held.set(cell, held);
        held.cell.model.outputs.changed.connect(() => this.collect(held, false));
        held.cell.model.contentChanged.connect(() => held.lost && this.linkSoon());
        this.collect(held, true);
        // It may be the cell that a trace ran through: moved, or brought back.
        this.linkSoon();
      }
    }
  }

  /** Reads a cell's outputs. While it runs again it has none: what was stays until it has ended or a trace comes. */
  private collect(held: Held, ended: boolean): void {
    const before = held.shown;
    const now = this.outputsOf(held);
    if (now.length === 0 && before.length > 0 && !ended) {
      // Cleared by hand, or about to run.
      window.setTimeout(() => !held.running && this.collect(held, true), 50);
    } else if (now.length !== before.length || now.some((shown, at) => shown !== before[at])) {
      held.shown = now;
      this.watch(held);
      this.linkSoon();
    }
  }

  private outputsOf(held: Held): Shown[] {
    const { outputs } = held.cell.model;
    const found: Shown[] = [];
    for (let at = 0; at < outputs.length; at++) {
      const output = outputs.get(at);
      let shown = this.read.get(output);
      if (shown === undefined) {
        const trace = readTrace(output);
        const graph = outputGraph(held.cell, output, this.words.lit);
        shown = trace && { trace, held, graph, rank: ++this.arrived, links: new Map(), selected: -1 };
        this.read.set(output, shown);
      }
      if (shown !== null) {
        found.push(shown);
      }
    }
    return found;
  }

  /** Hears what is selected in the pictures of a cell. */
  private watch(held: Held): void {
    held.watcher?.disconnect();
    held.watcher = null;
    if (held.shown.length > 0) {
      const look = (): void =>
        held.shown.forEach((shown) => {
          this.offer(shown);
          this.followSelection(shown);
        });
      held.watcher = new MutationObserver(look);
      held.watcher.observe(held.cell.node, {
        subtree: true,
        attributeFilter: ['data-selected', 'data-tracelab-ready'],
      });
      look();
    }
  }

  /** Puts the way to the source among the actions of a picture. */
  private offer(shown: Shown): void {
    const { explorer } = shown.graph;
    if (explorer !== null && !this.offered.has(explorer)) {
      this.offered.add(explorer);
      explorer.offer?.({ label: this.words.toSource, key: 'g', run: (node) => this.toSource(shown, node) });
    }
  }

  private followSelection(shown: Shown, again = false): void {
    const node = shown.graph.selected;
    if (node === shown.selected && !again) {
      return;
    }
    shown.selected = node;
    const lines = node < 0 ? [] : linesOf(shown.trace, node);
    const cells = new Map<Held, { file: number; line: number } | null>();
    shown.links.forEach(({ cell }, file) => {
      const line = lines.find((at) => at.file === file);
      cells.set(cell, line ?? cells.get(cell) ?? null);
    });
    cells.forEach((line, cell) => cell.marks?.light(shown.trace, line));
  }

  /** Finds the cells of all traces; what was found stays so while its cell is there. */
  private link(): void {
    const cells = [...this.held.values()];
    for (const shown of this.traces()) {
      for (const file of shown.trace.files) {
        const link = shown.links.get(file.file);
        if (link !== undefined && this.held.get(link.cell.cell) === link.cell) {
          continue;
        }
        const text = file.texts.get(1);
        const before = shown.held.shown.slice(0, shown.held.shown.indexOf(shown));
        const skip = before.filter(({ trace }) =>
          trace.files.some((other) => other.magicLine && other.texts.get(1) === text),
        ).length;
        const found = linkFile(shown.trace, file, shown.held, cells, skip);
        if (file.own) {
          shown.held.lost = found === null;
        }
        if (found === null) {
          shown.links.delete(file.file);
        } else {
          shown.links.set(file.file, found);
        }
      }
    }
    this.refresh();
  }

  private show(): void {
    const layers = new Map<Held, Layer[]>();
    for (const shown of this.traces()) {
      layersOf(shown.trace, shown.graph, shown.links).forEach((layer, held) => {
        layers.set(held, [...(layers.get(held) ?? []), layer]);
      });
    }
    for (const held of this.held.values()) {
      const found = layers.get(held) ?? [];
      if (found.length === 0 && held.marks === null) {
        continue;
      }
      const { editor } = held;
      if (editor === null) {
        // The cell was never on the screen: its editor comes later.
        void held.cell.ready.then(() => held.editor !== null && this.linkSoon());
        continue;
      }
      held.marks ??= new CellMarks(editor, this.words, {
        onMenu: (position) => {
          this.menu = { cell: held.cell, position };
        },
        edit(run) {
          // Edits that follow each other closely are undone together, unless they are told apart.
          const { undoManager } = held.cell.model.sharedModel as unknown as {
            undoManager?: { stopCapturing(): void } | null;
          };
          undoManager?.stopCapturing();
          const done = run();
          undoManager?.stopCapturing();
          return done;
        },
        say: this.say,
      });
      held.marks.show(found, this.wanted());
      held.cell.toggleClass('tracelab-traced', found.length > 0);
    }
  }
}
