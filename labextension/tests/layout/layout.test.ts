import { describe, expect, it } from 'vitest';
import { layout } from '../../src/layout/layout';
import type { LayoutInput, LayoutResult } from '../../src/layout/types';

interface Spec {
  parents: number[];
  open?: number[];
  edges: [number, number][];
  inputs?: number[];
  outputs?: number[];
}

function input(spec: Spec): LayoutInput {
  const open = new Set(spec.open ?? []);
  return {
    parents: spec.parents,
    widths: spec.parents.map(() => 80),
    heights: spec.parents.map(() => 40),
    open: spec.parents.map((_, index) => open.has(index)),
    pinned: spec.parents.map((_, index) =>
      spec.inputs?.includes(index) ? -1 : spec.outputs?.includes(index) ? 1 : 0,
    ),
    sources: spec.edges.map(([source]) => source),
    targets: spec.edges.map(([, target]) => target),
  };
}

const flat = (count: number): number[] => new Array<number>(count).fill(-1);
const center = (result: LayoutResult, box: number): number => result.x[box] + result.width[box] / 2;

function overlapping(result: LayoutResult, parents: number[]): [number, number][] {
  const pairs: [number, number][] = [];
  for (let a = 0; a < parents.length; a++) {
    for (let b = a + 1; b < parents.length; b++) {
      const apart =
        result.x[a] + result.width[a] <= result.x[b] ||
        result.x[b] + result.width[b] <= result.x[a] ||
        result.y[a] + result.height[a] <= result.y[b] ||
        result.y[b] + result.height[b] <= result.y[a];
      if (parents[a] === parents[b] && !apart) {
        pairs.push([a, b]);
      }
    }
  }
  return pairs;
}

/** A chain of `blocks` open groups of `size` boxes; box 0 feeds every block when `hub`. */
function transformer(blocks: number, size: number, hub: boolean): Spec {
  const parents = [-1];
  const open: number[] = [];
  const edges: [number, number][] = [];
  let last = 0;
  for (let block = 0; block < blocks; block++) {
    const group = parents.push(-1) - 1;
    open.push(group);
    for (let at = 0; at < size; at++) {
      const box = parents.push(group) - 1;
      edges.push([last, box]);
      if (hub && at === 2) {
        edges.push([0, box]);
      }
      if (at % 5 === 4) {
        edges.push([box - 4, box]);
      }
      last = box;
    }
  }
  return { parents, open, edges, inputs: [0] };
}

describe('layout', () => {
  it('draws a chain as one straight line', () => {
    const result = layout(
      input({
        parents: flat(4),
        edges: [
          [0, 1],
          [1, 2],
          [2, 3],
        ],
      }),
    );
    expect(result.paths.map((path) => path.length)).toEqual([4, 4, 4]);
  });

  it('keeps the main path straight beside a skip', () => {
    const result = layout(
      input({
        parents: flat(4),
        edges: [
          [0, 1],
          [1, 2],
          [2, 3],
          [0, 3],
        ],
      }),
    );
    expect(center(result, 3)).toBeCloseTo(center(result, 0), 0);
  });

  it('leads a skip around the boxes that it passes', () => {
    const result = layout(
      input({
        parents: flat(4),
        edges: [
          [0, 1],
          [1, 2],
          [2, 3],
          [0, 3],
        ],
      }),
    );
    const xs = result.paths[3].filter((_, at) => at % 2 === 0);
    expect(Math.max(...xs.map((x) => Math.abs(x - center(result, 1))))).toBeGreaterThan(40);
  });

  it('puts every box below what feeds it', () => {
    const spec = transformer(4, 10, true);
    const result = layout(input(spec));
    for (const [source, target] of spec.edges) {
      expect(result.y[target]).toBeGreaterThanOrEqual(result.y[source] + result.height[source]);
    }
  });

  it('lets no two boxes of a group overlap', () => {
    const spec = transformer(4, 10, true);
    expect(overlapping(layout(input(spec)), spec.parents)).toEqual([]);
  });

  it('keeps the contents of a group inside its frame', () => {
    const spec = transformer(3, 10, true);
    const result = layout(input(spec));
    spec.parents.forEach((parent, box) => {
      if (parent >= 0) {
        expect(result.x[box]).toBeGreaterThanOrEqual(result.x[parent]);
        expect(result.x[box] + result.width[box]).toBeLessThanOrEqual(
          result.x[parent] + result.width[parent],
        );
        expect(result.y[box] + result.height[box]).toBeLessThanOrEqual(
          result.y[parent] + result.height[parent],
        );
      }
    });
  });

  it('begins and ends each path on its boxes', () => {
    const spec = transformer(3, 10, true);
    const result = layout(input(spec));
    spec.edges.forEach(([source, target], edge) => {
      const path = result.paths[edge];
      expect(path[1]).toBeCloseTo(result.y[source] + result.height[source]);
      expect(path[path.length - 1]).toBeCloseTo(result.y[target]);
      expect(Math.abs(path[path.length - 2] - center(result, target))).toBeLessThanOrEqual(40);
    });
  });

  it('draws paths of horizontal and vertical stretches only', () => {
    const result = layout(input(transformer(3, 10, true)));
    for (const path of result.paths) {
      for (let at = 2; at < path.length; at += 2) {
        const slanted =
          Math.abs(path[at] - path[at - 2]) > 0.6 && Math.abs(path[at + 1] - path[at - 1]) > 0.6;
        expect(slanted).toBe(false);
      }
    }
  });

  it('moves a constant down to its only user', () => {
    const result = layout(
      input({
        parents: flat(5),
        inputs: [0],
        edges: [
          [0, 2],
          [2, 3],
          [3, 4],
          [1, 4],
        ],
      }),
    );
    expect(result.y[1]).toBe(result.y[3]);
  });

  it('puts outputs alone into the last row', () => {
    const result = layout(
      input({
        parents: flat(4),
        inputs: [0],
        outputs: [3],
        edges: [
          [0, 1],
          [1, 2],
          [1, 3],
        ],
      }),
    );
    expect(result.y[3]).toBeGreaterThan(result.y[2]);
  });

  it('survives a group that is left and entered again', () => {
    // Box 0 is open and holds 1 and 2; box 3 reads 1 and feeds 2.
    const result = layout(
      input({
        parents: [-1, 0, 0, -1],
        open: [0],
        edges: [
          [1, 3],
          [3, 2],
        ],
      }),
    );
    expect(result.paths.every((path) => path.every(Number.isFinite))).toBe(true);
  });

  it('gives the same picture for the same graph', () => {
    expect(layout(input(transformer(5, 10, true)))).toEqual(layout(input(transformer(5, 10, true))));
  });

  it('lays out an empty graph', () => {
    expect(layout(input({ parents: [], edges: [] })).paths).toEqual([]);
  });

  it.each([1000, 5000])('lays out %i boxes with a hub in well under two seconds', (count) => {
    const spec = input(transformer(count / 20, 20, true));
    const start = performance.now();
    layout(spec);
    const elapsed = performance.now() - start;
    process.stdout.write(`layout of ${count} boxes: ${elapsed.toFixed(0)} ms\n`);
    expect(elapsed).toBeLessThan(2000);
  });
});
