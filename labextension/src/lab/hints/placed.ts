/** What a trace says of a cell, at its place in the cell's text. No DOM, no JupyterLab. */

import type { RunData } from '../../model/run/rundata';
import type { CellTrace, CellWarning, TracedLine, WarningPlace } from '../celltrace';
import type { Rewrite } from '../quickfix/quickfix';
import type { Anchor } from './textanchors';

/** The way from the code to the graph of a trace. */
export interface Graph {
  /** The line of the cursor ran these nodes; none: it ran nothing. */
  light(nodes: readonly number[]): void;
  select(node: number): void;
  /** Leads to a warning, by its row, and lights what it affects. */
  warn(index: number): void;
  /** The last run in place. */
  lastRun(): RunData | null;
}

export interface PlacedLine extends Anchor {
  line: TracedLine;
  /** The file of the trace that is this cell. */
  file: number;
  /** Its last line in the cell. */
  at: number;
  /** Characters before what the trace counted from: `%trace`. */
  shift: number;
}

export interface PlacedWarning extends Anchor {
  warning: CellWarning;
  place: WarningPlace;
  at: number;
  shift: number;
  /** The edit that takes it out of the code; null where there is none. */
  rewrite: Rewrite | null;
}

/** What one trace says of one cell. */
export interface Layer {
  trace: CellTrace;
  graph: Graph;
  lines: PlacedLine[];
  warnings: PlacedWarning[];
}
