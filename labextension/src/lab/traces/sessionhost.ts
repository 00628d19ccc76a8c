/** Where a kernel is used: the notebook or console whose traces are listed. */

import type { ISessionContext } from '@jupyterlab/apputils';
import type { CodeCell } from '@jupyterlab/cells';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { Widget } from '@lumino/widgets';
import type { TraceRow } from '../../protocol/panelmessages';

export interface SessionHost {
  widget: Widget;
  session: ISessionContext;
  /** Knows the widget manager of this notebook or console. */
  rendermime: IRenderMimeRegistry;
}

interface WithKernel {
  sessionContext?: ISessionContext;
  content?: { rendermime?: IRenderMimeRegistry };
  console?: { rendermime?: IRenderMimeRegistry };
}

/** Null for what is neither notebook nor console. */
export function sessionHostOf(widget: Widget | null): SessionHost | null {
  const { sessionContext, content, console } = (widget ?? {}) as WithKernel;
  const rendermime = content?.rendermime ?? console?.rendermime;
  return widget === null || sessionContext === undefined || rendermime === undefined
    ? null
    : { widget, session: sessionContext, rendermime };
}

export interface CellLocation {
  panel: NotebookPanel;
  index: number;
}

/** The cell that created a trace, in `host` or in another notebook of the same kernel. */
export function findCell(row: TraceRow, place: SessionHost, tracker: INotebookTracker): CellLocation | null {
  const kernel = place.session.session?.kernel?.id;
  const panels: NotebookPanel[] = [];
  tracker.forEach((panel) => {
    if (panel === place.widget) {
      panels.unshift(panel);
    } else if (kernel !== undefined && panel.sessionContext.session?.kernel?.id === kernel) {
      panels.push(panel);
    }
  });
  const tests: ((cell: CodeCell) => boolean)[] = [
    (cell) => row.cell_id !== '' && cell.model.id === row.cell_id,
    (cell) => row.cell !== null && cell.model.executionCount === row.cell,
  ];
  for (const test of tests) {
    for (const panel of panels) {
      const index = panel.content.widgets.findIndex(
        (cell) => cell.model.type === 'code' && test(cell as CodeCell),
      );
      if (index >= 0) {
        return { panel, index };
      }
    }
  }
  return null;
}
