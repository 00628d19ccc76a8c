/** The picture of one trace in its cell's output, wherever the page has put it. */

import type { CodeCell } from '@jupyterlab/cells';
import type { IOutputModel } from '@jupyterlab/rendermime';
import type { Explorer } from '../../explorer/explorer';
import type { SizeNames } from '../../model/sizenames';
import type { RunData } from '../../model/run/rundata';
import type { TraceGraph } from './cellannotations';

const HOST = '[data-tracelab-ready]';

export interface OutputGraph extends TraceGraph {
  /** Null while there is no picture on the page. */
  readonly host: HTMLElement | null;
  readonly explorer: Explorer | null;
  /** What the picture calls the sizes; null while there is none, or it is of something else. */
  sizeNames(): SizeNames | null;
  /** The selected node; -1: none. */
  readonly selected: number;
  /** Brings the picture into view and puts the keyboard on it. */
  focus(): void;
}

export function outputGraph(cell: CodeCell, output: IOutputModel, why: string): OutputGraph {
  const host = (): (HTMLElement & { tracelab?: Explorer }) | null => {
    const { outputs } = cell.model;
    for (let at = 0; at < outputs.length; at++) {
      if (outputs.get(at) === output) {
        const found = cell.outputArea.widgets[at]?.node.querySelectorAll<HTMLElement>(HOST);
        // While a live widget takes over there are two for a moment: the widget is the second.
        return found?.[found.length - 1] ?? null;
      }
    }
    return null;
  };
  const explorer = (): Explorer | null => host()?.tracelab ?? null;
  const show = (): void => host()?.scrollIntoView({ block: 'nearest' });
  return {
    get host() {
      return host();
    },
    get explorer() {
      return explorer();
    },
    get selected() {
      return Number(host()?.dataset.selected ?? -1);
    },
    highlight: (nodes) => explorer()?.highlight(nodes, why),
    select(what) {
      explorer()?.select(what);
      show();
    },
    showDiagnostic(index) {
      // A notebook may hold the widget of an older version.
      explorer()?.showWarning?.(index);
      show();
    },
    // A notebook may hold the widget of an older version.
    sizeNames: (): SizeNames | null => explorer()?.sizeNames?.() ?? null,
    lastRun: (): RunData | null => explorer()?.lastRun?.() ?? null,
    focus() {
      show();
      explorer()?.focus?.();
    },
  };
}
