// @vitest-environment happy-dom
import { describe, expect, it } from 'vitest';
import { accessibleName, labelOf } from '../../src/model/describe';
import { detailsOf } from '../../src/model/elementdetails';
import { firstOpened } from '../../src/model/firstview';
import { buildHierarchy, groupElement, STORY, type Hierarchy } from '../../src/model/hierarchy';
import { groupEdges, shortestPath } from '../../src/model/traversal';
import { visibleFor } from '../../src/model/visible';
import { readDocument } from '../../src/protocol/validate';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentBuilder } from '../fixtures/builder';

/** Iterations of a loop, each with so many operators in its step; `first` is another operator in the first one. */
function loop(count: number, { first = 'relu', updates = 3, inCell = false } = {}): ViewDocument {
  const b = new DocumentBuilder('train');
  const { nodes, scopes } = b.document;
  const weight = b.parameter('net.weight', [4, 4]);
  const x = b.input('x', [2, 4]);
  const marks: [number, number][] = [];
  const last = (): number => nodes.kind.length - 1;
  const mark = (kind: string, inputs: number[], maker = -1): number => {
    const [value] = b.ops(kind, inputs, [{ name: 'grad', shape: [4, 4] }]);
    marks.push([last(), maker]);
    return value;
  };
  scopes.functions = [];
  scopes.phases = [];
  nodes.backward = [];
  const phase = <T>(name: string, className: string, body: () => T): T => {
    if (inCell && name !== 'forward') {
      // A cell knows its loops and its objects.
      return name === 'iteration'
        ? b.module('round', 'for xb in loader', body)
        : b.module('opt', className, body);
    }
    scopes.functions!.push(scopes.parent.length);
    scopes.phases!.push(scopes.parent.length);
    return b.module(name, className, body);
  };
  let weights = weight;
  let loss = x;
  for (let at = 0; at < count; at++) {
    phase('iteration', '', () => {
      scopes.call[scopes.call.length - 1] = at;
      loss = phase('forward', '', () => {
        const made = b.op(at === 0 ? first : 'relu', [b.op('linear', [x, weights], [2, 4])], [2, 4]);
        return b.op('mse_loss', [made], []);
      });
      b.ops('prim::PythonOp', [loss], []);
      const backward = last();
      nodes.backward!.push(backward);
      phase('optimizer step', 'SGD', () => {
        mark('prim::EnterContext', []);
        const gradient = mark('prim::grad', [weight], backward);
        for (let update = 0; update < updates; update++) {
          weights = b.op('add_', [update === 0 ? weight : weights, gradient], [4, 4]);
        }
      });
    });
  }
  b.output(loss);
  nodes.markers = marks;
  return readDocument(b.document);
}

const shown = (h: Hierarchy, opened: ReadonlySet<number>): string[] => {
  const visible = visibleFor(h, opened);
  return visible.elements.map((at, index) => {
    let depth = 0;
    for (let up = visible.parents[index]; up >= 0; up = visible.parents[up]) {
      depth++;
    }
    const { title, subtitle } = labelOf(h, at);
    return `${'  '.repeat(depth)}${title}${subtitle === '' ? '' : ` ${subtitle}`}`;
  });
};
const lines = (h: Hierarchy, opened: ReadonlySet<number>): string[] => {
  const visible = visibleFor(h, opened);
  return visible.edges.map(({ source, target }) =>
    [source, target].map((at) => labelOf(h, visible.elements[at]).title).join(' > '),
  );
};
const scopeNamed = (h: Hierarchy, path: string): number => h.paths.indexOf(path);
const first = (h: Hierarchy, zoom = 1): Set<number> => firstOpened(h, () => zoom);

