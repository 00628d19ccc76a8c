/** What a trace says about a cell, with positions in the cell's text. No DOM, no JupyterLab. */

import type { RunData } from '../../model/run/rundata';
import type { CellTrace, CellDiagnostic, TracedLine, DiagnosticRange } from '../celltrace';
import type { QuickFixEdit } from '../quickfix/quickfix';
import type { LineText } from './trackedlines';

/** The graph of a trace, as the code uses it. */
export interface TraceGraph {
  /** Highlights the nodes that the line at the cursor ran; none: clears the highlight. */
  highlight(nodes: readonly number[]): void;
  /** A node, by its index or as `%` and the name of what it makes, or a module by its path. */
  select(what: number | string): void;
  /** Goes to a warning, by its row, and highlights what it affects. */
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
  /** The quick fix; null where there is none. */
  rewrite: QuickFixEdit | null;
}

/** What one trace says about one cell. */
export interface CellAnnotations {
  trace: CellTrace;
  graph: TraceGraph;
  lines: PlacedLine[];
  warnings: PlacedDiagnostic[];
}
