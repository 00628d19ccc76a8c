/** The plugin for notebooks: shape hints, diagnostics in the code, and navigation between code and graph. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { notify } from '../shell';
import type { HintSettings } from './editordecorations';
import { addCommands, COMMANDS, createCodeNavigation, type CodeNavigation } from './codenavigation';
import { NotebookFollower, type HintTexts } from './notebookfollower';

function textsIn(trans: TranslationBundle): HintTexts {
  return {
    stale: trans.__('This line has changed since it was traced.'),
    highlighted: trans.__('run by the line at the cursor'),
    toSource: trans.__('Go to source'),
    notShown: (name) => trans.__('No output of this notebook shows the graph with %1.', name),
    hover: {
      value: trans.__('Value'),
      type: trans.__('Type'),
      operator: trans.__('Operator'),
      module: trans.__('Module'),
      time: trans.__('Time'),
      statistics: trans.__('Statistics'),
      more: (count) => trans._n('%1 more value', '%1 more values', count),
      total: (seconds) => trans.__('This line took %1 in the last run', seconds),
      spread: (min, max, mean, std) => trans.__('%1 to %2, mean %3, std %4', min, max, mean, std),
      nonfinite: (nans, infs) => trans.__('%1 NaN, %2 Inf', nans, infs),
    },
    warning: {
      specialized: (value) => trans.__('The trace is specialized on the value %1', value),
      outputs: (names) => trans.__('Outputs that depend on it: %1', names),
      outside: (place) => trans.__('In %1, which was called here:', place),
      check: (answer) => trans.__('Check: %1', answer),
      show: trans.__('Show in graph'),
      counterexample: trans.__('Show counterexample'),
      quickFix: trans.__('Quick fix'),
      changed: trans.__('This code has changed since it was traced. Trace it again to get a quick fix.'),
    },
  };
}

export const hints: JupyterFrontEndPlugin<void> = {
  id: 'tracelab:hints',
  description: 'Shows shapes and warnings of traced cells in their code.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ITranslator, IDocumentManager, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
    manager: IDocumentManager | null,
    palette: ICommandPalette | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('tracelab');
    const texts = textsIn(trans);
    let settings_: HintSettings = { shapeHints: true, diagnostics: true, syncSelection: true };
    const followers = new Map<NotebookPanel, NotebookFollower>();
    const navigation: CodeNavigation = createCodeNavigation(
      () => {
        const panel = tracker.currentWidget;
        const follower = panel && followers.get(panel);
        return panel && follower ? { panel, follower } : null;
      },
      manager,
      trans,
    );
    const follow = (panel: NotebookPanel): void => {
      const toSource = (...from: Parameters<CodeNavigation['toSource']>): void =>
        void navigation.toSource(...from);
      followers.set(panel, new NotebookFollower(panel, texts, () => settings_, toSource, notify));
      panel.disposed.connect(() => followers.delete(panel));
    };
    tracker.forEach(follow);
    tracker.widgetAdded.connect((_, panel) => follow(panel));
    addCommands(app, navigation, trans);
    Object.values(COMMANDS).forEach((command) => palette?.addItem({ command, category: 'tracelab' }));
    registry?.load(hints.id).then(
      (settings) => {
        const read = (): void => {
          const on = (name: keyof HintSettings): boolean => settings.get(name).composite !== false;
          settings_ = {
            shapeHints: on('shapeHints'),
            diagnostics: on('diagnostics'),
            syncSelection: on('syncSelection'),
          };
          followers.forEach((follower) => follower.refresh());
        };
        read();
        settings.changed.connect(read);
      },
      () => undefined,
    );
  },
};
