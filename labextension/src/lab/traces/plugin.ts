/** The plugin of the traces panel, its tabs and its commands. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { PageConfig } from '@jupyterlab/coreutils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ILauncher } from '@jupyterlab/launcher';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { addTraceCommands, openWarning, TRACES, type TracesContext } from './commands';
import { addMakingCommands, MAKE } from './makecommands';
import { traceIcon } from '../shell';
import { TracesModel } from './model';
import { TracesPanel } from './panel';
import { findCell, sessionHostOf } from './sessionhost';
import { TraceTab } from './tab';

export const traces: JupyterFrontEndPlugin<void> = {
  id: 'tracelab:traces',
  description: 'Lists the traces of a kernel in the sidebar, opens, compares, saves and exports them.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ITranslator, IDocumentManager, ICommandPalette, ILauncher, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    manager: IDocumentManager | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('tracelab');
    const model = new TracesModel(PageConfig.getOption('serverRoot'), trans);
    const tabs = new WidgetTracker<TraceTab>({ namespace: 'tracelab-traces' });
    let settings: ISettingRegistry.ISettings | null = null;
    registry?.load(traces.id).then(
      (loaded) => (settings = loaded),
      () => undefined,
    );
    const context: TracesContext = {
      app,
      model,
      tracker,
      tabs,
      manager,
      trans,
      beside: () => settings?.get('openBeside').composite !== false,
      selected: () => panel.selected,
      showPanel: () => app.shell.activateById(panel.id),
    };
    const panel = new TracesPanel(model, trans, {
      commands: app.commands,
      cellText: (row) => {
        const found = model.host && findCell(row, model.host, tracker);
        const elsewhere = found && found.panel !== model.host?.widget ? found.panel.title.label : '';
        return row.cell === null
          ? ''
          : elsewhere !== ''
            ? trans.__('cell [%1] of %2', row.cell, elsewhere)
            : trans.__('cell [%1]', row.cell);
      },
      openFile: (row) => void openWarning(context, row),
      open: () => void app.commands.execute(TRACES.open),
      actions: [
        { command: TRACES.open, label: trans.__('Open') },
        { command: TRACES.compare, label: trans.__('Compare') },
        { command: TRACES.save, label: trans.__('Save') },
        { command: TRACES.export, label: trans.__('Export') },
        { command: TRACES.cell, label: trans.__('Cell') },
        { command: TRACES.refresh, label: trans.__('Refresh') },
      ],
    });
    panel.id = 'tracelab-traces';
    panel.title.caption = trans.__('Traces');
    panel.title.icon = traceIcon;
    addTraceCommands(context);
    addMakingCommands(app, tracker, trans);
    panel.selectionChanged.connect(() => {
      [TRACES.open, TRACES.compare, TRACES.save, TRACES.export, TRACES.cell].forEach((command) =>
        app.commands.notifyCommandChanged(command),
      );
    });
    const cellChanged = (): void => app.commands.notifyCommandChanged(MAKE.cell);
    tracker.activeCellChanged.connect(cellChanged);
    tracker.currentChanged.connect(cellChanged);
    app.shell.add(panel, 'left', { rank: 560 });
    restorer?.add(panel, panel.id);
    void restorer?.restore(tabs, {
      command: TRACES.open,
      args: (tab) => ({ ...tab.args }) as unknown as ReadonlyPartialJSONObject,
      name: ({ args }) => [args.path, args.key, args.other ?? ''].join('|'),
    });

    const look = (): void => {
      const { currentWidget } = app.shell;
      const place = currentWidget instanceof TraceTab ? currentWidget.host : sessionHostOf(currentWidget);
      // In other documents the traces of the notebook that was left stay listed.
      const stays = model.host !== null && !model.host.widget.isDisposed;
      if (place !== null || !stays) {
        model.host = place ?? sessionHostOf(tracker.currentWidget);
      }
    };
    app.shell.currentChanged?.connect(look);
    tracker.currentChanged.connect(look);
    tracker.widgetAdded.connect(look);
    void app.restored.then(look);

    for (const command of [...Object.values(TRACES), ...Object.values(MAKE)]) {
      palette?.addItem({ command, category: 'tracelab', args: { isPalette: true } });
    }
    launcher?.add({
      command: MAKE.example,
      category: trans.__('Notebook'),
      rank: 90,
      args: { isLauncher: true },
    });
  },
};
