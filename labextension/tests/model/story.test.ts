// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { accessibleName, labelOf } from '../../src/model/describe';
import { textOf } from '../../src/model/elementdetails';
import {
  buildHierarchy,
  groupElement,
  outputElement,
  STORY,
  type Hierarchy,
} from '../../src/model/hierarchy';
import { elementNamed, nameOf } from '../../src/model/link';
import { allScopes } from '../../src/model/openstate';
import { buildIndex, search } from '../../src/model/search';
import { ancestors, groupEdges } from '../../src/model/traversal';
import { visibleFor, visibleIndexOf } from '../../src/model/visible';
import { readDocument } from '../../src/protocol/validate';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentBuilder } from '../fixtures/builder';

/** A function that calls a module, arithmetic on a size, and two operators that nobody needs. */
function told(): ViewDocument {
  const b = new DocumentBuilder('Net');
  const { nodes, scopes } = b.document;
  const x = b.input('x', [2, 4]);
  let y = b.module('mix()', '', () => {
    const made = b.op('exp', [x], [2, 4]);
    return b.module('block', 'Block', () => b.op('tanh', [b.op('relu', [made], [2, 4])], [2, 4]));
  });
  scopes.functions = [1];
  const size = b.op('size', [x], null, 'size', 'int');
  const half = b.op('floordiv', [size], null, 'floordiv', 'int');
  nodes.sizes = [
    [3, b.string('x.size(1)')],
    [4, b.string('x.size(1) // 2')],
  ];
  y = b.op('view', [y, half], [4, 2]);
  nodes.arguments[5][1][1] = b.string('[-1, %floordiv]');
  b.op('cos', [b.op('sin', [x], [2, 4])], [2, 4]);
  nodes.unused = [6, 7];
  b.output(y);
  return readDocument(b.document);
}

const titles = (h: Hierarchy, opened = new Set<number>()): string[] =>
  visibleFor(h, opened).elements.map((at) => {
    const { title, subtitle } = labelOf(h, at);
    return subtitle === '' ? title : `${title} ${subtitle}`;
  });
const edges = (h: Hierarchy, opened = new Set<number>()): string[] => {
  const visible = visibleFor(h, opened);
  return visible.edges.map(({ source, target }) =>
    [source, target].map((at) => labelOf(h, visible.elements[at]).title).join(' > '),
  );
};

describe('a graph tells its story', () => {
  const h = buildHierarchy(told());
  const everything = buildHierarchy(told(), {
    ...STORY,
    functions: false,
    foldSizes: false,
    foldUnused: false,
  });

  it('with calls of functions as groups, sizes in what uses them, and a note', () => {
    expect(titles(h)).toEqual(['x', 'mix()', 'view (-1, x.size(1) // 2)', '2 unused operators', 'view']);
  });

  it('or as it stands', () => {
    expect(titles(everything)).toEqual([
      ...['x', 'exp', 'block Block', 'size', 'floordiv', 'view', 'sin', 'cos', 'view'],
    ]);
  });

  it('with no line to or from what is part of another box', () => {
    expect(edges(h).sort()).toEqual(['mix() > view', 'view > view', 'x > 2 unused operators', 'x > mix()']);
    expect(edges(everything)).toContain('size > floordiv');
  });

  it('with no group around one operator', () => {
    const b = new DocumentBuilder('f');
    const x = b.input('x', [1]);
    const y = b.module('twice()', '', () => b.op('mul', [x], [1]));
    b.document.scopes.functions = [1];
    b.output(y);
    expect(titles(buildHierarchy(b.document))).toEqual(['x', 'mul', 'mul']);
  });
});

describe('a call of a function', () => {
  const h = buildHierarchy(told());

  it('is said to be one', () => {
    expect(accessibleName(h, groupElement(h, 1), false)).toBe('mix(), function call, closed group, 3 ops');
  });

  it('is no part of the path of a module in it', () => {
    expect(h.paths.slice(1, 3)).toEqual(['mix()', 'block']);
    expect(elementNamed(h, 'block')).toBe(groupElement(h, 2));
    expect(nameOf(h, groupElement(h, 1))).toBe('mix()');
  });

  it('is where a search looks for what ran in it', () => {
    expect(search(h, buildIndex(h), 'in:mix').map((at) => labelOf(h, at).title)).toEqual([
      'block',
      'exp',
      'relu',
      'tanh',
    ]);
  });
});

describe('arithmetic on sizes', () => {
  const h = buildHierarchy(told());

  it('is found, highlighted and gone to at what uses it', () => {
    const visible = visibleFor(h, allScopes(h));
    expect([3, 4].map((node) => visible.elements[visibleIndexOf(h, visible, node)])).toEqual([5, 5]);
  });

  it('stands in the details as an expression', () => {
    expect(textOf(h, 5)).toContain('[-1, x.size(1) // 2]');
  });

  it('is short in the box where the tensors have long names', () => {
    const document = told();
    document.strings[document.nodes.sizes![1][1]] = 'hidden_states.size(1) // 2';
    expect(labelOf(buildHierarchy(document), 5).subtitle).toBe('(-1, size(1) // 2)');
    expect(textOf(buildHierarchy(document), 5)).toContain('[-1, hidden_states.size(1) // 2]');
  });

  it('still says what depends on what', () => {
    expect([...ancestors(h, outputElement(h, 0))]).toContain(3);
  });

  it('brings its warning to what uses it', () => {
    const document = told();
    document.warnings.push({
      kind: 'int',
      message: 'A size was frozen.',
      node: 4,
      source: -1,
      constant: '2',
      affects: [],
    });
    expect(accessibleName(buildHierarchy(document), 5, false)).toBe(
      'view(-1, x.size(1) // 2), operator, 4×2, 1 warning',
    );
  });
});

