/** The JupyterLab (and Notebook 7) plugin. */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MIME_TYPE } from '../model/document';
import { files } from './files';
import { hints } from './hints';
import { RANK, rendererFactory } from './renderer';
import { traces } from './traces';

const renderer: JupyterFrontEndPlugin<void> = {
  id: 'tracelab:renderer',
  description: 'Shows traced graphs in outputs.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, registry: IRenderMimeRegistry, tracker: INotebookTracker | null) => {
    // Consoles and other places without a notebook of their own.
    registry.addFactory(rendererFactory(registry), RANK);
    // Each notebook has its own registry, in which its widget manager is found.
    const adopt = (panel: NotebookPanel): void => {
      const own = panel.content.rendermime;
      own.removeMimeType(MIME_TYPE);
      own.addFactory(rendererFactory(own), RANK);
    };
    tracker?.forEach(adopt);
    tracker?.widgetAdded.connect((_, panel) => adopt(panel));
  },
};

export default [renderer, hints, traces, files];
