/** What a trace says of a cell, at its place in the cell's text. No DOM, no JupyterLab. */

import type { RunData } from '../../model/run/rundata';
import type { CellTrace, CellDiagnostic, TracedLine, DiagnosticRange } from '../celltrace';
import type { QuickFixEdit } from '../quickfix/quickfix';
import type { LineText } from './trackedlines';

/** The way from the code to the graph of a trace. */
export interface TraceGraph {
  /** The line of the cursor ran these nodes; none: it ran nothing. */
  highlight(nodes: readonly number[]): void;
  select(node: number): void;
  /** Leads to a warning, by its row, and lights what it affects. */
  showDiagnostic(index: number): void;
  /** The last run in place. */
  lastRun(): RunData | null;
}

export interface PlacedLine extends LineText {
  line: TracedLine;
  /** The file of the trace that is this cell. */
  file: number;
  /** Its last line in the cell. */
  at: number;
  /** Characters before what the trace counted from: `%trace`. */
  shift: number;
}

export interface PlacedDiagnostic extends LineText {
  warning: CellDiagnostic;
  place: DiagnosticRange;
  at: number;
  shift: number;
  /** The edit that takes it out of the code; null where there is none. */
  rewrite: QuickFixEdit | null;
}

/** What one trace says of one cell. */
export interface CellAnnotations {
  trace: CellTrace;
  graph: TraceGraph;
  lines: PlacedLine[];
  warnings: PlacedDiagnostic[];
}