describe('what nothing depends on', () => {
  const h = buildHierarchy(told());
  const note = groupElement(h, h.bundles[0].scope);

  it('opens', () => {
    expect(titles(h, new Set([h.bundles[0].scope])).slice(-4)).toEqual([
      '2 unused operators',
      'sin',
      'cos',
      'view',
    ]);
    expect(accessibleName(h, note, false)).toBe('2 unused operators, closed group, 2 ops');
  });

  it('takes values as any group', () => {
    expect(groupEdges(h, h.bundles[0].scope)).toEqual({ into: [h.inputs[0]], out: [] });
  });

  it('is a module as a whole where all in it is unused', () => {
    const b = new DocumentBuilder('f');
    const x = b.input('x', [1]);
    b.module('extra', 'Extra', () => b.op('sin', [b.op('cos', [x], [1])], [1]));
    b.output(b.op('exp', [x], [1]));
    b.document.nodes.unused = [0, 1];
    const hidden = buildHierarchy(b.document);
    expect(titles(hidden)).toEqual(['x', '2 unused operators', 'exp', 'exp']);
    expect(titles(hidden, new Set([hidden.bundles[0].scope])).slice(1, 3)).toEqual([
      '2 unused operators',
      'extra Extra',
    ]);
  });
});

describe('the menu', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
  const names = (): string[] =>
    [...shadow().querySelectorAll('.item')].map((item) => item.getAttribute('aria-label')!.split(',')[0]);
  const choose = (text: string): HTMLElement => {
    const found = [...shadow().querySelectorAll<HTMLElement>('[role=menuitemcheckbox]')];
    return found.find((item) => item.textContent === text)!;
  };
  const open = async (document: ViewDocument): Promise<void> => {
    explorer = createExplorer(host, document, {});
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
  };

  beforeEach(() => {
    localStorage.clear();
    host = window.document.createElement('div');
    window.document.body.append(host);
  });
  afterEach(() => {
    explorer.destroy();
    host.remove();
  });

  it('draws sizes and unused operators as they stand, and back', async () => {
    await open(told());
    const first = names();
    choose('Sizes and no-ops in other boxes').click();
    await vi.waitFor(() => expect(names()).toContain('floordiv'));
    choose('Unused operators and constants in notes').click();
    await vi.waitFor(() => expect(names()).toContain('sin'));
    choose('Sizes and no-ops in other boxes').click();
    choose('Unused operators and constants in notes').click();
    await vi.waitFor(() => expect(names()).toEqual(first));
  });

  it('draws no groups for functions', async () => {
    await open(told());
    expect(names()).toContain('mix()');
    choose('Calls of functions as groups').click();
    await vi.waitFor(() => expect(names()).not.toContain('mix()'));
  });

  it('is as it was left in the pictures that come', async () => {
    await open(told());
    choose('Calls of functions as groups').click();
    await vi.waitFor(() => expect(names()).not.toContain('mix()'));
    explorer.destroy();
    await open(told());
    expect(names()).not.toContain('mix()');
    expect(choose('Calls of functions as groups').isConnected).toBe(true);
    choose('Calls of functions as groups').click();
    await vi.waitFor(() => expect(names()).toContain('mix()'));
  });

  it('keeps what is selected', async () => {
    await open(told());
    explorer.select(5);
    await vi.waitFor(() => expect(host.dataset.selected).toBe('5'));
    choose('Sizes and no-ops in other boxes').click();
    await vi.waitFor(() => expect(names()).toContain('floordiv'));
    await vi.waitFor(() => expect(host.dataset.selected).toBe('5'));
  });

  it('turns the picture, and the next one is turned, too', async () => {
    await open(told());
    choose('From left to right').click();
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'));
    explorer.destroy();
    await open(told());
    shadow().querySelector<HTMLElement>('[aria-label="What is drawn (l)"]')!.click();
    expect(choose('From left to right').getAttribute('aria-checked')).toBe('true');
    expect(choose('Turned as it fits').getAttribute('aria-checked')).toBe('false');
    choose('Turned as it fits').click();
    expect(window.localStorage.getItem('tracelab:flow')).toBeNull();
  });

  it('is there for a graph that has nothing to step aside: it turns the picture', async () => {
    const b = new DocumentBuilder('f');
    b.output(b.op('exp', [b.input('x', [1])], [1]));
    await open(b.document);
    const menu = shadow().querySelector<HTMLElement>('[aria-label="What is drawn (l)"]')!.parentElement!;
    expect(menu.hidden).toBe(false);
  });
});
