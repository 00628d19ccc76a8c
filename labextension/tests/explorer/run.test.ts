// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { heatmapPixels } from '../../src/explorer/run/heatmap';
import { buildHierarchy, type Hierarchy } from '../../src/model/hierarchy';
import {
  countText,
  hotSpots,
  metricOf,
  plainText,
  secondsText,
  sizeText,
  type Metric,
} from '../../src/model/run/metrics';
import { addBatch, emptyRun, type RunData } from '../../src/model/run/rundata';
import type { KernelConnection } from '../../src/protocol/connection';
import type { BrowserMessage, KernelMessage, RunView } from '../../src/protocol/runmessages';
import { mlp, resnet18 } from '../fixtures/models';

const view = (typed: Int32Array | Float64Array | Uint8Array | Float32Array): DataView =>
  new DataView(typed.buffer);

/** The buffers of a batch: figures are seconds, allocated and peak of each node. */
function batch(nodes: number[], seconds: number[], flags: number[] = []): DataView[] {
  return [
    view(Int32Array.from(nodes)),
    view(Float64Array.from(seconds.flatMap((each) => [each, 1, 1000 * each]))),
    view(Uint8Array.from(nodes.map((_, at) => flags[at] ?? 0))),
    view(Int32Array.from([])),
    view(Float64Array.from([])),
    view(Int32Array.from([])),
  ];
}

const PROGRESS = { type: 'run.progress', nodes: 0, values: 0, bins: 4 } as const;

function ran(h: Hierarchy, seconds: (node: number) => number, bad: number[] = []): RunData {
  const run = emptyRun(h.nodes);
  const nodes = Array.from({ length: h.nodes }, (_, node) => node);
  addBatch(run, PROGRESS, batch(nodes, nodes.map(seconds), bad));
  return run;
}

const metric = (h: Hierarchy, run: RunData | null, id: string): Metric => metricOf(h, run, new Map(), id)!;

describe('a batch', () => {
  it('may come twice and counts once', () => {
    const run = emptyRun(3);
    addBatch(run, PROGRESS, batch([0, 2], [1, 2]));
    addBatch(run, PROGRESS, batch([2], [5]));
    expect([run.count, ...run.seconds]).toEqual([2, 1, NaN, 5]);
  });

  it('leaves nodes alone that are not in the picture', () => {
    const run = emptyRun(1);
    addBatch(run, PROGRESS, batch([-1, 7], [1, 2]));
    expect(run.count).toBe(0);
  });

  it('brings statistics by value, null where nothing is finite', () => {
    const run = emptyRun(1);
    const buffers = batch([], []);
    buffers[3] = view(Int32Array.from([9]));
    buffers[4] = view(Float64Array.from([4, NaN, NaN, NaN, NaN, 0, 4, 0]));
    buffers[5] = view(Int32Array.from([-1, -1, -1, -1]));
    addBatch(run, PROGRESS, buffers);
    expect(run.statistics.get(9)).toEqual({
      count: 4,
      min: null,
      max: null,
      mean: null,
      std: null,
      zeros: 0,
      nans: 4,
      infs: 0,
      histogram: [],
    });
  });
});

describe('an overlay', () => {
  const h = buildHierarchy(resnet18());

  it('of time adds up in groups', () => {
    const { groups, most } = metric(
      h,
      ran(h, () => 0.001),
      'time',
    );
    expect(groups[0]).toBeCloseTo(0.001 * h.nodes);
    expect(groups[1]).toBeCloseTo(0.001 * h.opCount[1]);
    expect(most).toBe(0.001);
  });

  it('of memory shows the most in a group', () => {
    const { groups } = metric(
      h,
      ran(h, (node) => node),
      'memory',
    );
    expect(groups[0]).toBe(1000 * (h.nodes - 1));
  });

  it('of NaN lets it outrank infinity in a group', () => {
    const flags = Array.from({ length: h.nodes }, (_, node) => (node === 3 ? 2 : node === 5 ? 1 : 0));
    const shown = metric(
      h,
      ran(h, () => 1, flags),
      'nonfinite',
    );
    expect(shown.text(shown.groups[0]!)).toBe('NaN');
  });

  it('of parameters needs no run, and a group counts shared ones once', () => {
    const { groups } = metric(h, null, 'parameters');
    expect(groups[0]).toBe(h.document.summary.parameters);
  });

  it('of time needs one', () => {
    expect(metricOf(h, null, new Map(), 'time')).toBeNull();
  });

  it('of dtypes names what a group holds', () => {
    const { categories: words, groups } = metric(h, null, 'dtype');
    expect(words![groups[0]!]).toBe('float32');
  });

  it('of a name shows the numbers that came under it, shorter or longer than the picture', () => {
    const named = new Map([
      ['error', { name: 'error', unit: '', values: Float64Array.from([0.5, NaN, Infinity]) }],
    ]);
    const found = metricOf(h, null, named, 'error')!;
    expect([found.values.length, ...found.values.slice(0, 4)]).toEqual([h.nodes, 0.5, null, Infinity, null]);
    expect(found.text(Infinity)).toBe('inf');
  });
});

