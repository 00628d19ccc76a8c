// @vitest-environment happy-dom
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { accessibleName } from '../../src/model/describe';
import { differencesOf, DiffStatus } from '../../src/model/diff/differences';
import {
  buildHierarchy,
  groupElement,
  inputElement,
  outputElement,
  tracePosition,
  type Element,
  type Hierarchy,
} from '../../src/model/hierarchy';
import { collapsedIn, nameOf, readLink, writeLink } from '../../src/model/link';
import { hotSpots, metricOf } from '../../src/model/run/metrics';
import { allScopes } from '../../src/model/openstate';
import { collapseRepeat, isCollapsed, setCollapsed } from '../../src/model/repeats';
import { addBatch, emptyRun, type RunData } from '../../src/model/run/rundata';
import type { KernelConnection } from '../../src/protocol/connection';
import type { KernelMessage } from '../../src/protocol/runmessages';
import { finish, indexing, search } from '../../src/model/search';
import { layers } from '../fixtures/models';

const equal = (count: number): number[] => new Array<number>(count).fill(64);

/** A graph of `before` layers beside one of `after`: those at the end were added. */
function grown(before: number, after: number): ViewDocument {
  const document = layers(equal(after));
  const { nodes, scopes, strings } = document;
  const added = (scope: number): boolean => scope > before;
  document.diff = {
    before: 'Deep',
    after: 'Deep',
    headline: `${2 * (after - before)} nodes added`,
    nodes: {
      status: nodes.scope.map((scope) => (added(scope) ? DiffStatus.Added : DiffStatus.Same)),
      changes: [],
      follows: [],
      order: nodes.scope.map((scope, node) => (added(scope) ? -1 : node)),
      inputs: [],
    },
    scopes: {
      status: scopes.parent.map((_, scope) => (added(scope) ? DiffStatus.Added : DiffStatus.Same)),
      was: scopes.parent.map(() => -1),
      former: [],
      differences: scopes.parent.map((_, scope) =>
        scope === 0 ? 2 * (after - before) : added(scope) ? 2 : 0,
      ),
    },
    values: { status: [], changes: [] },
    outputs: [nodes.outputs[2 * before - 1][0]],
  };
  strings.push('Deep');
  return document;
}

const folded = (document: ViewDocument): Hierarchy => {
  const h = buildHierarchy(document);
  h.repeats.forEach((repeat) => collapseRepeat(h, repeat, true));
  return h;
};

const unfolded = (document: ViewDocument): Hierarchy => {
  const h = buildHierarchy(document);
  setCollapsed(h, []);
  return h;
};

const column = (typed: Int32Array | Float64Array | Uint8Array): DataView => new DataView(typed.buffer);
const PROGRESS = { type: 'run.progress', nodes: 0, values: 0, bins: 4 } as const;

/** A batch of columns: the seconds of each node, and a thousand bytes of memory for each second. */
const batch = (seconds: number[]): DataView[] => [
  column(Int32Array.from(seconds.keys())),
  column(Float64Array.from(seconds.flatMap((each) => [each, 1, 1000 * each]))),
  column(new Uint8Array(seconds.length)),
  column(new Int32Array()),
  column(new Float64Array()),
  column(new Int32Array()),
];

function ran(h: Hierarchy): RunData {
  const run = emptyRun(h.nodes);
  addBatch(run, PROGRESS, batch(Array.from({ length: h.nodes }, (_, node) => node + 1)));
  return run;
}

describe('folds of two graphs', () => {
  it('hold only blocks of one fate', () => {
    const h = folded(grown(8, 12));
    expect(h.repeats.map(({ scope }) => accessibleName(h, groupElement(h, scope), false))).toEqual([
      '× 8: Block, closed group, 8 repeated blocks, 2 ops each',
      '× 4: Block, closed group, 4 repeated blocks, 2 ops each, added, 8 differences',
    ]);
  });

  it('are no stops themselves: their blocks are', () => {
    const h = folded(grown(8, 12));
    expect(differencesOf(h)!.locations.map((at) => nameOf(h, at))).toEqual([
      'layers.8',
      'layers.9',
      'layers.10',
      'layers.11',
    ]);
  });

  it('do not part where a block only follows what it reads', () => {
    const document = grown(12, 12);
    document.diff!.nodes.status[6] = DiffStatus.Changed;
    document.diff!.nodes.follows.push(6);
    expect(buildHierarchy(document).repeats.length).toBe(1);
  });
});

