/** Follows the cells of notebooks: a cell whose output holds a trace gets its marks, all others are left alone. */

import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { EditorView } from '@codemirror/view';
import type { Explorer } from '../explorer/explorer';
import { MIME_TYPE } from '../model/document';
import { readDocument } from '../model/validate';
import { cellTrace, type CellTrace } from './celllines';
import { CellMarks, type Words } from './cellmarks';

interface Outputs {
  length: number;
  get(index: number): { data: Record<string, unknown> };
  changed: { connect(slot: () => void): void };
}

/** Null for what cannot be shown: the output says why. */
function traceOf(document: unknown): CellTrace | null {
  try {
    return cellTrace(readDocument(document));
  } catch {
    return null;
  }
}

class CellFollower {
  private marks: CellMarks | null = null;
  private shown: unknown = null;
  private trace: CellTrace | null = null;
  private readonly watcher: MutationObserver;

  constructor(
    private readonly cell: Cell,
    private readonly words: Words,
    private readonly wanted: () => boolean,
  ) {
    this.watcher = new MutationObserver(() => this.followSelection());
    this.outputs.changed.connect(() => this.look());
    this.look();
  }

  private get outputs(): Outputs {
    return (this.cell.model as unknown as { outputs: Outputs }).outputs;
  }

  look(again = false): void {
    let found: unknown = null;
    for (let at = 0; at < this.outputs.length; at++) {
      found = this.outputs.get(at).data[MIME_TYPE] ?? found;
    }
    // While a cell runs again it has no outputs: what was stays until the next trace comes.
    if (!again && (found === this.shown || (found === null && this.trace === null))) {
      return;
    }
    if (found !== null && found !== this.shown) {
      this.shown = found;
      this.trace = traceOf(found);
    }
    this.apply();
  }

  private apply(): void {
    const view = (this.cell.editor as { editor?: EditorView } | null)?.editor;
    if (view === undefined) {
      // The cell is not on the screen: its editor comes later.
      void this.cell.ready.then(() => {
        if (this.cell.editor !== null) {
          this.apply();
        }
      });
      return;
    }
    this.marks ??= new CellMarks(view, this.words, {
      light: (nodes) => this.explorer?.light(nodes, this.words.lit),
      select: (node) => {
        this.explorer?.select(node);
        this.host?.scrollIntoView({ block: 'nearest' });
      },
    });
    this.marks.show(this.trace, this.wanted());
    this.watcher.disconnect();
    if (this.trace !== null) {
      this.watcher.observe(this.cell.node, { subtree: true, attributeFilter: ['data-selected'] });
    }
  }

  private get host(): (HTMLElement & { tracelab?: Explorer }) | null {
    const hosts = [...this.cell.node.querySelectorAll<HTMLElement>('[data-tracelab-ready]')];
    return hosts.find((host) => host.offsetParent !== null) ?? null;
  }

  private get explorer(): Explorer | undefined {
    return this.host?.tracelab;
  }

  private followSelection(): void {
    const node = Number(this.host?.dataset.selected ?? -1);
    this.marks?.light(this.trace?.linesOf.get(node)?.[0] ?? null);
  }
}

/** Follows every code cell of a notebook; gives a function that looks at all of them again. */
export function followNotebook(panel: NotebookPanel, words: Words, wanted: () => boolean): () => void {
  const followed = new WeakMap<Cell, CellFollower>();
  const all = (visit: (follower: CellFollower) => void): void => {
    for (const cell of panel.content.widgets) {
      if (cell.model.type !== 'code') {
        continue;
      }
      let follower = followed.get(cell);
      if (follower === undefined) {
        follower = new CellFollower(cell, words, wanted);
        followed.set(cell, follower);
      }
      visit(follower);
    }
  };
  let asked = false;
  const adopt = (): void => {
    if (!asked) {
      asked = true;
      // Cells come one by one: one look for all that came.
      void Promise.resolve().then(() => {
        asked = false;
        all(() => undefined);
      });
    }
  };
  const connect = (): void => {
    panel.content.model?.cells.changed.connect(adopt);
    adopt();
  };
  panel.content.modelChanged.connect(connect);
  connect();
  return () => all((follower) => follower.look(true));
}
