/** What the kernel answers about its traces (`tracelab/jupyter/panel.py`) and about a file that it reads. */

/** Every answer is the value of a user expression, under this type. */
export const ANSWER_TYPE = 'application/vnd.tracelab.answer+json';

export interface TraceRow {
  key: string;
  title: string;
  names: string[];
  traced: string;
  ops: number;
  parameters: number;
  warnings: number;
  /** Execution count of the cell that made it; null where that is not known. */
  cell: number | null;
  cell_id: string;
  failed?: string;
  check?: { ok: boolean; text: string };
}

export interface WarningRow {
  file: string;
  name: string;
  /** On the server; null: outside of its folder. */
  path: string | null;
  /** Counts from 1, the column from 0. */
  line: number;
  column: number;
  message: string;
  value: string;
  answer: string;
  traces: string[];
  count: number;
}

export interface Answers {
  summary: { traces: TraceRow[]; warnings: WarningRow[]; more_warnings: number; folder: string };
  open: { bundle: Record<string, never>; explorer: string; title: string };
  compare: { bundle?: Record<string, never>; explorer?: string; same?: string; title: string };
  release: object;
  save: { path?: string; exists?: string };
  export: { path?: string; exists?: string };
}

/** What a graph file holds, as a kernel read it; or one sentence why it could not. */
export type ImportedFile = { document: unknown } | { error: string };

/** What the server answers where a file holds no document of its own; with `error` it cannot be read at all. */
export const FILE_FORMAT = 'tracelab.file';
