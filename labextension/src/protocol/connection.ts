/** The way to the kernel that can run a graph, and reading the columns that come over it. */

import type { BrowserMessage, KernelMessage } from './runmessages';

/** `send` throws where there is no kernel any more. */
export interface KernelConnection {
  send(content: BrowserMessage): void;
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