describe('the heaviest', () => {
  const h = buildHierarchy(resnet18());
  const time = metric(
    h,
    ran(h, (node) => node + 1),
    'time',
  );

  it('come first, with their share of the whole', () => {
    const rows = hotSpots(h, time, false, 3);
    expect(rows.map((row) => row.at)).toEqual([h.nodes - 1, h.nodes - 2, h.nodes - 3]);
    expect(rows[0].share).toBeCloseTo(h.nodes / ((h.nodes * (h.nodes + 1)) / 2));
  });

  it('modules are sums, without the whole graph', () => {
    const rows = hotSpots(h, time, true, 1000);
    expect(rows.some((row) => row.at === 0)).toBe(false);
    expect(rows[0].value).toBeGreaterThan(rows[rows.length - 1].value);
  });
});

describe('numbers', () => {
  it('have three digits and a unit', () => {
    expect([secondsText(0.00123456), secondsText(2.5), secondsText(4.2e-7)]).toEqual([
      '1.23 ms',
      '2.5 s',
      '0.42 µs',
    ]);
    expect([sizeText(1536), sizeText(3 << 20), countText(4.1e9)]).toEqual(['1.5 KiB', '3 MiB', '4.1 G']);
    expect([plainText(0), plainText(1.23456e-7), plainText(-12.345), plainText(NaN)]).toEqual([
      '0',
      '1.23e-7',
      '-12.3',
      'NaN',
    ]);
  });
});

it('a heatmap tells signs apart by color and hatches what is not finite', () => {
  const map = {
    value: 0,
    shape: [1, 4],
    dtype: 'float32',
    rows: 1,
    columns: 4,
    axes: [0, 1] as [number, number],
    index: [0, 0],
    step: [1, 1] as [number, number],
    low: -2,
    high: 2,
    cells: Float32Array.from([-2, 2, NaN, NaN]),
  };
  expect([...heatmapPixels(map, false)]).toEqual([
    ...[38, 103, 190, 255],
    ...[214, 98, 20, 255],
    ...[255, 0, 255, 255],
    ...[0, 0, 0, 255],
  ]);
});

