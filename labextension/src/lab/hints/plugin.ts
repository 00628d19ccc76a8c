/** The plugin for notebooks: shape hints, warnings in the code, and the way between code and graph. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { say } from '../shell';
import type { Wanted } from './editordecorations';
import { addCommands, COMMANDS, createWays, type Ways } from './codenavigation';
import { NotebookFollower, type FollowWords } from './notebookfollower';

function wordsIn(trans: TranslationBundle): FollowWords {
  return {
    stale: trans.__('The line has changed since it was traced'),
    lit: trans.__('What the line of the cursor ran'),
    toSource: trans.__('Go to source'),
    hover: {
      value: trans.__('Value'),
      type: trans.__('Type'),
      operator: trans.__('Operator'),
      module: trans.__('Module'),
      time: trans.__('Time'),
      statistics: trans.__('Statistics'),
      more: (count) => trans._n('%1 more value', '%1 more values', count),
      total: (seconds) => trans.__('The line took %1 in the last run', seconds),
      spread: (min, max, mean, std) => trans.__('%1 to %2, mean %3, std %4', min, max, mean, std),
      nonfinite: (nans, infs) => trans.__('%1 NaN, %2 infinite', nans, infs),
    },
    warning: {
      frozen: (value) => trans.__('The trace holds the value %1', value),
      outputs: (names) => trans.__('Outputs that depend on it: %1', names),
      outside: (place) => trans.__('In %1, which was called here:', place),
      check: (answer) => trans.__('Check: %1', answer),
      show: trans.__('Show in graph'),
      counterexample: trans.__('Show the counterexample'),
      mend: trans.__('Mend'),
      changed: trans.__('The code here has changed since it was traced: trace it again for a mend that fits'),
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
    const words = wordsIn(trans);
    let wanted: Wanted = { shapeHints: true, squiggles: true, links: true };
    const followers = new Map<NotebookPanel, NotebookFollower>();
    const ways: Ways = createWays(
      () => {
        const panel = tracker.currentWidget;
        const follower = panel && followers.get(panel);
        return panel && follower ? { panel, follower } : null;
      },
      manager,
      trans,
    );
    const follow = (panel: NotebookPanel): void => {
      const toSource = (...from: Parameters<Ways['toSource']>): void => void ways.toSource(...from);
      followers.set(panel, new NotebookFollower(panel, words, () => wanted, toSource, say));
      panel.disposed.connect(() => followers.delete(panel));
    };
    tracker.forEach(follow);
    tracker.widgetAdded.connect((_, panel) => follow(panel));
    addCommands(app, ways, trans);
    Object.values(COMMANDS).forEach((command) => palette?.addItem({ command, category: 'tracelab' }));
    registry?.load(hints.id).then(
      (settings) => {
        const read = (): void => {
          const on = (name: keyof Wanted): boolean => settings.get(name).composite !== false;
          wanted = { shapeHints: on('shapeHints'), squiggles: on('squiggles'), links: on('links') };
          followers.forEach((follower) => follower.refresh());
        };
        read();
        settings.changed.connect(read);
      },
      () => undefined,
    );
  },
};
