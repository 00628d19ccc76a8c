import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { flatInput, transformer } from '../../benchmarks/graphs';
import { createCache } from '../../src/layout/cache';
import { layout } from '../../src/layout/layout';
import { GROUP_TOP } from '../../src/layout/spacing';
import type { LayoutInput, LayoutResult } from '../../src/layout/types';

/** Any nested picture: boxes with a group to stand in, edges forwards in the trace, a few inputs and outputs. */
const pictures = fc
  .array(
    fc.record({
      open: fc.boolean(),
      inside: fc.nat(5),
      width: fc.integer({ min: 10, max: 260 }),
      height: fc.integer({ min: 10, max: 60 }),
      from: fc.array(fc.nat(40), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((rows): LayoutInput => {
    const parents: number[] = [];
    const path: number[] = [];
    rows.forEach((row, box) => {
      path.length = Math.min(path.length, row.inside);
      parents.push(path.length > 0 ? path[path.length - 1] : -1);
      if (row.open) {
        path.push(box);
      }
    });
    const open = rows.map((row, box) => row.open && parents.includes(box));
    const pinned = rows.map((_, box) =>
      parents[box] >= 0 || open[box] ? 0 : box === 0 ? -1 : box === rows.length - 1 ? 1 : 0,
    );
    const edges = new Set<string>();
    rows.forEach((row, target) => {
      for (const source of row.from) {
        if (source < target && !open[source] && !open[target] && pinned[source] < 1 && pinned[target] > -1) {
          edges.add(`${source},${target}`);
        }
      }
    });
    const ends = [...edges].map((edge) => edge.split(',').map(Number));
    return {
      parents,
      widths: rows.map((row) => row.width),
      heights: rows.map((row) => row.height),
      open,
      pinned,
      sources: ends.map(([source]) => source),
      targets: ends.map(([, target]) => target),
    };
  });

const check = (property: (input: LayoutInput, result: LayoutResult) => void): void =>
  fc.assert(
    fc.property(pictures, (input) => property(input, layout(input))),
    { numRuns: 300 },
  );

function expectApart({ parents }: LayoutInput, { x, y, width, height }: LayoutResult): void {
  for (let a = 0; a < parents.length; a++) {
    for (let b = a + 1; b < parents.length; b++) {
      const apart =
        x[a] + width[a] <= x[b] + 1e-6 ||
        x[b] + width[b] <= x[a] + 1e-6 ||
        y[a] + height[a] <= y[b] + 1e-6 ||
        y[b] + height[b] <= y[a] + 1e-6;
      expect(parents[a] !== parents[b] || apart).toBe(true);
    }
  }
}

function expectInside({ parents }: LayoutInput, { x, y, width, height }: LayoutResult): void {
  parents.forEach((parent, box) => {
    if (parent >= 0) {
      expect(x[box]).toBeGreaterThanOrEqual(x[parent]);
      expect(y[box]).toBeGreaterThanOrEqual(y[parent] + GROUP_TOP - 1e-6);
      expect(x[box] + width[box]).toBeLessThanOrEqual(x[parent] + width[parent] + 1e-6);
      expect(y[box] + height[box]).toBeLessThanOrEqual(y[parent] + height[parent] + 1e-6);
    }
  });
}

function expectEnds({ sources, targets }: LayoutInput, { x, y, width, height, paths }: LayoutResult): void {
  paths.forEach((path, edge) => {
    const [source, target] = [sources[edge], targets[edge]];
    const last = path.length - 2;
    expect(path[1]).toBeCloseTo(y[source] + height[source], 5);
    expect(path[last + 1]).toBeCloseTo(y[target], 5);
    expect(path[0]).toBeGreaterThanOrEqual(x[source] - 1e-6);
    expect(path[0]).toBeLessThanOrEqual(x[source] + width[source] + 1e-6);
    expect(path[last]).toBeGreaterThanOrEqual(x[target] - 1e-6);
    expect(path[last]).toBeLessThanOrEqual(x[target] + width[target] + 1e-6);
  });
}

function expectClearLines(
  { open, sources, targets }: LayoutInput,
  { x, y, width, height, paths }: LayoutResult,
): void {
  paths.forEach((path, edge) => {
    for (let at = 2; at < path.length; at += 2) {
      const [x1, y1, x2, y2] = path.slice(at - 2, at + 2);
      expect(Math.min(Math.abs(x1 - x2), Math.abs(y1 - y2))).toBeLessThan(0.6);
      x.forEach((left, box) => {
        const other = !open[box] && box !== sources[edge] && box !== targets[edge];
        const across =
          Math.min(x1, x2) < left + width[box] - 1 &&
          Math.max(x1, x2) > left + 1 &&
          Math.min(y1, y2) < y[box] + height[box] - 1 &&
          Math.max(y1, y2) > y[box] + 1;
        expect(other && across).toBe(false);
      });
    }
  });
}

describe('any picture', () => {
  it('has no two boxes of one group that overlap', () => {
    check(expectApart);
  });

  it('has every box inside its group, below its title', () => check(expectInside));

  it('has every line begin below its source and end above its target', () => check(expectEnds));

  it('has lines of straight stretches only, none through a box beside', () => check(expectClearLines));

  it('of one level has sources above their targets', () => {
    check(({ parents, sources, targets }, { y, height }) => {
      sources.forEach((source, edge) => {
        const target = targets[edge];
        if (parents.every((parent) => parent < 0)) {
          expect(y[source] + height[source]).toBeLessThanOrEqual(y[target]);
        }
      });
    });
  });

  it('is the same from the cache', () => {
    const cache = createCache();
    fc.assert(
      fc.property(pictures, (input) => {
        expect(layout(input, cache)).toEqual(layout(input));
        expect(layout(input, cache)).toEqual(layout(input));
      }),
    );
  });
});

describe('any picture from left to right', () => {
  const checkRight = (property: (input: LayoutInput, result: LayoutResult) => void): void =>
    fc.assert(
      fc.property(pictures, (input) => property(input, layout({ ...input, flow: 'right' }))),
      { numRuns: 300 },
    );

  it('has no two boxes of one group that overlap', () => {
    checkRight(expectApart);
  });

  it('has every box inside its group, below its title', () => checkRight(expectInside));

  it('has room on the main line for the square of an open group', () => {
    checkRight(({ parents }, { x, y, height, axis }) => {
      parents.forEach((parent, box) => {
        if (parent >= 0 && y[box] < axis[parent] + 7 && y[box] + height[box] > axis[parent] - 7) {
          expect(x[box]).toBeGreaterThanOrEqual(x[parent] + 27);
        }
      });
    });
  });

  it('keeps the size of closed boxes, and room for the title of open ones', () => {
    checkRight(({ open, widths, heights }, { width, height }) => {
      open.forEach((isOpen, box) => {
        expect(isOpen ? width[box] >= widths[box] : width[box] === widths[box]).toBe(true);
        expect(isOpen || height[box] === heights[box]).toBe(true);
      });
    });
  });

  it('has every line leave at the right of its source and enter at the left of its target', () => {
    checkRight(({ sources, targets }, { x, y, width, height, paths }) => {
      paths.forEach((path, edge) => {
        const [source, target] = [sources[edge], targets[edge]];
        const last = path.length - 2;
        expect(path[0]).toBeCloseTo(x[source] + width[source], 5);
        expect(path[last]).toBeCloseTo(x[target], 5);
        expect(path[1]).toBeGreaterThanOrEqual(y[source] - 1e-6);
        expect(path[1]).toBeLessThanOrEqual(y[source] + height[source] + 1e-6);
        expect(path[last + 1]).toBeGreaterThanOrEqual(y[target] - 1e-6);
        expect(path[last + 1]).toBeLessThanOrEqual(y[target] + height[target] + 1e-6);
      });
    });
  });

  it('has lines of straight stretches only, none through a box beside', () => checkRight(expectClearLines));
});

describe('any picture in columns', () => {
  const inColumns = fc
    .tuple(pictures, fc.nat(), fc.integer({ min: 2, max: 5 }))
    .map(([input, at, columns]): LayoutInput => {
      const groups = [-1, ...input.open.flatMap((isOpen, box) => (isOpen ? [box] : []))];
      return { ...input, flow: 'columns', wrap: { group: groups[at % groups.length], columns } };
    });
  const checkColumns = (property: (input: LayoutInput, result: LayoutResult) => void): void =>
    fc.assert(
      fc.property(inColumns, (input) => property(input, layout(input))),
      { numRuns: 500 },
    );

  it('has no two boxes of one group that overlap', () => checkColumns(expectApart));

  it('has every box inside its group, below its title', () => checkColumns(expectInside));

  it('has lines of straight stretches only, none through a box beside', () => checkColumns(expectClearLines));

  it('has every line begin below its source and end above its target', () => checkColumns(expectEnds));

  it('has the same columns again where they are given', () => {
    checkColumns((input, result) => {
      const wrap = { ...input.wrap!, columns: 1, breaks: result.breaks! };
      expect(layout({ ...input, wrap })).toEqual(result);
    });
  });
});

describe('a chain in columns', () => {
  const chain: LayoutInput = {
    parents: new Array<number>(9).fill(-1),
    widths: new Array<number>(9).fill(100),
    heights: new Array<number>(9).fill(30),
    open: new Array<boolean>(9).fill(false),
    pinned: [-1, 0, 0, 0, 0, 0, 0, 0, 1],
    sources: [0, 1, 2, 3, 4, 5, 6, 7],
    targets: [1, 2, 3, 4, 5, 6, 7, 8],
    flow: 'columns',
    wrap: { group: -1, columns: 3 },
  };
  const { x, y, paths, breaks } = layout(chain);

  it('stands three by three', () => {
    expect(breaks).toEqual([3, 6]);
    expect(x).toEqual([0, 0, 0, 136, 136, 136, 272, 272, 272]);
    expect(y[3]).toBe(y[0]);
    expect(y[8]).toBe(y[2]);
  });

  it('goes on over the top of the next column', () => {
    expect(paths[2].filter((_, at) => at % 2 === 0)).toEqual([50, 50, 118, 118, 186, 186]);
    expect(Math.min(...paths[2].filter((_, at) => at % 2 === 1))).toBeLessThan(y[3]);
  });

  it('is passed over by a line that skips a column, not passed under', () => {
    const skipping = layout({ ...chain, sources: [...chain.sources, 0], targets: [...chain.targets, 7] });
    const path = skipping.paths[8];
    // Down from its source, beside its column, up, over both columns, down beside its target, to it.
    expect(path.length / 2).toBe(8);
    expect(Math.min(...path.filter((_, at) => at % 2 === 1))).toBeLessThan(skipping.y[0]);
    path.slice(0, -4).forEach((place, at) => {
      expect(at % 2 === 1 && place > skipping.y[1]).toBe(false);
    });
  });
});

describe('a transformer', () => {
  it('has equal layers that stand below each other', () => {
    const result = layout(flatInput(transformer(2000)));
    const middle = (box: number): number => result.x[box] + result.width[box] / 2;
    // The residual sums of all layers but the outermost.
    const sums = Array.from({ length: 80 }, (_, layer) => middle(5 + 20 * (layer + 10) + 19));
    expect(Math.max(...sums) - Math.min(...sums)).toBeLessThan(100);
  });

  it('takes work in proportion to its size', () => {
    const count = (nodes: number): number => {
      const { max, min, abs } = Math;
      let calls = 0;
      const input = flatInput(transformer(nodes));
      Math.max = (...values) => (calls++, max(...values));
      Math.min = (...values) => (calls++, min(...values));
      Math.abs = (value) => (calls++, abs(value));
      try {
        layout(input);
      } finally {
        Object.assign(Math, { max, min, abs });
      }
      return calls;
    };
    expect(count(20_000) / count(5000)).toBeLessThan(4.4);
  }, 30_000);
});
