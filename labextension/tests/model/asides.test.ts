import { describe, expect, it } from 'vitest';
import { firstPicture } from '../../src/explorer/core/firstpicture';
import { layout } from '../../src/layout/layout';
import { accessibleName, contentsText, labelOf } from '../../src/model/describe';
import { buildHierarchy, groupElement, STORY, type Hierarchy } from '../../src/model/hierarchy';
import { buildIndex, search } from '../../src/model/search';
import { descendants } from '../../src/model/traversal';
import { visibleFor } from '../../src/model/visible';
import { readDocument } from '../../src/protocol/validate';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentBuilder } from '../fixtures/builder';

const titles = (h: Hierarchy, opened = new Set<number>()): string[] =>
  visibleFor(h, opened).elements.map((at) => labelOf(h, at).title);
const edges = (h: Hierarchy): string[] => {
  const visible = visibleFor(h, new Set());
  return visible.edges.map(({ source, target }) =>
    [source, target].map((at) => labelOf(h, visible.elements[at]).title).join(' > '),
  );
};

/** An operator, two that give back what it made, one that takes that, and an output. */
function converted(): ViewDocument {
  const b = new DocumentBuilder('f');
  const x = b.input('x', [2]);
  const made = b.op('relu', [x], [2]);
  const again = b.op('contiguous', [b.op('to', [made], [2])], [2]);
  b.output(b.op('exp', [again], [2], 'y'));
  b.document.nodes.identities = [
    [1, 0],
    [2, 0],
  ];
  return readDocument(b.document);
}

describe('operators that give back the tensor that they take', () => {
  const h = buildHierarchy(converted());

  it('are no boxes, and lines go on from what made the tensor', () => {
    expect(titles(h)).toEqual(['x', 'relu', 'exp', 'y']);
    expect(edges(h)).toEqual(['x > relu', 'relu > exp', 'exp > y']);
  });

  it('are boxes where sizes are', () => {
    const all = buildHierarchy(converted(), { ...STORY, foldSizes: false });
    expect(titles(all)).toEqual(['x', 'relu', 'to', 'contiguous', 'exp', 'y']);
  });

  it('hide nothing of what depends on the tensor', () => {
    expect([...descendants(h, 0)].map((at) => labelOf(h, at).title)).toContain('exp');
  });

  it('are found by a search, in the box of what made the tensor', () => {
    expect(search(h, buildIndex(h), 'contiguous')).toEqual([2]);
    expect(h.foldedInto[2]).toBe(0);
  });

  it('of which one is what the graph returns leave a line to it', () => {
    const b = new DocumentBuilder('f');
    b.output(b.op('to', [b.op('relu', [b.input('x', [2])], [2])], [2], 'y'));
    b.document.nodes.identities = [[1, 0]];
    expect(edges(buildHierarchy(b.document))).toEqual(['x > relu', 'relu > y']);
  });
});

/** Positions in two operators of which a size warns, a mask in one, both read by a block. */
function positioned(masks: number): ViewDocument {
  const b = new DocumentBuilder('Net');
  const x = b.input('x', [2]);
  const positions = b.op('unsqueeze', [b.op('arange', [], [2])], [1, 2], 'position_ids');
  const made = Array.from({ length: masks }, () => b.op('ones', [], [2]));
  b.output(b.op('add', [x, positions, ...made], [2]));
  b.document.nodes.constants = Array.from({ length: 2 + masks }, (_, node) => node);
  b.warn({ node: 0, source: -1 });
  return readDocument(b.document);
}