describe('a training loop', () => {
  const h = buildHierarchy(loop(4));

  it('is a row of iterations at first, of which one shows its phases', () => {
    expect(shown(h, first(h))).toEqual([
      'x',
      '× 4 iteration',
      '  iteration',
      '    forward',
      '      linear',
      '      relu',
      '      mse_loss',
      '    backward',
      '    optimizer step SGD',
      '  iteration 2',
      '  iteration 3',
      '  iteration 4',
      'mse_loss',
    ]);
  });

  it('shows its phases in small text, too, since one box would say nothing', () => {
    expect(shown(h, first(h, 0.75))).toContain('    backward');
    expect(shown(h, first(h, 0.65))).toEqual(['x', '× 4 iteration', 'mse_loss']);
  });

  it('is one box where there is no room for more', () => {
    expect(shown(h, first(h, 0.1))).toEqual(['x', '× 4 iteration', 'mse_loss']);
    const long = buildHierarchy(loop(100));
    expect(shown(long, first(long))).toEqual(['x', '× 100 iteration', 'mse_loss']);
  });

  it('joins the loss to backward, and its gradients to the step', () => {
    expect(lines(h, first(h))).toEqual(
      expect.arrayContaining([
        'mse_loss > backward',
        'backward > optimizer step',
        'optimizer step > iteration 2',
      ]),
    );
    expect(shortestPath(h, 0, 6).map((at) => labelOf(h, at).title)).toEqual([
      ...['linear', 'relu', 'mse_loss', 'backward', 'add_'],
    ]);
  });

  it('names the gradients by their parameters', () => {
    const [backward] = h.document.nodes.backward!;
    expect(labelOf(h, backward).detail).toBe('1 gradient');
    const row = detailsOf(h, backward).find(([name]) => name.startsWith('output %grad'))!;
    expect(row[1]).toContain('gradient of net.weight');
  });

  it('has gradients that flow into the step', () => {
    const step = scopeNamed(h, 'iteration.optimizer step');
    const names = groupEdges(h, step).into.map((value) => h.document.strings[h.document.values.name[value]]);
    expect(names).toContain('grad.1');
  });

  it('is told to be one', () => {
    const forward = scopeNamed(h, 'iteration.forward');
    expect(accessibleName(h, groupElement(h, forward), false)).toBe(
      'forward, part of a training loop, closed group, 3 ops',
    );
  });
});

it('in a cell has the names of the code', () => {
  const h = buildHierarchy(loop(4, { inCell: true, updates: 30 }));
  expect(shown(h, first(h))).toEqual([
    'x',
    '× 4 for xb in loader',
    '  round for xb in loader',
    '    forward',
    '      linear',
    '      relu',
    '      mse_loss',
    '    backward',
    '    opt SGD',
    '  round (call 2) for xb in loader',
    '  round (call 3) for xb in loader',
    '  round (call 4) for xb in loader',
    'mse_loss',
  ]);
});

describe('iterations that are not equal', () => {
  it('stand beside those that are', () => {
    const h = buildHierarchy(loop(3, { first: 'gelu' }));
    expect(shown(h, new Set())).toEqual(['x', 'iteration', '× 2 iteration', 'mse_loss']);
  });

  it('are two boxes where they are two', () => {
    const h = buildHierarchy(loop(2, { first: 'gelu' }));
    expect(shown(h, new Set())).toEqual(['x', 'iteration', 'iteration 2', 'mse_loss']);
  });
});

it('an optimizer is closed at first, however many operators it has', () => {
  const h = buildHierarchy(loop(2, { first: 'gelu', updates: 9 }));
  expect(shown(h, first(h)).filter((line) => line.endsWith('optimizer step SGD'))).toHaveLength(2);
  expect(shown(h, first(h)).join()).not.toContain('add_');
});

it('a person may see it as it ran', () => {
  const h = buildHierarchy(loop(1), { ...STORY, training: false });
  expect(shown(h, new Set())).toEqual([
    ...['x', 'linear', 'relu', 'mse_loss', 'backward'],
    ...['EnterContext', 'grad', 'add_', 'add_', 'add_', 'mse_loss'],
  ]);
});

it('a graph of nothing but marks draws them', () => {
  const b = new DocumentBuilder('f');
  b.ops('prim::EnterGradMode', [], []);
  b.document.nodes.markers = [[0, -1]];
  expect(shown(buildHierarchy(readDocument(b.document)), new Set())).toEqual(['EnterGradMode']);
});