describe('the run bar', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  let sent: BrowserMessage[];
  let tell: (message: KernelMessage, buffers?: DataView[]) => void;
  let lose: () => void;
  const root = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
  const bar = (): HTMLElement | null => root().querySelector('.runbar');
  const status = (): string => bar()!.querySelector('.status')!.textContent ?? '';
  const buttons = (): HTMLButtonElement[] => [...bar()!.querySelectorAll('button')];
  const READY: KernelMessage = {
    type: 'run.ready',
    devices: ['cpu', 'meta'],
    inputs: [{ name: 'x', type: 'float32 32×784', kept: true }],
  };

  beforeEach(async () => {
    host = document.createElement('div');
    document.body.append(host);
    sent = [];
    const heard: ((message: KernelMessage, buffers: DataView[]) => void)[] = [];
    tell = (message, buffers = []) => heard.forEach((each) => each(message, buffers));
    const kernel: KernelConnection = {
      send: (content) => content.type.startsWith('run.') && sent.push(content),
      onMessage: (listener) => heard.push(listener),
      onDisconnect: (listener) => (lose = listener),
      onConnectionChange: () => undefined,
    };
    explorer = createExplorer(host, mlp(), { kernel });
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
  });

  afterEach(() => {
    explorer.destroy();
    host.remove();
  });

  it('is not there until a kernel answers', () => {
    expect(sent).toEqual([{ type: 'run.hello' }]);
    expect(bar()!.hidden).toBe(true);
    tell(READY);
    expect(bar()!.hidden).toBe(false);
  });

  it('is not there on a page without a kernel', async () => {
    explorer.destroy();
    explorer = createExplorer(host, mlp());
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
    expect(bar()).toBeNull();
  });

  it('asks for a run on the chosen device with what was typed', () => {
    tell(READY);
    const field = bar()!.querySelector('input')!;
    field.value = '8×784';
    field.dispatchEvent(new Event('input'));
    bar()!.querySelector('select')!.value = 'meta';
    buttons()[0].click();
    expect(sent.slice(1)).toEqual([{ type: 'run.start', device: 'meta', inputs: ['8×784'], until: -1 }]);
  });

  it('runs to the selected operator', () => {
    tell(READY);
    expect(buttons()[1].disabled).toBe(true);
    explorer.select(2);
    return vi.waitFor(() => {
      expect(buttons()[1].disabled).toBe(false);
      buttons()[1].click();
      expect(sent[1]).toMatchObject({ type: 'run.start', until: 2 });
    });
  });

  it('has "Run to here" in the menu of an operator, but not of an input', () => {
    tell(READY);
    const tree = root().querySelector('[role=tree]')!;
    const labels = (): (string | null)[] => {
      tree.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }));
      return [...root().querySelectorAll('[role=menuitem]')].map((item) => item.textContent);
    };
    tree.dispatchEvent(new KeyboardEvent('keydown', { key: 'Home', bubbles: true }));
    expect(labels()).not.toContain('Run to here');
    explorer.select(2);
    return vi.waitFor(() => expect(labels()).toContain('Run to here'));
  });

  it('counts the operators that are done, and says how the run ended', () => {
    tell(READY);
    tell({ type: 'run.begin', device: 'cpu', nodes: 5 });
    tell(PROGRESS, batch([0, 1], [0.001, 0.002]));
    expect(status()).toMatch(/^2 of \d+ operators$/);
    tell({ type: 'run.end', state: 'cancelled', message: '', node: -1, device: 'cpu', stopped: 2 });
    expect(status()).toMatch(/^2 operators on cpu · 3 ms · cancelled before /);
  });

  it('forgets a heatmap when another run begins', async () => {
    tell(READY);
    explorer.select(0);
    await vi.waitFor(() => expect(root().querySelector('#tab-values')).not.toBeNull());
    root().querySelector<HTMLElement>('#tab-values')!.click();
    const draw = (): HTMLButtonElement | undefined =>
      [...root().querySelectorAll('button')].find((each) => each.textContent === 'Draw a heatmap');
    draw()!.click();
    const asked = sent[sent.length - 1] as RunView;
    expect(asked).toMatchObject({ type: 'run.view', axes: null });
    const map = { rows: 1, columns: 2, axes: [0, 1], index: [0, 0], step: [1, 1], low: 0, high: 1 };
    const about = { ...map, value: asked.value, shape: [1, 2], dtype: 'float32' };
    tell({ type: 'run.heatmap', ...about } as KernelMessage, [view(Float32Array.from([0, 1]))]);
    expect(root().querySelector('.heatmap')!.getAttribute('aria-label')).toBe('Heatmap, 1 rows of 2, 0 to 1');
    root().querySelector<HTMLElement>('#tab-details')!.click();
    tell({ type: 'run.begin', device: 'cpu', nodes: 5 });
    tell({ type: 'run.end', state: 'finished', message: '', node: -1, device: 'cpu' });
    root().querySelector<HTMLElement>('#tab-values')!.click();
    expect(root().querySelector('.heatmap')).toBeNull();
    expect(draw()).toBeDefined();
  });

  it('says in a sentence what failed', () => {
    tell(READY);
    tell({ type: 'run.begin', device: 'cpu', nodes: 5 });
    tell({ type: 'run.end', state: 'failed', message: 'aten::linear failed', node: 0 });
    expect(status()).toBe('✕ aten::linear failed');
  });

  it('of a kernel that is gone says so, and the picture stays', () => {
    tell(READY);
    lose();
    expect(status()).toContain('The kernel was restarted');
    expect(buttons().every((each) => each.disabled)).toBe(true);
    expect(root().querySelectorAll('[role=treeitem]').length).toBeGreaterThan(0);
  });
});
