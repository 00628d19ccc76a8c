/** One run as the explorer knows it: columns by node and statistics by value, filled as batches come in. */

import { bytes, doubles, ints } from '../../protocol/connection';
import { type KernelMessage, type RunEnd } from '../../protocol/runmessages';

export interface Statistics {
  count: number;
  /** Over the finite elements; null where there are none. */
  min: number | null;
  max: number | null;
  mean: number | null;
  std: number | null;
  zeros: number;
  nans: number;
  infs: number;
  /** Bars that part the range from min to max evenly. */
  histogram: number[];
}

export const enum Nonfinite {
  None = 0,
  Inf = 1,
  Nan = 2,
}

export interface RunData {
  readonly seconds: Float64Array;
  readonly peak: Float64Array;
  readonly allocated: Float64Array;
  readonly nonfinite: Uint8Array;
  readonly done: Uint8Array;
  readonly statistics: Map<number, Statistics>;
  /** Nodes that ran. */
  count: number;
  end: RunEnd | null;
}

export function emptyRun(nodes: number): RunData {
  return {
    seconds: new Float64Array(nodes).fill(NaN),
    peak: new Float64Array(nodes).fill(NaN),
    allocated: new Float64Array(nodes).fill(NaN),
    nonfinite: new Uint8Array(nodes),
    done: new Uint8Array(nodes),
    statistics: new Map(),
    count: 0,
    end: null,
  };
}

const known = (number: number): number | null => (Number.isNaN(number) ? null : number);

/** Puts a batch into its run. */
export function addBatch(
  run: RunData,
  message: Extract<KernelMessage, { type: 'run.progress' }>,
  buffers: DataView[],
): void {
  const nodes = ints(buffers[0]);
  const figures = doubles(buffers[1]);
  const flags = bytes(buffers[2]);
  nodes.forEach((node, row) => {
    if (node < 0 || node >= run.done.length) {
      return;
    }
    run.seconds[node] = figures[3 * row];
    run.allocated[node] = figures[3 * row + 1];
    run.peak[node] = figures[3 * row + 2];
    run.nonfinite[node] = flags[row];
    run.count += run.done[node] === 0 ? 1 : 0;
    run.done[node] = 1;
  });
  const values = ints(buffers[3]);
  const numbers = doubles(buffers[4]);
  const bars = ints(buffers[5]);
  values.forEach((value, row) => {
    const [count, min, max, mean, std, zeros, nans, infs] = numbers.subarray(8 * row, 8 * row + 8);
    run.statistics.set(value, {
      count,
      min: known(min),
      max: known(max),
      mean: known(mean),
      std: known(std),
      zeros,
      nans,
      infs,
      histogram: [...bars.subarray(message.bins * row, message.bins * (row + 1))].filter((bar) => bar >= 0),
    });
  });
}
