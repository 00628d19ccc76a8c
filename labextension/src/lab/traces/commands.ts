/** The commands of the panel and of notebooks: where a trace is opened, kept, compared, and made. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, InputDialog, Notification, showDialog, type WidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { openFileAt, say, traceIcon } from '../shell';
import type { TraceRow, WarningRow } from '../../protocol/panelmessages';
import { ask } from './kernelrequests';
import type { TracesModel } from './model';
import { cellOf, placeOf } from './kernelclient';
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

export interface TracesDesk {
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
export async function openWarning({ manager, trans }: TracesDesk, row: WarningRow): Promise<void> {
  const { path, line, column } = row;
  // Beside the root: the path is the server's own.
  if (path === null || manager === null || !(await openFileAt(manager, '', { file: path, line, column }))) {
    say(trans.__('%1, line %2, is not under the folder that this server shows.', row.file, line));
  }
}

function addTab(desk: TracesDesk, args: TabArgs): TraceTab {
  const { app, tabs, trans } = desk;
  const tab = new TraceTab(args, trans);
  tab.id = `tracelab-trace-${crypto.randomUUID()}`;
  tab.title.label = args.title;
  tab.title.caption = trans.__('Trace %1 of %2', args.title, args.path);
  tab.title.closable = true;
  tab.title.icon = traceIcon;
  const place = desk.model.place;
  const beside = place?.session.path === args.path ? place.widget.id : undefined;
  const first = tabs.find((other) => other.isAttached && other.place?.widget === place?.widget);
  app.shell.add(
    tab,
    'main',
    beside === undefined
      ? {}
      : first === undefined
        ? { ref: beside, mode: desk.beside() ? 'split-right' : 'tab-after' }
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
function connectTab({ model, tracker, app }: TracesDesk, tab: TraceTab): void {
  const look = (): void => {
    const current = model.place;
    if (tab.isDisposed || tab.place !== null) {
      return;
    }
    const panel = tracker.find(({ context, sessionContext }) =>
      [context.path, sessionContext.path].includes(tab.args.path),
    );
    const place = current?.session.path === tab.args.path ? current : placeOf(panel ?? null);
    if (place !== null) {
      tab.follow(place);
    }
  };
  look();
  tracker.widgetAdded.connect(look);
  model.changed.connect(look);
  tab.disposed.connect(() => {
    tracker.widgetAdded.disconnect(look);
    model.changed.disconnect(look);
  });
  void app.restored.then(() => tab.away());
}

async function write(
  { model, trans }: TracesDesk,
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
    say(trans.__('%1 ends in none of .html, .svg, .dot and .json, the formats of an export.', path));
    return;
  }
  const given = { key: row.key, path, ...(what === 'export' ? { format } : {}) };
  let reply = await ask(kernel, what, given);
  if (reply.kind === 'answer' && reply.content.exists !== undefined) {
    const { button } = await showDialog({
      title: trans.__('Replace the file?'),
      body: trans.__('%1 is there already.', reply.content.exists),
      buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Replace') })],
    });
    if (!button.accept) {
      return;
    }
    reply = await ask(kernel, what, { ...given, overwrite: true });
  }
  if (reply.kind === 'answer') {
    Notification.success(trans.__('Written to %1', reply.content.path ?? path), { autoClose: 4000 });
  } else {
    const why = reply.kind === 'error' ? reply.text : trans.__('the kernel gave no answer');
    say(trans.__('%1 was not written: %2', path, why));
  }
}

export function addTraceCommands(desk: TracesDesk): void {
  const { app, model, trans, tracker } = desk;
  const { commands } = app;
  const one = (): TraceRow | null => (desk.selected().length === 1 ? desk.selected()[0] : null);
  const isOne = (): boolean => one() !== null;
  const needsOne = trans.__('Select a trace in the list of traces first');

  commands.addCommand(TRACES.show, {
    label: trans.__('Show Traces'),
    caption: trans.__('List the traces of the kernel of this notebook'),
    execute: () => desk.showPanel(),
  });
  commands.addCommand(TRACES.refresh, {
    label: trans.__('Refresh'),
    caption: trans.__('Ask the kernel for its traces again'),
    execute: () => model.refresh(),
  });
  commands.addCommand(TRACES.open, {
    label: trans.__('Open Trace Beside the Notebook'),
    caption: () => (isOne() ? trans.__('Open the selected trace beside the notebook') : needsOne),
    isEnabled: (args) => typeof args.key === 'string' || isOne(),
    execute: (args) => {
      const row = one();
      const place = model.place;
      const given =
        typeof args.key === 'string'
          ? (args as unknown as TabArgs)
          : row && place && { path: place.session.path, key: row.key, title: row.title };
      if (!given) {
        return;
      }
      const tab = addTab(desk, given);
      connectTab(desk, tab);
      // Restored tabs stand where they were.
      if (typeof args.key !== 'string') {
        app.shell.activateById(tab.id);
      }
    },
  });
  commands.addCommand(TRACES.compare, {
    label: trans.__('Compare Two Traces'),
    caption: () =>
      desk.selected().length === 2
        ? trans.__('Show on one graph what is different in the second')
        : trans.__('Select two traces in the list of traces first'),
    isEnabled: () => desk.selected().length === 2,
    execute: () => {
      const [first, second] = desk.selected();
      const place = model.place;
      if (second === undefined || place === null) {
        return;
      }
      const title = `${first.title} → ${second.title}`;
      const tab = addTab(desk, { path: place.session.path, key: first.key, other: second.key, title });
      connectTab(desk, tab);
      app.shell.activateById(tab.id);
    },
  });
  commands.addCommand(TRACES.save, {
    label: trans.__('Save Trace as .tlab…'),
    caption: () => (isOne() ? trans.__('Write the trace and its weights to a file') : needsOne),
    isEnabled: isOne,
    execute: async () => {
      const row = one();
      if (row !== null) {
        const label = trans.__('File, in the folder of the kernel: %1', model.content.folder);
        await write(desk, row, 'save', trans.__('Save %1', row.title), label, `${fileName(row.title)}.tlab`);
      }
    },
  });
  commands.addCommand(TRACES.export, {
    label: trans.__('Export Trace…'),
    caption: () => (isOne() ? trans.__('Write the graph as HTML, SVG, DOT or JSON') : needsOne),
    isEnabled: isOne,
    execute: async () => {
      const row = one();
      if (row !== null) {
        const label = trans.__(
          'File, ending in .html, .svg, .dot or .json, in the folder of the kernel: %1',
          model.content.folder,
        );
        await write(
          desk,
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
    caption: () => (isOne() ? trans.__('Go to the cell that made the trace') : needsOne),
    isEnabled: isOne,
    execute: async () => {
      const row = one();
      const found = row && model.place && cellOf(row, model.place, tracker);
      if (!found) {
        say(trans.__('The cell that made this trace is not in an open notebook'));
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
