// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { firstPicture } from '../../src/explorer/core/firstpicture';
import { layout } from '../../src/layout/layout';
import { accessibleName, labelOf } from '../../src/model/describe';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { textOf } from '../../src/model/elementdetails';
import { buildHierarchy, groupElement, type Hierarchy } from '../../src/model/hierarchy';
import { allScopes, documentScopes, openAncestors, validScopes } from '../../src/model/openstate';
import { collapseRepeat, scopesWithin } from '../../src/model/repeats';
import { visibleFor } from '../../src/model/visible';
import { DocumentBuilder } from '../fixtures/builder';
import { layers } from '../fixtures/models';

const equal = (count: number): number[] => new Array<number>(count).fill(64);
const rows = (h: Hierarchy): string[] => h.repeats.map(({ scope }) => h.paths[scope]);
function folded(document: ViewDocument): Hierarchy {
  const h = buildHierarchy(document);
  h.repeats.forEach((repeat) => collapseRepeat(h, repeat, true));
  return h;
}
const titles = (h: Hierarchy, opened = new Set<number>()): string[] =>
  visibleFor(h, opened).elements.map((at) => labelOf(h, at).title);

describe('repeated blocks in a row', () => {
  it('are found where there are four or more', () => {
    expect([rows(buildHierarchy(layers(equal(3)))), rows(buildHierarchy(layers(equal(4))))]).toEqual([
      [],
      ['layers.0…3'],
    ]);
  });

  it('end where a shape is another', () => {
    expect(rows(buildHierarchy(layers([...equal(4), 32, 32, 32, 32, 32, ...equal(2)])))).toEqual([
      'layers.0…3',
      'layers.4…8',
    ]);
  });

  it('are one box between what comes before and after', () => {
    const h = buildHierarchy(layers([32, 32, ...equal(12)]));
    expect(titles(h)).toEqual(['x', 'layers.0', 'layers.1', '× 12', 'x']);
    expect(visibleFor(h, new Set()).edges.length).toBe(4);
  });

  it('are one row where the first or the last is another', () => {
    expect(rows(buildHierarchy(layers([32, ...equal(3)])))).toEqual(['layers.0…3']);
    expect(rows(buildHierarchy(layers([...equal(5), 32])))).toEqual(['layers.0…5']);
  });

  it('are one row where a few kinds come by turns', () => {
    expect(rows(buildHierarchy(layers([64, 64, 32, 64, 64, 32, 64, 64, 32])))).toEqual(['layers.0…8']);
  });

  it('are one row where the last is of the rarer kind, or two kinds come by turns', () => {
    expect(rows(buildHierarchy(layers([64, 64, 32, 64, 64, 32])))).toEqual(['layers.0…5']);
    expect(rows(buildHierarchy(layers([64, 32, 64, 32])))).toEqual(['layers.0…3']);
    expect(rows(buildHierarchy(layers([64, 64, 32, 32])))).toEqual([]);
  });

  it('are one row where the first asked once for a dtype that all of them use', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [8]);
    [0, 1, 2, 3].forEach((at) =>
      b.module(String(at), 'Block', () => {
        const dtype = at === 0 ? b.op('dtype', [x], null, 'dtype', 'int') : -1;
        const inner = b.op('norm', dtype < 0 ? [x] : [x, dtype], [8]);
        x = b.op('relu', [inner], [8]);
      }),
    );
    b.document.nodes.sizes = [[0, b.string('x.dtype')]];
    b.output(x);
    const h = buildHierarchy(b.document);
    expect(rows(h)).toEqual(['0…3']);
    expect(labelOf(h, groupElement(h, h.repeats[0].scope)).title).toBe('× 4');
  });

  it('are one row of a list whose blocks are of two classes by turns', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [8]);
    [...'mmammmammm'].forEach((kind, at) =>
      b.module(`layers.${at}`, kind === 'm' ? 'Mamba' : 'Attention', () => {
        x = b.op('relu', [b.op(kind === 'm' ? 'exp' : 'softmax', [x], [8])], [8]);
      }),
    );
    b.output(x);
    const h = buildHierarchy(b.document);
    expect(titles(h)).toEqual(['x', '× 10', 'relu']);
    expect(labelOf(h, groupElement(h, h.repeats[0].scope)).subtitle).toBe('layers');
  });

  it('are rows of one class where the list is of no such kind', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [8]);
    [...'mmmmaaaa'].forEach((kind, at) =>
      b.module(`layers.${at}`, kind, () => {
        x = b.op('relu', [b.op(kind === 'm' ? 'exp' : 'softmax', [x], [8])], [8]);
      }),
    );
    expect(rows(buildHierarchy(b.document))).toEqual(['layers.0…3', 'layers.4…7']);
  });

  it('are no row where each is another', () => {
    expect(rows(buildHierarchy(layers([8, 16, 32, 64, 128])))).toEqual([]);
  });

  it('that differ say how many operators they have together', () => {
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    [2, 3, 3, 3].forEach((count, at) =>
      b.module(String(at), 'Block', () => equal(count).forEach(() => (x = b.op('relu', [x], [1])))),
    );
    const h = buildHierarchy(b.document);
    expect(labelOf(h, groupElement(h, h.repeats[0].scope)).detail).toBe('11 ops');
  });

  it('say how many they are and what each holds', () => {
    const h = folded(layers(equal(12), 5));
    const fold = groupElement(h, h.repeats[0].scope);
    expect(labelOf(h, fold)).toEqual({
      title: '× 12',
      subtitle: 'Block',
      detail: '2 ops each · 120 params',
    });
    expect(accessibleName(h, fold, false)).toBe(
      '× 12: Block, closed group, 12 repeated blocks, 2 ops each, 1 warning',
    );
    expect(textOf(h, fold)).toBe(
      [
        '× 12',
        '  module      layers.0…11',
        '  class       Block',
        '  repeated    12 repeated blocks, 2 ops each',
        '  operators   24',
        '  parameters  120',
        '  warnings    1',
      ].join('\n'),
    );
  });

  it('are folded at first', () => {
    const h = buildHierarchy(layers(equal(80)));
    expect(titles(h, firstPicture(h, layout))).toEqual(['x', '× 80', 'x']);
  });

  it('stand as before once unfolded', () => {
    const document = layers(equal(6));
    const h = buildHierarchy(document);
    h.repeats.forEach((repeat) => collapseRepeat(h, repeat, false));
    expect(titles(h)).toEqual(['x', ...equal(6).map((_, at) => `layers.${at}`), 'x']);
    h.repeats.forEach((repeat) => collapseRepeat(h, repeat, true));
    expect(h).toEqual(buildHierarchy(document));
  });

  it('open for what is inside them, and keep the numbers of the document', () => {
    const h = folded(layers(equal(6)));
    const { scope, members } = h.repeats[0];
    expect(scope).toBe(h.document.scopes.parent.length);
    expect(openAncestors(h, new Set(), 5)).toEqual(new Set([members[2], scope]));
    expect(validScopes(h, [members[3]])).toEqual(new Set([members[3], scope]));
    expect(documentScopes(h, allScopes(h))).toEqual([...members]);
    expect([...scopesWithin(h, scope)]).toEqual([0, ...members.map(() => 1)]);
  });
});