describe('what lies over a fold', () => {
  const h = folded(layers(equal(12)));
  const { scope } = h.repeats[0];
  const over = (id: string): number | null => metricOf(h, ran(h), new Map(), id)!.groups[scope];

  it('is the sum of their times', () => expect(over('time')).toBe((24 * 25) / 2));
  it('is the most memory that one of them took', () => expect(over('memory')).toBe(24_000));
  it('is the sum of their parameters', () => expect(over('parameters')).toBe(120));
  it('is the dtype that all of them have', () => {
    const metric = metricOf(h, null, new Map(), 'dtype')!;
    expect(metric.text(metric.groups[scope]!)).toBe('float32');
  });
  it('is no line of the table of modules, whose blocks are', () => {
    const rows = hotSpots(h, metricOf(h, ran(h), new Map(), 'time')!, true, 100);
    expect(rows.map(({ at }) => h.paths[at])).toEqual(
      Array.from({ length: 12 }, (_, block) => `layers.${11 - block}`),
    );
  });
});

describe('a search', () => {
  it('finds a fold while there is one', () => {
    const h = unfolded(layers(equal(12)));
    const found = (): string[] => search(h, finish(indexing(h)), 'layers.0').map((at) => nameOf(h, at));
    const before = found();
    collapseRepeat(h, h.repeats[0], true);
    expect(found().filter((name) => !before.includes(name))).toEqual(['layers.0…11']);
  });
});

describe('the place in the trace', () => {
  it('of a fold is before its blocks, and of a block before its operators', () => {
    const h = folded(layers([32, 32, ...equal(12)]));
    const fold = groupElement(h, h.repeats[0].scope);
    const places = [
      inputElement(h, 0),
      3,
      fold,
      groupElement(h, 3),
      4,
      5,
      groupElement(h, 4),
      outputElement(h, 0),
    ];
    const sorted = [...places].sort((a, b) => tracePosition(h, a) - tracePosition(h, b));
    expect(sorted).toEqual(places);
  });
});

describe('a link', () => {
  it('remembers which rows are still folded', () => {
    const h = buildHierarchy(layers([...equal(12), 8, 16, 32, ...equal(5)]));
    collapseRepeat(h, h.repeats[1], false);
    expect(decodeURIComponent(writeLink(h, { opened: [], selected: -1, find: '' }))).toBe(
      'open=&fold=layers.0…11',
    );
  });

  it('remembers rows that were unfolded by hand', () => {
    const h = buildHierarchy(layers(equal(40)));
    collapseRepeat(h, h.repeats[0], false);
    expect(writeLink(h, { opened: [], selected: -1, find: '' })).toBe('open=&fold=');
  });

  it('says nothing of folds that are as at first', () => {
    expect(writeLink(buildHierarchy(layers(equal(40))), { opened: null, selected: -1, find: '' })).toBe('');
  });

  it('finds the row in a model with more layers', () => {
    const h = buildHierarchy(layers(equal(16)));
    setCollapsed(h, []);
    setCollapsed(h, collapsedIn('fold=layers.0…11'));
    expect(h.repeats.map((repeat) => isCollapsed(h, repeat))).toEqual([true]);
    expect(nameOf(h, readLink(h, 'select=layers.0…11').selected)).toBe('layers.0…15');
  });

  it('leads to the first block where the row is not folded', () => {
    const h = unfolded(layers(equal(12)));
    expect(nameOf(h, readLink(h, 'select=layers.0…11').selected)).toBe('layers.0');
  });

  /** Names as people give them to modules, and some that mean something in a link. */
  const name = fc.oneof(
    fc.constantFrom(
      '0',
      '1',
      '2',
      '3',
      '4',
      'a,b',
      '50%',
      '%2C',
      'é',
      'x y',
      'a&b=c',
      '+',
      '%x',
      '#3',
      'input:x',
      'group:0',
    ),
  );

  it('restores groups, folds, selection and query, whatever they are called', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 4, maxLength: 8 }),
        fc.integer({ min: 4, max: 30 }),
        fc.infiniteStream(fc.boolean()),
        fc.nat(),
        fc.string(),
        (names, count, coins, chosen, find) => {
          const toss = (): boolean => coins.next().value as boolean;
          const document = layers(equal(count), -1, names);
          const h = buildHierarchy(document);
          h.repeats.forEach((repeat) => collapseRepeat(h, repeat, toss()));
          const elements: Element[] = [...allScopes(h)].map((scope) => groupElement(h, scope));
          for (let node = 0; node < h.nodes; node++) {
            elements.push(node);
          }
          const chance = [...allScopes(h)].filter(toss);
          const view = {
            // Blocks inside a closed row are not to be seen.
            opened: toss()
              ? null
              : chance.filter((scope) => {
                  const row = h.parent[groupElement(h, scope)];
                  return row < h.document.scopes.parent.length || chance.includes(row);
                }),
            selected: elements[chosen % elements.length],
            find,
          };
          const link = writeLink(h, view);
          const again = buildHierarchy(document);
          setCollapsed(again, collapsedIn(link));
          expect(again.repeats.map((repeat) => isCollapsed(again, repeat))).toEqual(
            h.repeats.map((repeat) => isCollapsed(h, repeat)),
          );
          expect(readLink(again, link)).toEqual(view);
        },
      ),
    );
  });
});

