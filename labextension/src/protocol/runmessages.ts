/**
 * What travels between the explorer and the kernel that can run its graph (`tracelab/jupyter/running.py`). Columns
 * come as buffers of little-endian numbers; rows are those of the view document.
 *
 * From the browser: `run.hello`, `run.ping`, `run.start` (device, inputs, upto: node row or -1), `run.stop`,
 * `run.flops`, `run.view` (value: row, axes, index). From the kernel: what `KernelMessage` lists, and `run.pong`.
 */

export interface RunInput {
  name: string;
  type: string;
  /** The tensor of the trace is at hand. */
  kept: boolean;
}

export interface RunEnd {
  state: 'finished' | 'stopped' | 'cancelled' | 'failed';
  message: string;
  /** The node that raised. */
  node: number;
  /** The first node with a NaN, and with a NaN or an infinity. */
  nan?: number;
  nonfinite?: number;
  /** The first node that did not run. */
  stopped?: number;
  device?: string;
}

export interface Heatmap {
  value: number;
  /** Absent where it was drawn. */
  message?: string;
  shape: number[];
  dtype: string;
  rows: number;
  columns: number;
  axes: [number, number];
  index: number[];
  step: [number, number];
  low: number | null;
  high: number | null;
}

export type KernelMessage =
  | { type: 'run.ready'; devices: string[]; inputs: RunInput[] }
  | { type: 'run.begin'; device: string; nodes: number }
  | { type: 'run.progress'; nodes: number; values: number; bins: number }
  | ({ type: 'run.end' } & RunEnd)
  | { type: 'run.overlay'; name: string; unit: string }
  | ({ type: 'run.heatmap' } & Heatmap)
  | { type: 'run.error'; message: string }
  | { type: 'run.pong' };

/** The way to the kernel; `send` throws where there is none any more. */
export interface KernelConnection {
  send(content: Record<string, unknown>): void;
  onMessage(listener: (message: KernelMessage, buffers: DataView[]) => void): void;
  /** The kernel restarted or the connection was lost. */
  onDisconnect(listener: () => void): void;
  /** Something happened to the connection: ask whether the kernel is still there. */
  onConnectionChange(listener: () => void): void;
}

const toArrayBuffer = (view: DataView): ArrayBuffer =>
  view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) as ArrayBuffer;

export const ints = (view: DataView): Int32Array => new Int32Array(toArrayBuffer(view));
export const doubles = (view: DataView): Float64Array => new Float64Array(toArrayBuffer(view));
export const floats = (view: DataView): Float32Array => new Float32Array(toArrayBuffer(view));
export const bytes = (view: DataView): Uint8Array => new Uint8Array(toArrayBuffer(view));