describe('in the explorer', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  const ready = (): Promise<void> =>
    vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
  const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
  const names = (): string[] =>
    [...shadow().querySelectorAll('.item')].map((item) => item.getAttribute('aria-label')!);
  const press = async (key: string): Promise<void> => {
    shadow()
      .querySelector('[role=tree]')!
      .dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    await ready();
  };
  const open = async (document: ViewDocument, onState?: (opened: number[] | null) => void): Promise<void> => {
    host = document_.createElement('div');
    document_.body.append(host);
    explorer = createExplorer(host, document, { onState: (state) => onState?.(state.opened) });
    await ready();
  };
  const document_ = window.document;

  afterEach(() => {
    explorer.destroy();
    host.remove();
  });

  it('x folds them and unfolds them', async () => {
    await open(layers(equal(20)));
    const before = names();
    expect(before[1]).toBe('× 20: Block, closed group, 20 repeated blocks, 2 ops each');
    await press('x');
    await vi.waitFor(() => expect(names().length).toBe(22));
    await press('x');
    await vi.waitFor(() => expect(names()).toEqual(before));
  });

  it('a selection from outside opens the fold', async () => {
    await open(layers(equal(40)));
    expect(names().length).toBe(3);
    explorer.select(15);
    await vi.waitFor(() => expect(host.dataset.selected).toBe('15'));
    await vi.waitFor(() => expect(names()).toContain('relu, operator, 8×64'));
    expect(names()[1]).toBe('× 40: Block, open group, 40 repeated blocks, 2 ops each');
  });

  it('the host hears of no scope that the document has not, and what it sends back closes none', async () => {
    const heard: (number[] | null)[] = [];
    await open(layers(equal(40)), (opened) => heard.push(opened));
    explorer.restore('select=layers.7');
    await vi.waitFor(() => expect(names()).toContain('layers.7: Block, closed group, 2 ops'));
    await vi.waitFor(() => expect(heard.at(-1)).toEqual([]));
    explorer.setOpened([]);
    await ready();
    expect(names()).toContain('layers.7: Block, closed group, 2 ops');
  });
});