describe('tensors made from sizes alone', () => {
  it('are one box, which the code names', () => {
    const h = buildHierarchy(positioned(0));
    expect(titles(h)).toEqual(['x', 'position_ids', 'add', 'add']);
    expect(edges(h)).toEqual(['x > add', 'position_ids > add', 'add > add']);
    expect(contentsText(h, h.bundles[0].scope)).toBe('2 ops');
  });

  it('are one box of constants where they are several', () => {
    expect(titles(buildHierarchy(positioned(3)))).toEqual(['x', 'constants', 'add', 'add']);
  });

  it('open as any group', () => {
    const h = buildHierarchy(positioned(0));
    expect(titles(h, new Set([h.bundles[0].scope]))).toEqual([
      ...['x', 'position_ids', 'arange', 'unsqueeze', 'add', 'add'],
    ]);
  });

  it('show the warnings in them', () => {
    const h = buildHierarchy(positioned(0));
    expect(accessibleName(h, groupElement(h, h.bundles[0].scope), false)).toBe(
      'position_ids, closed group, 2 ops, 1 warning',
    );
  });

  it('stand by themselves where it is one operator', () => {
    const document = positioned(0);
    document.nodes.constants = [0];
    expect(titles(buildHierarchy(document))).toEqual(['x', 'arange', 'unsqueeze', 'add', 'add']);
  });

  it('stand as they are where unused operators do', () => {
    expect(titles(buildHierarchy(positioned(0), { ...STORY, foldUnused: false }))).toContain('arange');
  });
});

describe('the first picture', () => {
  it('opens the large one of two groups of one class', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    const chain = (name: string, className: string, count: number): void =>
      b.module(name, className, () => {
        for (let at = 0; at < count; at++) {
          x = b.op('relu', [x], [1]);
        }
      });
    chain('stem', 'Sequential', 2);
    b.module('stages', 'Sequential', () =>
      [10, 30, 12].forEach((count, at) => chain(`${at}`, 'Stage', count)),
    );
    b.output(x);
    const h = buildHierarchy(b.document);
    expect(titles(h, firstPicture(h, layout))).toEqual(['x', 'stem', 'stages', '0', '1', '2', 'relu']);
  });

  it('names a method without its class', () => {
    const b = new DocumentBuilder('Net');
    b.module('Net.features()', '', () => b.op('exp', [b.op('relu', [b.input('x', [1])], [1])], [1]));
    b.document.scopes.functions = [1];
    const h = buildHierarchy(b.document);
    expect(labelOf(h, groupElement(h, 1)).title).toBe('features()');
  });

  it('names an output as the code does, without what makes the name unique', () => {
    const b = new DocumentBuilder('Net');
    const x = b.input('x', [1]);
    b.output(b.op('relu', [x], [1], 'x'));
    expect(titles(buildHierarchy(b.document))).toEqual(['x', 'relu', 'x']);
  });

  it('tells outputs of one name apart', () => {
    const b = new DocumentBuilder('Net');
    const x = b.input('x', [1]);
    [0, 1].forEach(() => b.output(b.op('relu', [x], [1], 'y')));
    expect(titles(buildHierarchy(b.document))).toEqual(['x', 'relu', 'relu', 'y', 'y.1']);
  });

  it('opens no group that only calls its own function, which would be closed', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    const functions: number[] = [];
    const chain = (count: number): void => {
      for (let at = 0; at < count; at++) {
        x = b.op('relu', [x], [1]);
      }
    };
    b.module('stem', 'Stem', () => chain(30));
    b.module('mixed', 'Mixed', () => {
      functions.push(b.document.scopes.parent.length);
      b.module('_forward()', '', () => chain(30));
      x = b.op('cat', [x], [1]);
    });
    b.output(x);
    b.document.scopes.functions = functions;
    const h = buildHierarchy(b.document);
    expect(titles(h, firstPicture(h, layout))).toEqual(['x', 'stem', 'mixed', 'cat']);
  });

  it('opens no half of a model in small text', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    b.module('encoder', 'Encoder', () => Array.from({ length: 20 }, () => (x = b.op('relu', [x], [1]))));
    // Beside each other, so that neither columns nor a turn make them larger.
    b.module('decoder', 'Decoder', () => {
      const heads = Array.from({ length: 11 }, (_, at) => {
        let head = x;
        b.module(`${at}`, `Layer${at}`, () =>
          Array.from({ length: 9 }, () => (head = b.op('exp', [head], [1]))),
        );
        return head;
      });
      x = b.op('cat', heads, [9]);
    });
    b.output(b.op('sum', [b.op('tanh', [x], [1])], [1]));
    const h = buildHierarchy(b.document);
    expect(titles(h, firstPicture(h, layout))).toEqual(['x', 'encoder', 'decoder', 'tanh', 'sum', 'sum']);
  });
});
