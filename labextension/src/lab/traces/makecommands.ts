/** Commands that create traces: `%%trace` on a cell, and a new notebook with a short example. */

import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { notify, traceIcon } from '../shell';

export const MAKE = { cell: 'tracelab:trace-cell', example: 'tracelab:trace-a-model' } as const;

const LOAD = '%load_ext tracelab';
const EXAMPLE = [
  `${LOAD}
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 3))
x = torch.randn(4, 8)`,
  `%%trace --check
scores = model(x).softmax(dim=-1)
best = scores.argmax(dim=-1)`,
  `# The trace runs on other inputs, too.
_trace(x=torch.randn(16, 8))`,
];

/** The cell magic of a cell, without its percent signs; null where there is none. */
export function cellMagic(source: string): string | null {
  return /^\s*%%(\w+)/.exec(source)?.[1] ?? null;
}

/** Whether a notebook loads tracelab, as far as its text says. */
export function loadsTracelab(sources: Iterable<string>): boolean {
  return [...sources].some((source) => /^\s*%(re)?load_ext\s+tracelab\b/m.test(source));
}

function sourcesOf(panel: NotebookPanel): string[] {
  return panel.content.widgets.map((cell) => cell.model.sharedModel.getSource());
}

export function addMakingCommands(
  app: JupyterFrontEnd,
  tracker: INotebookTracker,
  trans: TranslationBundle,
): void {
  const { commands } = app;
  commands.addCommand(MAKE.cell, {
    label: trans.__('Trace This Cell'),
    caption: trans.__('Add %1 to the top of the cell; run the cell to see its graph', '%%trace'),
    isEnabled: () => tracker.activeCell?.model.type === 'code',
    execute: () => {
      const panel = tracker.currentWidget;
      const cell = tracker.activeCell;
      if (panel === null || cell?.model.type !== 'code') {
        notify(trans.__('Select a code cell first.'));
        return;
      }
      const { sharedModel } = cell.model;
      const magic = cellMagic(sharedModel.getSource());
      if (magic === 'trace') {
        notify(trans.__('This cell is already traced. Run it to see its graph.'));
      } else if (magic !== null) {
        notify(
          trans.__(
            'This cell starts with %1. A cell can have only one cell magic, so remove it first.',
            `%%${magic}`,
          ),
        );
      } else {
        // One edit of the cell, which undo takes back.
        sharedModel.updateSource(0, 0, '%%trace\n');
        if (!loadsTracelab(sourcesOf(panel))) {
          offerLoading(panel);
        }
      }
    },
  });

  /** Where no cell loads tracelab the magic is not known; a cell is added only when asked for. */
  function offerLoading(panel: NotebookPanel): void {
    Notification.info(trans.__('No cell in this notebook loads tracelab, which %1 needs.', '%%trace'), {
      autoClose: 10_000,
      actions: [
        {
          label: trans.__('Add a cell that loads it'),
          callback: () => {
            panel.content.model?.sharedModel.insertCell(0, { cell_type: 'code', source: LOAD });
          },
        },
      ],
    });
  }

  commands.addCommand(MAKE.example, {
    label: (args) =>
      args.isLauncher ? trans.__('Trace a model') : trans.__('New Notebook That Traces a Model'),
    caption: trans.__('Open a new notebook with a short traced model'),
    icon: (args) => (args.isPalette ? undefined : traceIcon),
    execute: async (args) => {
      const kernel = await pythonKernel();
      if (kernel === null) {
        notify(trans.__('No Python kernel is available.'));
        return;
      }
      const cwd = typeof args.cwd === 'string' ? args.cwd : '';
      const panel = (await commands.execute('notebook:create-new', { cwd, kernelName: kernel })) as
        NotebookPanel | undefined;
      await panel?.context.ready;
      const shared = panel?.content.model?.sharedModel;
      if (panel === undefined || shared === undefined) {
        return;
      }
      const introduction = {
        cell_type: 'markdown',
        source: `# ${trans.__('Trace a model')}\n\n${trans.__('Run the cells. The graph appears below the second cell.')}`,
      };
      const code = EXAMPLE.map((source) => ({ cell_type: 'code' as const, source }));
      // The empty cell of a new notebook becomes the last: one that is deleted so early, JupyterLab stumbles over.
      const empty = shared.cells.length === 1 ? shared.getCell(0) : null;
      shared.transact(() => {
        shared.insertCells(0, [introduction, ...(empty === null ? code : code.slice(0, -1))]);
        empty?.setSource(EXAMPLE[EXAMPLE.length - 1]);
      }, false);
      panel.content.activeCellIndex = 1;
    },
  });

  /** The default kernel where it is Python, else the first that is. */
  async function pythonKernel(): Promise<string | null> {
    const { kernelspecs } = app.serviceManager;
    await kernelspecs.ready;
    const specs = kernelspecs.specs;
    const names = Object.keys(specs?.kernelspecs ?? {});
    const isPython = (name: string): boolean => specs?.kernelspecs[name]?.language.toLowerCase() === 'python';
    return [specs?.default ?? '', ...names].find(isPython) ?? null;
  }
}
