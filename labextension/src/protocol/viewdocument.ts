// Written by `npm run codegen` from tracelab/protocol/view_document.py.
/**
 * One JSON object from which every reader draws: the widget, the file viewer, SVG pictures and HTML pages.
 *
 * It is the same bytes for the same trace: nothing in it is an id, an address, a time, or a path of the machine. Text is
 * stored once, in `strings`, and shapes in `shapes`. A table is an object of columns, lists of equal length. An integer
 * that names a row of a table counts from 0; -1 means "none".
 */

export const FORMAT = 'tracelab.view';

export const VERSION = 2;

/** The same for all versions: a reader looks at `version`. */
export const MIME_TYPE = 'application/vnd.tracelab.v1+json';

/** What a value is to the graph. */
export enum Role {
  Computed = 0,
  Input = 1,
  Parameter = 2,
  Buffer = 3,
  Constant = 4,
}

/** What a comparison found of a node, module or input. */
export enum Status {
  Same = 0,
  Added = 1,
  Removed = 2,
  Changed = 3,
}

/** The tree of module calls and function calls; row 0 is the root, the traced function or module itself. */
export interface ScopeColumns {
  /** A parent stands before its children. */
  parent: number[];
  /** The last part of the module path: `layer1`, `0`, `conv1`; of a function `rotate_half()`. */
  name: number[];
  /** `BasicBlock`. */
  class_name: number[];
  /** 0 for the first call of that module, 1 for the second. */
  call: number[];
  /** Scopes that are calls of Python functions; they are no part of the paths of modules in them. */
  functions?: number[];
  /** Those of them that are no calls, but parts of a training loop: `iteration`, `forward`, `optimizer step`. */
  phases?: number[];
}

/** The nodes, in execution order. */
export interface NodeColumns {
  /** `aten::linear`. */
  kind: number[];
  scope: number[];
  /** `aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor`. */
  schema: number[];
  source: number[];
  /** Values that the node uses, in argument order, those inside of lists too. */
  inputs: number[][];
  outputs: number[][];
  /** Every argument: its name in the schema, and text for people, in which values are written `%name`. */
  arguments: [number, number][][];
  /** The node that raised. */
  failed?: number;
  /** Nodes that stand for a whole region, such as a call of Python. */
  opaque?: number[];
  /** Arithmetic on sizes, which is part of what uses it: each such node with its expression, `x.size(1) // 2`. */
  sizes?: [number, number][];
  /** Nodes on which no output and nothing outside the graph depends. */
  unused?: number[];
  /** Nodes that make positions, masks and other tensors from sizes and numbers alone. */
  constants?: number[];
  /** Switches of modes and contexts, reads and writes of gradients; with a read what made or last changed it. */
  markers?: [number, number][];
  /** Nodes that give back the tensor that they take, as it is; with each what made it. */
  identities?: [number, number][];
  /** Nodes that work out gradients. */
  backward?: number[];
}

/** What the nodes compute, and the graph's inputs, parameters, buffers and constants. */
export interface ValueColumns {
  /** Unique in the graph: `x`, `weight.1`. */
  name: number[];
  /** `Tensor`, `int`, `Tensor[]`. */
  type: number[];
  /** `float32`. */
  dtype: number[];
  shape: number[];
  /** `cpu`, `cuda:0`. */
  device: number[];
  /** The node that makes it. */
  node: number[];
  role: number[];
  /** The path of a parameter or buffer: `layer1.0.conv1.weight`. */
  path: number[];
  /** The value whose memory it shares. */
  alias: number[];
  /** Strides of the tensors whose elements do not lie densely, row after row. */
  strides?: [number, number][];
  /** Sizes by name, of tensors in which some size may differ from call to call: `batch`, `64`, `length - 1`, `?`. */
  sizes?: [number, number[]][];
}

/** Places in the user's code, each one stack frame. */
export interface SourceColumns {
  file: number[];
  /** Lines count from 1, columns from 0. */
  line: number[];
  end_line: number[];
  column: number[];
  end_column: number[];
  function: number[];
  /** The frame that called this one. */
  caller: number[];
}

