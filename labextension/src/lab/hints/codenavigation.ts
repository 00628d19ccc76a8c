/** Navigation between code and graph: to the node of the current line, and to the source of the selected node. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { framesOf } from '../celltrace';
import { openFileAt, placeCursor, notify } from '../shell';
import type { NotebookFollower, ShownTrace } from './notebookfollower';

export const COMMANDS = { toNode: 'tracelab:go-to-node', toSource: 'tracelab:go-to-source' } as const;

/** Puts the cursor to a place in a cell. */
async function openCellAt(
  panel: NotebookPanel,
  follower: NotebookFollower,
  shown: ShownTrace,
  frame: number,
): Promise<boolean> {
  const { sources } = shown.trace.view;
  const file = sources.file[frame];
  const cell = shown.matches.get(file)?.cell.cell;
  const index = cell === undefined ? -1 : panel.content.widgets.indexOf(cell);
  if (cell === undefined || index < 0) {
    return false;
  }
  panel.content.activeCellIndex = index;
  await panel.content.scrollToItem(index, 'smart').catch(() => undefined);
  await cell.ready;
  const decorations = follower.decorationsOf(cell);
  const position =
    decorations?.positionOf(shown.trace, file, sources.line[frame], sources.column[frame]) ?? null;
  if (cell.editor === null || position === null) {
    return false;
  }
  panel.content.mode = 'edit';
  const at = cell.editor.getPositionAt(position) ?? { line: 0, column: 0 };
  placeCursor(cell.editor, at.line, at.column);
  return true;
}

/** A cell's picture is on the page only once the cell is on the screen. */
async function pictureOf(panel: NotebookPanel, shown: ShownTrace): Promise<boolean> {
  const index = panel.content.widgets.indexOf(shown.state.cell);
  if (shown.graph.host === null && index >= 0) {
    await panel.content.scrollToItem(index, 'smart').catch(() => undefined);
  }
  for (let tries = 0; tries < 40; tries++) {
    if (shown.graph.host?.dataset.tracelabReady === 'true') {
      return true;
    }
    await new Promise((resolve) => window.setTimeout(resolve, 50));
  }
  return false;
}

export interface CodeNavigation {
  /** From the line of the cursor; `byMenu`: from where the menu was asked for. */
  toNode(byMenu: boolean): Promise<void>;
  /** Without a node: that which is selected in the picture that has the focus, or in the active cell's. */
  toSource(shown?: ShownTrace, node?: number): Promise<void>;
}

export function createCodeNavigation(
  current: () => { panel: NotebookPanel; follower: NotebookFollower } | null,
  manager: IDocumentManager | null,
  trans: TranslationBundle,
): CodeNavigation {
  async function toNode(byMenu: boolean): Promise<void> {
    const here = current();
    const menu = byMenu ? (here?.follower.menu ?? null) : null;
    const cell = menu?.cell ?? here?.panel.content.activeCell ?? null;
    const ran = here?.follower.decorationsOf(cell)?.linesAt(menu?.position) ?? [];
    const latest = ran[ran.length - 1];
    const shown = latest && here?.follower.shownOf(latest.layer.graph);
    if (here === null || shown === undefined) {
      notify(trans.__('No traced operators on this line.'));
      return;
    }
    if (!(await pictureOf(here.panel, shown))) {
      notify(trans.__('The graph of this trace is not displayed. Run its cell again.'));
      return;
    }
    // Once more: the next node of the line.
    const { nodes } = latest.line;
    const next = nodes[(nodes.indexOf(shown.graph.selected) + 1) % nodes.length];
    shown.graph.select(next);
    shown.graph.focus();
  }

  async function toSource(shown?: ShownTrace, node?: number): Promise<void> {
    const here = current();
    const follower = here?.follower;
    const inFocus = follower?.traceAround(document.activeElement);
    const active = follower?.tracesOf(here?.panel.content.activeCell ?? null) ?? [];
    const from = shown ?? inFocus ?? active.find(({ graph }) => graph.selected >= 0);
    const at = node ?? from?.graph.selected ?? -1;
    if (here === null || follower === undefined || from === undefined || at < 0) {
      notify(trans.__('Select an operator in a graph first.'));
      return;
    }
    const { view } = from.trace;
    const frames = framesOf(view, view.nodes.source[at] ?? -1);
    if (frames.length === 0) {
      notify(trans.__('No source location was recorded for this operator.'));
      return;
    }
    for (const [depth, frame] of frames.entries()) {
      const file = view.sources.file[frame];
      const name = file < 0 ? '?' : view.files[file].name;
      const line = view.sources.line[frame];
      const isCell = from.trace.files.some((cell) => cell.file === file);
      const opened = isCell
        ? await openCellAt(here.panel, follower, from, frame)
        : manager !== null &&
          (await openFileAt(manager, here.panel.context.path, {
            file: name,
            line,
            column: view.sources.column[frame],
          }));
      if (opened) {
        if (depth > 0) {
          notify(
            missing(view.sources.file[frames[0]], frames[0]) + ' ' + trans.__('This is where it was called.'),
          );
        }
        return;
      }
    }
    notify(missing(view.sources.file[frames[0]], frames[0]));

    function missing(file: number, frame: number): string {
      const name = file < 0 ? '?' : view.files[file].name;
      const line = view.sources.line[frame];
      return from!.trace.files.some((cell) => cell.file === file)
        ? trans.__('Line %1 of the cell that ran is no longer in this notebook.', line)
        : trans.__('%1, line %2, is outside the root folder of this server.', name, line);
    }
  }

  return { toNode, toSource };
}

/** Commands for the palette, for keys and for menus (`schema/hints.json` says which). */
export function addCommands(
  app: JupyterFrontEnd,
  navigation: CodeNavigation,
  trans: TranslationBundle,
): void {
  app.commands.addCommand(COMMANDS.toNode, {
    label: trans.__('Go to Node in Graph'),
    caption: trans.__('Select in the graph an operator that the current line ran; repeat for the next one'),
    execute: ({ menu }) => navigation.toNode(menu === true),
  });
  app.commands.addCommand(COMMANDS.toSource, {
    label: trans.__('Go to Source of Node'),
    caption: trans.__('Go to the line that ran the operator selected in the graph'),
    execute: () => navigation.toSource(),
  });
}
