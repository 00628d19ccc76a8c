/** Lays out in a worker where the page allows one, else on the main thread. */

import { layoutModule } from '../generated/layout';
import type { LayoutInput, LayoutResult } from './types';

const { createCache, layout } = layoutModule();
const WORKER_SOURCE = `(${layoutModule.toString()})().serve(self)`;

/** Below this, starting a message round trip costs more than the layout. */
const SMALL = 400;

interface Answer {
  id: number;
  result?: LayoutResult;
  error?: string;
}

export interface LayoutRunner {
  run(input: LayoutInput): Promise<LayoutResult>;
  /** At once: of a small picture, which is not kept. */
  now: (input: LayoutInput) => LayoutResult;
  destroy(): void;
}

export function createRunner(): LayoutRunner {
  const cache = createCache();
  let worker: Worker | null | undefined;
  let address = '';
  let next = 0;
  const waiting = new Map<
    number,
    { input: LayoutInput; resolve(result: LayoutResult): void; reject(error: unknown): void }
  >();

  /** A page's content security policy may refuse the worker at once or only later, by an error event. */
  const fallBack = (): void => {
    worker?.terminate();
    worker = null;
    for (const { input, resolve, reject } of waiting.values()) {
      try {
        resolve(layout(input, cache));
      } catch (error) {
        reject(error);
      }
    }
    waiting.clear();
  };

  const start = (): void => {
    try {
      address = URL.createObjectURL(new Blob([WORKER_SOURCE], { type: 'text/javascript' }));
      worker = new Worker(address);
      worker.onmessage = (event: MessageEvent<Answer>) => {
        const { id, result, error } = event.data;
        const entry = waiting.get(id);
        waiting.delete(id);
        if (result !== undefined) {
          entry?.resolve(result);
        } else {
          entry?.reject(new Error(error));
        }
      };
      worker.onerror = fallBack;
    } catch {
      worker = null;
    }
  };

  return {
    run(input) {
      if (input.parents.length > SMALL && worker === undefined) {
        start();
      }
      if (input.parents.length <= SMALL || !worker) {
        return new Promise((resolve) => resolve(layout(input, cache)));
      }
      const id = next++;
      return new Promise((resolve, reject) => {
        waiting.set(id, { input, resolve, reject });
        worker!.postMessage({ id, input });
      });
    },
    now: (input) => layout(input),
    destroy() {
      worker?.terminate();
      worker = null;
      waiting.clear();
      if (address) {
        URL.revokeObjectURL(address);
      }
    },
  };
}
