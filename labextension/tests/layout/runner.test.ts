import { afterEach, expect, it, vi } from 'vitest';
import { layout } from '../../src/layout/layout';
import { createRunner } from '../../src/layout/runner';
import type { LayoutInput } from '../../src/layout/types';

function chain(count: number): LayoutInput {
  const boxes = Array.from({ length: count }, (_, index) => index);
  return {
    parents: boxes.map(() => -1),
    widths: boxes.map(() => 80),
    heights: boxes.map(() => 40),
    open: boxes.map(() => false),
    pinned: boxes.map(() => 0),
    sources: boxes.slice(0, -1),
    targets: boxes.slice(1),
  };
}

afterEach(() => {
  vi.unstubAllGlobals();
});

it('lays out on the main thread where there are no workers', async () => {
  vi.stubGlobal('Worker', undefined);
  expect(await createRunner().run(chain(600))).toEqual(layout(chain(600)));
});

it('lays out on the main thread when the page refuses the worker later', async () => {
  class Refused {
    onerror: (() => void) | null = null;
    postMessage(): void {
      setTimeout(() => this.onerror?.());
    }
    terminate(): void {
      // Nothing runs.
    }
  }
  vi.stubGlobal('Worker', Refused);
  expect(await createRunner().run(chain(600))).toEqual(layout(chain(600)));
});

it('takes the answer of the worker', async () => {
  class Echo {
    onmessage: ((event: { data: unknown }) => void) | null = null;
    postMessage(message: { id: number }): void {
      setTimeout(() => this.onmessage?.({ data: { id: message.id, result: 'drawn elsewhere' } }));
    }
  }
  vi.stubGlobal('Worker', Echo);
  expect(await createRunner().run(chain(600))).toBe('drawn elsewhere');
});
