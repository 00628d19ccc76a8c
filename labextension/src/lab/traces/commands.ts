/** Commands that open, compare, save and export traces. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog, type WidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { openFileAt, notify, traceIcon } from '../shell';
import type { TraceRow, WarningRow } from '../../protocol/panelmessages';
import { ask } from './kernelrequests';
import type { TracesModel } from './model';
import { findCell, sessionHostOf } from './sessionhost';
import { TraceTab, type TabArgs } from './tab';

export const TRACES = {
  show: 'tracelab:show-traces',
  open: 'tracelab:open-trace',
  compare: 'tracelab:compare-traces',
  save: 'tracelab:save-trace',
  export: 'tracelab:export-trace',
  cell: 'tracelab:go-to-cell-of-trace',
  refresh: 'tracelab:refresh-traces',
} as const;

const FORMATS = ['html', 'svg', 'dot', 'json'];

export interface TracesContext {
  app: JupyterFrontEnd;
  model: TracesModel;
  tracker: INotebookTracker;
  tabs: WidgetTracker<TraceTab>;
  manager: IDocumentManager | null;
  trans: TranslationBundle;
  /** Whether traces open beside their notebook; else in a tab of the same area. */
  beside(): boolean;
  /** The panel's selection. */
  selected(): TraceRow[];
  showPanel(): void;
}

/** A file name out of what a trace is called. */
export function fileName(title: string): string {
  return title.replace(/[^\p{L}\p{N}_.-]+/gu, '-').replace(/^[-.]+|[-.]+$/g, '') || 'trace';
}

/** Opens the file of a warning at its line. */
export async function openWarning({ manager, trans }: TracesContext, row: WarningRow): Promise<void> {
  const { path, line, column } = row;
  // Beside the root: the path is the server's own.
  if (path === null || manager === null || !(await openFileAt(manager, '', { file: path, line, column }))) {
    notify(trans.__('%1, line %2, is outside the root folder of this server.', row.file, line));
  }
}

function addTab(context: TracesContext, args: TabArgs): TraceTab {
  const { app, tabs, trans } = context;
  const tab = new TraceTab(args, trans);
  tab.id = `tracelab-trace-${crypto.randomUUID()}`;
  tab.title.label = args.title;
  tab.title.caption = trans.__('Trace %1 of %2', args.title, args.path);
  tab.title.closable = true;
  tab.title.icon = traceIcon;
  const place = context.model.host;
  const beside = place?.session.path === args.path ? place.widget.id : undefined;
  const first = tabs.find((other) => other.isAttached && other.host?.widget === place?.widget);
  app.shell.add(
    tab,
    'main',
    beside === undefined
      ? {}
      : first === undefined
        ? { ref: beside, mode: context.beside() ? 'split-right' : 'tab-after' }
        : { ref: first.id, mode: 'tab-after' },
  );
  if (!tab.isAttached) {
    // Notebook 7 has one document in its main area.
    app.shell.add(tab, 'right');
  }
  void tabs.add(tab);
  return tab;
}

/** Finds the notebook of a tab, now or when it is opened. */
function connectTab({ model, tracker, app }: TracesContext, tab: TraceTab): void {
  const look = (): void => {
    const current = model.host;
    if (tab.isDisposed || tab.host !== null) {
      return;
    }
    const panel = tracker.find(({ context, sessionContext }) =>
      [context.path, sessionContext.path].includes(tab.args.path),
    );
    const place = current?.session.path === tab.args.path ? current : sessionHostOf(panel ?? null);
    if (place !== null) {
      tab.attach(place);
    }
  };
  look();
  tracker.widgetAdded.connect(look);
  model.changed.connect(look);
  tab.disposed.connect(() => {
    tracker.widgetAdded.disconnect(look);
    model.changed.disconnect(look);
  });
  void app.restored.then(() => tab.showNotOpen());
}

async function writeFile(
  { model, trans }: TracesContext,
  row: TraceRow,
  what: 'save' | 'export',
  title: string,
  label: string,
  name: string,
): Promise<void> {
  const kernel = model.kernel;
  const asked = await InputDialog.getText({
    title,
    label,
    text: name,
    okLabel: trans.__('Save'),
    selectionRange: name.lastIndexOf('.'),
  });
  const path = asked.value?.trim() ?? '';
  if (!asked.button.accept || path === '' || kernel === null) {
    return;
  }
  const format = FORMATS.find((ending) => path.toLowerCase().endsWith(`.${ending}`));
  if (what === 'export' && format === undefined) {
    notify(trans.__('The name %1 must end in .html, .svg, .dot or .json.', path));
    return;
  }
  const given = { key: row.key, path, ...(what === 'export' ? { format } : {}) };
  let reply = await ask(kernel, what, given);
  if (reply.kind === 'answer' && reply.content.exists !== undefined) {
    const { button } = await showDialog({
      title: trans.__('Replace the file?'),
      body: trans.__('%1 already exists.', reply.content.exists),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Replace') })],
    });
    if (!button.accept) {
      return;
    }
    reply = await ask(kernel, what, { ...given, overwrite: true });
  }
  if (reply.kind === 'answer') {
    Notification.success(trans.__('Saved to %1', reply.content.path ?? path), { autoClose: 4000 });
  } else {
    const why = reply.kind === 'error' ? reply.text : trans.__('the kernel did not respond');
    notify(trans.__('%1 was not saved: %2', path, why));
  }
}

