/** The plugin for notebooks: shape hints, warnings in the code, and the way between code and graph. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { followNotebook } from './notebooks';

export const hints: JupyterFrontEndPlugin<void> = {
  id: 'tracelab:hints',
  description: 'Shows shapes and warnings of traced cells in their code.',
  autoStart: true,
  requires: [INotebookTracker],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('tracelab');
    const words = {
      stale: trans.__('The line has changed since it was traced'),
      frozen: trans.__('The trace holds the value'),
      outputs: trans.__('Outputs that depend on it:'),
      show: trans.__('Show in graph'),
      lit: trans.__('What the line of the cursor ran'),
      more: (count: number) => trans._n('%1 more value', '%1 more values', count),
    };
    let wanted = true;
    const again = new Set<() => void>();
    const follow = (panel: Parameters<typeof followNotebook>[0]): void => {
      const look = followNotebook(panel, words, () => wanted);
      again.add(look);
      panel.disposed.connect(() => again.delete(look));
    };
    tracker.forEach(follow);
    tracker.widgetAdded.connect((_, panel) => follow(panel));
    registry?.load(hints.id).then(
      (settings) => {
        const read = (): void => {
          wanted = settings.get('shapeHints').composite !== false;
          again.forEach((look) => look());
        };
        read();
        settings.changed.connect(read);
      },
      () => undefined,
    );
  },
};
