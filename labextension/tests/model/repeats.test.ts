// @vitest-environment happy-dom
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { accessibleName, labelOf } from '../../src/model/describe';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { textOf } from '../../src/model/elementdetails';
import { buildHierarchy, groupElement, type Hierarchy } from '../../src/model/hierarchy';
import {
  allScopes,
  defaultOpened,
  documentScopes,
  openAncestors,
  validScopes,
} from '../../src/model/openstate';
import { collapseRepeat, MOST_EXPANDED, scopesWithin } from '../../src/model/repeats';
import { visibleFor } from '../../src/model/visible';
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
    const h = folded(layers([32, ...equal(12)]));
    expect(titles(h)).toEqual(['x', 'layers.0', '× 12', 'x.13']);
    expect(visibleFor(h, new Set()).edges.length).toBe(3);
  });

  it('say how many they are and what each holds', () => {
    const h = folded(layers(equal(12), 5));
    const fold = groupElement(h, h.repeats[0].scope);
    expect(labelOf(h, fold)).toEqual({
      title: '× 12',
      subtitle: 'Block',
      detail: '12 repeated blocks, 2 ops each · 120 params',
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

  it('are folded at first only where there are very many', () => {
    expect(titles(buildHierarchy(layers(equal(MOST_EXPANDED)))).length).toBe(MOST_EXPANDED + 2);
    const h = buildHierarchy(layers(equal(80)));
    expect(titles(h, defaultOpened(h))).toEqual(['x', '× 80', 'x.80']);
  });

  it('stand as before once unfolded', () => {
    const document = layers(equal(6));
    const h = folded(document);
    h.repeats.forEach((repeat) => collapseRepeat(h, repeat, false));
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
    await press('x');
    await vi.waitFor(() =>
      expect(names()[1]).toBe('× 20: Block, closed group, 20 repeated blocks, 2 ops each'),
    );
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
