/** The view document as it comes from Python: VIEW_DOCUMENT.md in words, this file in types. */

export const VERSION = 1;
export const MIME_TYPE = 'application/vnd.tracelab.v1+json';

/** What a value is to the graph; the numbers stand in the `role` column. */
export enum Role {
  Computed = 0,
  Input = 1,
  Parameter = 2,
  Buffer = 3,
  Constant = 4,
}

export interface ScopeColumns {
  parent: number[];
  name: number[];
  class: number[];
  call: number[];
}

export interface NodeColumns {
  kind: number[];
  scope: number[];
  schema: number[];
  source: number[];
  inputs: number[][];
  outputs: number[][];
  arguments: [number, number][][];
  failed?: number;
  opaque?: number[];
}

export interface ValueColumns {
  name: number[];
  type: number[];
  dtype: number[];
  shape: number[];
  device: number[];
  node: number[];
  role: number[];
  path: number[];
  alias: number[];
  /** Pairs (value, shape) for tensors that do not lie densely: their strides. */
  strides?: [number, number][];
}

export interface SourceColumns {
  file: number[];
  line: number[];
  end_line: number[];
  column: number[];
  end_column: number[];
  function: number[];
  caller: number[];
}

export interface SourceFile {
  name: string;
  lines: Record<string, string>;
}

/** An edit after which the code is no longer specialized; it applies to the file of the warning's source. */
export interface QuickFix {
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  /** What comes in the place of what stands there. */
  text: string;
  /** One sentence: why it may. */
  reason: string;
}

export interface TraceDiagnostic {
  kind: string;
  message: string;
  node: number;
  source: number;
  value: string;
  taints: number[];
  answer?: string;
  mend?: QuickFix;
}

export interface Summary {
  ops: number;
  parameters: number;
  parameter_bytes: number;
  warnings: number;
}

/** What changed, before, after: rows of `strings`. */
export type ChangeRow = [number, number, number];

/** What became of the nodes of two graphs, in a document that holds both. */
export interface DiffSection {
  before: string;
  after: string;
  headline: string;
  nodes: {
    status: number[];
    changes: [number, ChangeRow[]][];
    follows: number[];
    order: number[];
    inputs: [number, number[]][];
  };
  scopes: {
    status: number[];
    was: number[];
    former: [number, number, number][];
    differences: number[];
  };
  values: { status: [number, number][]; changes: [number, ChangeRow[]][] };
  outputs: number[];
}

/** Numbers for nodes, such as the error of each; text for what JSON has no number for. */
export interface Overlay {
  name: string;
  values: (number | string | null)[];
}

export interface ViewDocument {
  format: string;
  version: number;
  name: string;
  torch: string;
  strings: string[];
  shapes: number[][];
  scopes: ScopeColumns;
  nodes: NodeColumns;
  values: ValueColumns;
  inputs: number[];
  outputs: number[];
  sources: SourceColumns;
  files: SourceFile[];
  warnings: TraceDiagnostic[];
  summary: Summary;
  diff?: DiffSection;
  overlays?: Overlay[];
}