export function addTraceCommands(context: TracesContext): void {
  const { app, model, trans, tracker } = context;
  const { commands } = app;
  const one = (): TraceRow | null => (context.selected().length === 1 ? context.selected()[0] : null);
  const isOne = (): boolean => one() !== null;
  const needsOne = trans.__('Select a trace in the list first.');

  commands.addCommand(TRACES.show, {
    label: trans.__('Show Traces'),
    caption: trans.__('List the traces of the kernel of this notebook'),
    execute: () => context.showPanel(),
  });
  commands.addCommand(TRACES.refresh, {
    label: trans.__('Refresh'),
    caption: trans.__('Reload the list of traces'),
    execute: () => model.refresh(),
  });
  commands.addCommand(TRACES.open, {
    label: trans.__('Open Trace Beside the Notebook'),
    caption: () => (isOne() ? trans.__('Open the selected trace beside the notebook') : needsOne),
    isEnabled: (args) => typeof args.key === 'string' || isOne(),
    execute: (args) => {
      const row = one();
      const place = model.host;
      const given =
        typeof args.key === 'string'
          ? (args as unknown as TabArgs)
          : row && place && { path: place.session.path, key: row.key, title: row.title };
      if (!given) {
        return;
      }
      const tab = addTab(context, given);
      connectTab(context, tab);
      // Restored tabs stand where they were.
      if (typeof args.key !== 'string') {
        app.shell.activateById(tab.id);
      }
    },
  });
  commands.addCommand(TRACES.compare, {
    label: trans.__('Compare Two Traces'),
    caption: () =>
      context.selected().length === 2
        ? trans.__('Show the differences between two traces in one graph')
        : trans.__('Select two traces in the list first.'),
    isEnabled: () => context.selected().length === 2,
    execute: () => {
      const [first, second] = context.selected();
      const place = model.host;
      if (second === undefined || place === null) {
        return;
      }
      const title = `${first.title} → ${second.title}`;
      const tab = addTab(context, { path: place.session.path, key: first.key, other: second.key, title });
      connectTab(context, tab);
      app.shell.activateById(tab.id);
    },
  });
  commands.addCommand(TRACES.save, {
    label: trans.__('Save Trace as .tlab…'),
    caption: () => (isOne() ? trans.__('Save the trace and its weights to a file') : needsOne),
    isEnabled: isOne,
    execute: async () => {
      const row = one();
      if (row !== null) {
        const label = trans.__('File (relative to the folder of the kernel: %1)', model.content.folder);
        await writeFile(
          context,
          row,
          'save',
          trans.__('Save %1', row.title),
          label,
          `${fileName(row.title)}.tlab`,
        );
      }
    },
  });
  commands.addCommand(TRACES.export, {
    label: trans.__('Export Trace…'),
    caption: () => (isOne() ? trans.__('Export the graph as HTML, SVG, DOT or JSON') : needsOne),
    isEnabled: isOne,
    execute: async () => {
      const row = one();
      if (row !== null) {
        const label = trans.__(
          'File ending in .html, .svg, .dot or .json (relative to the folder of the kernel: %1)',
          model.content.folder,
        );
        await writeFile(
          context,
          row,
          'export',
          trans.__('Export %1', row.title),
          label,
          `${fileName(row.title)}.html`,
        );
      }
    },
  });
  commands.addCommand(TRACES.cell, {
    label: trans.__('Go to Cell of Trace'),
    caption: () => (isOne() ? trans.__('Go to the cell that created the trace') : needsOne),
    isEnabled: isOne,
    execute: async () => {
      const row = one();
      const found = row && model.host && findCell(row, model.host, tracker);
      if (!found) {
        notify(trans.__('The cell that created this trace is not in an open notebook.'));
        return;
      }
      const { panel, index } = found;
      const from = document.activeElement;
      app.shell.activateById(panel.id);
      panel.content.activeCellIndex = index;
      panel.content.mode = 'command';
      await panel.content.scrollToItem(index, 'smart').catch(() => undefined);
      const at = document.activeElement;
      if (at === from || at === document.body || panel.node.contains(at)) {
        // Who went on elsewhere while it scrolled keeps the focus there.
        panel.content.activate();
      }
    },
  });
}