describe('in the explorer', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  let tell: (message: KernelMessage, buffers?: DataView[]) => void;
  const ready = (): Promise<void> =>
    vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
  const shadow = (inside = host): ShadowRoot => inside.querySelector('.tracelab')!.shadowRoot!;
  const items = (inside?: HTMLElement): HTMLElement[] => [
    ...shadow(inside).querySelectorAll<HTMLElement>('.item'),
  ];
  const names = (inside?: HTMLElement): string[] =>
    items(inside).map((item) => item.getAttribute('aria-label')!.split(',')[0]);
  const selected = (): string | undefined =>
    items()
      .find((item) => item.ariaSelected === 'true' || item.getAttribute('aria-selected') === 'true')
      ?.getAttribute('aria-label')
      ?.split(',')[0];
  const press = async (...keys: string[]): Promise<void> => {
    for (const key of keys) {
      shadow()
        .querySelector('[role=tree]')!
        .dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
      await ready();
    }
  };
  const open = async (document: ViewDocument, opened: number[] | null = []): Promise<void> => {
    const heard: ((message: KernelMessage, buffers: DataView[]) => void)[] = [];
    tell = (message, buffers = []) => heard.forEach((each) => each(message, buffers));
    const kernel: KernelConnection = {
      send: () => undefined,
      onMessage: (listener) => heard.push(listener),
      onDisconnect: () => undefined,
      onConnectionChange: () => undefined,
    };
    explorer = createExplorer(host, document, { kernel, state: { opened } });
    await ready();
  };
  /** What the menu saves. */
  const save = async (item: string): Promise<string> => {
    let blob: Blob | undefined;
    vi.spyOn(URL, 'createObjectURL').mockImplementation((made) => {
      blob = made as Blob;
      return 'blob:';
    });
    vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(() => undefined);
    [...shadow().querySelectorAll<HTMLElement>('[role=menuitem]')]
      .find((each) => each.textContent!.startsWith(item))!
      .click();
    await vi.waitFor(() => expect(blob).toBeDefined());
    return blob!.text();
  };
  const find = async (query: string): Promise<HTMLInputElement> => {
    const field = shadow().querySelector<HTMLInputElement>('.search input')!;
    field.value = query;
    field.dispatchEvent(new Event('input'));
    await ready();
    return field;
  };

  beforeEach(() => {
    host = window.document.createElement('div');
    window.document.body.append(host);
  });

  afterEach(() => {
    explorer.destroy();
    host.remove();
    vi.restoreAllMocks();
  });

  it('Enter opens a fold to its blocks, and the tree says where they are', async () => {
    await open(layers(equal(12)));
    await press('ArrowDown', 'ArrowDown');
    expect(selected()).toBe('× 12: Block');
    await press('Enter');
    await vi.waitFor(() => expect(items().length).toBe(15));
    const said = (item: HTMLElement): (string | null)[] =>
      ['aria-expanded', 'aria-level', 'aria-posinset', 'aria-setsize'].map((each) => item.getAttribute(each));
    expect(said(items()[1])).toEqual(['true', '1', '2', '3']);
    expect(said(items()[13])).toEqual(['false', '2', '12', '12']);
  });

  it('unfolding leads from the fold to its first block', async () => {
    await open(layers(equal(12)));
    await press('ArrowDown', 'ArrowDown', 'x');
    await vi.waitFor(() => expect(selected()).toBe('layers.0: Block'));
  });

  it('a match inside a fold is shown on it, and stepping opens it', async () => {
    await open(layers(equal(12)));
    const field = await find('op:relu');
    expect(await save('SVG, entire')).toContain('>12 found</text>');
    field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await vi.waitFor(() => expect(selected()).toBe('relu'));
    expect(names().slice(1, 5)).toEqual(['× 12: Block', 'layers.0: Block', 'linear', 'relu']);
  });

  it('what is folded and unfolded is searched again', async () => {
    await open(layers(equal(12)));
    await find('layers.0');
    const count = (): string => shadow().querySelector('.search .count')!.textContent!;
    expect(count()).toBe('0/4');
    await press('x');
    await vi.waitFor(() => expect(count()).toBe('0/3'));
    await press('x');
    await vi.waitFor(() => expect(count()).toBe('0/4'));
  });

  it('n leads from a fold to the first warning in it, and p to the one before', async () => {
    const document = layers([32, 32, ...equal(12)], 5);
    const [warning] = document.warnings;
    document.warnings.unshift({ ...warning, node: 0 });
    await open(document);
    await press('ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown');
    expect(selected()).toBe('× 12: Block');
    await press('n');
    await vi.waitFor(() => expect(host.dataset.selected).toBe('10'));
    await press('Backspace', 'Backspace');
    expect(selected()).toBe('× 12: Block');
    await press('p');
    await vi.waitFor(() => expect(host.dataset.selected).toBe('0'));
  });

  it('DOT has a fold as a box, and an open one as a cluster', async () => {
    await open(layers(equal(12)));
    expect(await save('DOT')).toContain('n1 [label="× 12  Block\\n2 ops each · 120 params"');
    await press('ArrowDown', 'ArrowDown', 'Enter');
    await vi.waitFor(() => expect(items().length).toBe(15));
    expect(await save('DOT')).toContain('subgraph cluster_1 {\n    label="× 12  Block');
  });

  it('SVG has its words', async () => {
    await open(layers(equal(12)));
    expect(await save('SVG, entire')).toContain('>× 12</text>');
  });

  it('a run shows the time of all its blocks', async () => {
    await open(layers(equal(12)));
    tell({ type: 'run.ready', devices: ['cpu'], inputs: [] });
    tell({ type: 'run.begin' } as KernelMessage);
    tell(PROGRESS as KernelMessage, batch(new Array<number>(24).fill(0.5)));
    tell({ type: 'run.end', state: 'finished', message: '', node: -1, device: 'cpu' } as KernelMessage);
    expect(await save('SVG, entire')).toContain('>12 s</text>');
  });

  it('both sides fold, open and select together', async () => {
    await open(grown(8, 12));
    shadow().querySelector<HTMLElement>('[aria-label="Side by side"]')!.click();
    const panes = await vi.waitFor(() => {
      const found = [...shadow().querySelectorAll<HTMLElement>('.pane .fill')];
      expect(found.map((each) => each.dataset.tracelabReady)).toEqual(['true', 'true']);
      return found;
    });
    const pressIn = (pane: HTMLElement, key: string): void => {
      const tree = shadow(pane).querySelector('[role=tree]')!;
      // The real one crosses the shadow root: the pane that it comes from leads.
      pane.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true }));
      tree.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    };
    const [before, after] = panes;
    await vi.waitFor(() =>
      expect([names(before), names(after)]).toEqual([
        ['x', '× 8: Block', 'x'],
        ['x', '× 8: Block', '× 4: Block', 'x'],
      ]),
    );
    pressIn(after, 'ArrowDown');
    pressIn(after, 'ArrowDown');
    const chosen = (pane: HTMLElement): string =>
      shadow(pane).querySelector('.item[aria-selected=true]')?.getAttribute('aria-label')?.split(',')[0] ??
      '';
    await vi.waitFor(() => expect([chosen(before), chosen(after)]).toEqual(['× 8: Block', '× 8: Block']));
    pressIn(after, 'Enter');
    await vi.waitFor(() => expect(names(before)).toHaveLength(11));
  });

  it('a link brings back what was unfolded by hand', async () => {
    await open(layers(equal(12)), null);
    const first = names();
    expect(first).toEqual(['x', '× 12: Block', 'x']);
    await press('x');
    await vi.waitFor(() => expect(names()).toHaveLength(14));
    const link = explorer.link();
    explorer.restore('');
    await vi.waitFor(() => expect(names()).toEqual(first));
    explorer.restore(link);
    await vi.waitFor(() => expect(names()).toHaveLength(14));
    expect(explorer.link()).toBe(link);
  });
});
