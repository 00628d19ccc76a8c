// Written by `npm run codegen` from tracelab/protocol/panel.py.
/** What the kernel answers about its traces, and what the server answers about a graph file. */

/** Every answer is the value of a user expression, under this type. */
export const ANSWER_TYPE = 'application/vnd.tracelab.answer+json';

/** What the server answers where a file holds no document of its own. */
export const FILE_FORMAT = 'tracelab.file';

/** The last check of a trace. */
export interface CheckResult {
  ok: boolean;
  text: string;
}

/** A trace of the kernel. */
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
  /** The kind of the node that raised. */
  failed?: string;
  check?: CheckResult;
}

/** A warning in a file of Python; those in cells stand in the cells. */
export interface WarningRow {
  file: string;
  name: string;
  /** On the server; null where it is outside of the server's folder. */
  path: string | null;
  /** Lines count from 1, columns from 0. */
  line: number;
  column: number;
  kind: string;
  message: string;
  /** The value that the trace is specialized on, as text. */
  constant: string;
  /** What a check found; empty where none was made. */
  verdict: string;
  traces: string[];
  count: number;
}

/** What the panel lists. */
export interface SummaryAnswer {
  traces: TraceRow[];
  warnings: WarningRow[];
  more_warnings: number;
  folder: string;
}

/** An explorer of a trace. */
export interface OpenAnswer {
  /** Its MIME bundle. */
  bundle: Record<string, unknown>;
  explorer: string;
  title: string;
}

/** An explorer of a difference, or the sentence that there is none. */
export interface CompareAnswer {
  bundle?: Record<string, unknown>;
  explorer?: string;
  same?: string;
  title: string;
}

/** A file that was written, or one in its place that is not overwritten. */
export interface WrittenAnswer {
  path?: string;
  exists?: string;
}

/** What is answered to each request. */
export interface Answers {
  summary: SummaryAnswer;
  open: OpenAnswer;
  compare: CompareAnswer;
  release: Record<string, unknown>;
  save: WrittenAnswer;
  export: WrittenAnswer;
}

/** What the server says of a file that holds no document of its own. */
export interface FileAnswer {
  /** `tracelab.file`. */
  format: string;
  /** A kernel can read it: `tlab`, `export` or `script`. */
  kind?: string;
  /** One sentence: it cannot be read. */
  error?: string;
}

/** The picture of a graph file. */
export interface ImportedDocument {
  /** Its view document, before it is checked. */
  document: unknown;
}

/** A graph file that cannot be read. */
export interface UnreadableFile {
  /** One sentence. */
  error: string;
}

/** A graph file as a kernel read it. */
export type ImportedFile = ImportedDocument | UnreadableFile;
