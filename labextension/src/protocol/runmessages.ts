// Written by `npm run codegen` from tracelab/protocol/runs.py.
/**
 * What travels between an explorer and the kernel that can run its graph.
 *
 * Numbers for nodes and values come as buffers of little-endian numbers beside the message; rows are those of the view
 * document, and -1 means "none".
 */

/** A picture was put up: introduce the kernel, and repeat the last run. */
export interface RunHello {
  type: 'run.hello';
}

/** Is the kernel still there? */
export interface RunPing {
  type: 'run.ping';
}

/** Run the graph. */
export interface RunStart {
  type: 'run.start';
  device: string;
  /** What a person wrote for each input: nothing, `random`, a shape, or a variable's name. */
  inputs: string[];
  /** The node after which the run stops. */
  until: number;
}

/** Stop the run. */
export interface RunStop {
  type: 'run.stop';
}

/** Count operations, without data. */
export interface RunFlops {
  type: 'run.flops';
}

/** Draw a slice of a value of the last run. */
export interface RunView {
  type: 'run.view';
  value: number;
  /** The dimensions that run down and across; the last two where it is null. */
  axes: number[] | null;
  /** The place in each other dimension; 0 where it is null. */
  index: number[] | null;
}

/** What are the sizes called? Asked once the picture is up. */
export interface SizesAsk {
  type: 'sizes.ask';
}

/** Make a figure for print of what is on the screen. */
export interface FigureAsk {
  type: 'figure.ask';
  form: 'pdf' | 'tex';
  /** The scopes whose groups are open. */
  opened: number[];
  /** The scopes whose contents stand in the group around them. */
  inlined: number[];
  /** Repeated blocks are one. */
  repeats: boolean;
  /** Sizes have their names. */
  symbolic: boolean;
  /** It runs from left to right. */
  horizontal: boolean;
}

/** From the browser. */
export type BrowserMessage = RunHello | RunPing | RunStart | RunStop | RunFlops | RunView | SizesAsk | FigureAsk;

/** An input of the graph. */
export interface RunInput {
  name: string;
  type: string;
  /** The tensor of the trace is at hand. */
  kept: boolean;
}

/** The kernel can run the graph. */
export interface RunReady {
  type: 'run.ready';
  devices: string[];
  inputs: RunInput[];
}

/** A run began. */
export interface RunBegin {
  type: 'run.begin';
  device: string;
  /** How many nodes it has at most. */
  nodes: number;
}

/**
 * Some nodes ran.
 *
 * Buffers: node rows (int32); seconds, bytes allocated and peak bytes of each (float64); 0, 1 for an infinity or 2 for
 * a NaN in each (uint8); value rows (int32); count, min, max, mean, std, zeros, NaNs and infinities of each (float64);
 * `bins` bars of each (int32).
 */
export interface RunProgress {
  type: 'run.progress';
  nodes: number;
  values: number;
  bins: number;
}

/** How a run ended. */
export interface RunEnd {
  state: 'finished' | 'stopped' | 'cancelled' | 'failed';
  message: string;
  /** The node that raised. */
  node: number;
  /** The first node with a NaN. */
  nan?: number;
  /** The first node with a NaN or an infinity. */
  nonfinite?: number;
  /** The first node that did not run. */
  stopped?: number;
  device?: string;
}

/** A run ended. */
export interface RunEnded extends RunEnd {
  type: 'run.end';
}

/** Numbers to lay over the picture. Buffer: one for each node (float64), NaN where there is none. */
export interface RunOverlay {
  type: 'run.overlay';
  name: string;
  unit: string;
}

/** A slice of a tensor, made small. */
export interface Heatmap {
  value: number;
  shape: number[];
  dtype: string;
  rows: number;
  columns: number;
  axes: [number, number];
  index: number[];
  /** How many elements a cell stands for, down and across. */
  step: [number, number];
  low: number | null;
  high: number | null;
}

/** A slice that was asked for. Buffer: its cells, row after row (float32). */
export interface RunHeatmap extends Heatmap {
  type: 'run.heatmap';
}

/** A slice that cannot be drawn. */
export interface RunHeatmapError {
  type: 'run.heatmap_error';
  value: number;
  /** One sentence why. */
  message: string;
}

/** What was asked for cannot be done. */
export interface RunFault {
  type: 'run.error';
  message: string;
}

/** The kernel is there. */
export interface RunPong {
  type: 'run.pong';
}

/** Sizes by name, of tensors in which some size may differ from call to call; none of those that are not known. */
export interface SizesTold {
  type: 'sizes.told';
  /** Of which recording, where there are several. */
  case: number;
  /** Value rows, each with a text for each size: `batch`, `64`, `length - 1`, `?`. */
  sizes: [number, string[]][];
}

/** A figure that was asked for. Buffer: the file, unless it could not be made. */
export interface FigureMade {
  type: 'figure.made';
  form: 'pdf' | 'tex';
  /** One sentence why not; empty where it was made. */
  message: string;
}

/** From the kernel. */
export type KernelMessage =
  | RunReady
  | RunBegin
  | RunProgress
  | RunEnded
  | RunOverlay
  | RunHeatmap
  | RunHeatmapError
  | RunFault
  | RunPong
  | SizesTold
  | FigureMade;
