/** The far end of the layout worker; built into a string by build/worker.mjs. */

import { layout } from './layout';
import type { LayoutInput } from './types';

interface WorkerScope {
  onmessage: ((event: MessageEvent<{ id: number; input: LayoutInput }>) => void) | null;
  postMessage(message: unknown): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = (event) => {
  const { id, input } = event.data;
  try {
    scope.postMessage({ id, result: layout(input) });
  } catch (error) {
    scope.postMessage({ id, error: String(error) });
  }
};
