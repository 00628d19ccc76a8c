/**
 * The layout as it travels to a worker. `build/generate.mjs` bundles this file into one function without references
 * to anything outside: the main thread calls it, the worker is started from its text, and the bundle holds it once.
 */

import { createCache } from './cache';
import { layout } from './layout';
import type { LayoutInput } from './types';

export interface WorkerScope {
  onmessage: ((event: MessageEvent<{ id: number; input: LayoutInput }>) => void) | null;
  postMessage(message: unknown): void;
}

/** Answers the messages of a runner. */
export function serve(scope: WorkerScope): void {
  const cache = createCache();
  scope.onmessage = (event) => {
    const { id, input } = event.data;
    try {
      scope.postMessage({ id, result: layout(input, cache) });
    } catch (error) {
      scope.postMessage({ id, error: String(error) });
    }
  };
}

export { createCache, layout };