/** The lines of a file near the places of the graph. */
export interface SourceFile {
  /** A short path, or `this cell`. */
  name: string;
  /** Text by line number. */
  lines: Record<string, string>;
}

/**
 * An edit after which the code is no longer specialized, in the file of the warning's source.
 *
 * All lines that it spans are in `files`.
 */
export interface QuickFix {
  line: number;
  column: number;
  end_line: number;
  end_column: number;
  /** The replacement. */
  text: string;
  /** One sentence: why it may be made. */
  reason: string;
}

/** A warning of the trace, on a node and on a source line. */
export interface TraceDiagnostic {
  /** `bool`, `item`, `iteration`. */
  kind: string;
  message: string;
  node: number;
  source: number;
  /** The value that the trace is specialized on, as text, or an empty string. */
  constant: string;
  /** Outputs of the graph that depend on it. */
  affects: number[];
  /** What a check found, where one was made: a counterexample, or none in so many tries. */
  verdict?: string;
  fix?: QuickFix;
}

/** The graph in numbers. */
export interface Summary {
  ops: number;
  /** Elements; each parameter counts once. */
  parameters: number;
  parameter_bytes: number;
  warnings: number;
}

/** What changed (`operator`, `argument dim`, `shape`, `input self`), before, and after. */
export type ChangeRow = [number, number, number];

/** What became of the nodes. */
export interface DiffNodes {
  status: number[];
  /** `input` says that the node reads from one that was added, removed or moved; it may be the same itself. */
  changes: [number, ChangeRow[]][];
  /** Nodes that changed only because what they read has another shape or dtype. */
  follows: number[];
  /** The place in the first graph; -1 for added nodes. */
  order: number[];
  /** What changed nodes used in the first graph. */
  inputs: [number, number[]][];
}

/** What became of the modules. */
export interface DiffScopes {
  /** Changed: renamed, moved, or of another class. */
  status: number[];
  /** Path and class before, as text. */
  was: number[];
  /** Name and class in the first graph, of those that changed. */
  former: [number, number, number][];
  /** How many nodes in and below the module are not the same; those that follow do not count. */
  differences: number[];
}

/** What became of inputs, parameters and buffers. */
export interface DiffValues {
  status: [number, number][];
  changes: [number, ChangeRow[]][];
}

/**
 * The difference of two graphs, in a document that holds the nodes of both, merged.
 *
 * A reader that does not know it draws the merged graph as it would draw any. Values that a removed node made are
 * inputs of what read them before, so that the removed node hangs together with the rest. Lines never run against the
 * order of the rows.
 */
export interface DiffSection {
  /** The name of the first graph. */
  before: string;
  after: string;
  /** `3 nodes added, 1 node changed`. */
  headline: string;
  nodes: DiffNodes;
  scopes: DiffScopes;
  values: DiffValues;
  /** The outputs of the first graph. */
  outputs: number[];
}

/** Numbers for nodes, such as the error of each. */
export interface Overlay {
  name: string;
  /** `"nan"`, `"inf"` and `"-inf"` are written as text: JSON has no number for them. */
  values: (number | string | null)[];
}

/** One of several recordings of what was traced. */
export interface TraceCase {
  /** What is different in it: `mask given`, `x.shape[0] > 1`. */
  label: string;
  /** Its view document; absent for the recording that the outer document shows. */
  document?: unknown;
}

/** The document. */
export interface ViewDocument {
  /** `tracelab.view`. */
  format: string;
  /** A reader refuses what is newer than it knows. */
  version: number;
  /** What was traced. */
  name: string;
  /** Major and minor version. */
  torch: string;
  strings: string[];
  shapes: number[][];
  scopes: ScopeColumns;
  nodes: NodeColumns;
  values: ValueColumns;
  /** The user's inputs first, then the parameters and buffers that are used. */
  inputs: number[];
  outputs: number[];
  /** What each output is called in the result: `past_key_values.0.keys`; where one has such a path. */
  output_names?: number[];
  sources: SourceColumns;
  files: SourceFile[];
  warnings: TraceDiagnostic[];
  summary: Summary;
  diff?: DiffSection;
  overlays?: Overlay[];
  /** Where there are several recordings: each of them, in the order in which they were made. */
  cases?: TraceCase[];
}
