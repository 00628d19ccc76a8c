// @vitest-environment happy-dom
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createView } from '../../src/explorer/core/createview';
import type { View } from '../../src/explorer/core/view';
import { plugIn } from '../../src/explorer/deferred';
import { keyboardFeature } from '../../src/explorer/features/input/keyboard';
import { groupElement, type Hierarchy } from '../../src/model/hierarchy';
import type { KernelMessage } from '../../src/protocol/runmessages';
import { resnet18 } from '../fixtures/models';

const bytesOf = (typed: Int32Array | Float64Array | Uint8Array): DataView => new DataView(typed.buffer);

let host: HTMLElement;
let view: View;
let tell: (message: KernelMessage, buffers?: DataView[]) => void;

const $ = (selector: string): HTMLElement => view.frame.root.querySelector<HTMLElement>(selector)!;
const strip = (): HTMLElement => $('.strip');
const plot = (): HTMLElement => $('.plot');
const reading = (): string => $('.reading').textContent!;
const button = (): HTMLElement => $('[aria-label="Plot (u)"]');
const said = (): string => plot().getAttribute('aria-valuetext')!;
const h = (): Hierarchy => view.graph!;

async function open(): Promise<void> {
  host = document.createElement('div');
  document.body.append(host);
  const heard: ((message: KernelMessage, buffers: DataView[]) => void)[] = [];
  tell = (message, buffers = []) => heard.forEach((each) => each(message, buffers));
  const kernel = {
    send: () => undefined,
    onMessage: (listener: (typeof heard)[number]) => void heard.push(listener),
    onDisconnect: () => undefined,
    onConnectionChange: () => undefined,
  };
  view = createView(host, { kernel, state: { opened: [] } }, 480, async (made) => plugIn(made));
  keyboardFeature(view);
  view.frame.applyTheme();
  view.setDocument(resnet18());
  await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
}

/** A run in which each operator takes a millisecond longer than the one before. */
function run(): void {
  const nodes = Array.from({ length: h().nodes }, (_, node) => node);
  tell({ type: 'run.begin', device: 'cpu', nodes: nodes.length });
  tell({ type: 'run.progress', nodes: nodes.length, values: 0, bins: 4 }, [
    bytesOf(Int32Array.from(nodes)),
    bytesOf(Float64Array.from(nodes.flatMap((node) => [(node + 1) / 1000, 1, 1000 + node]))),
    bytesOf(new Uint8Array(nodes.length)),
    bytesOf(new Int32Array()),
    bytesOf(new Float64Array()),
    bytesOf(new Int32Array()),
  ]);
  tell({ type: 'run.end', state: 'finished', message: '', node: -1, device: 'cpu' });
}

const press = (key: string, on: HTMLElement = plot()): boolean =>
  on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));

function point(type: string, place: number): void {
  const width = h().nodes * 10;
  vi.spyOn(plot(), 'getBoundingClientRect').mockReturnValue({ left: 0, width } as DOMRect);
  plot().dispatchEvent(new MouseEvent(type, { clientX: place * 10 + 5, bubbles: true }));
}

beforeEach(open);
afterEach(() => {
  view.destroy();
  host.remove();
  window.localStorage.clear();
  vi.restoreAllMocks();
});

describe('the strip', () => {
  it('is not there, nor its button, until there is something to plot', () => {
    expect([strip().hidden, button().hidden]).toEqual([true, true]);
    run();
    expect([strip().hidden, button().hidden]).toEqual([false, false]);
    expect(strip().previousElementSibling!.className).toBe('body');
  });

  it('is hidden and shown by its button, which says so, and stays as it was chosen', async () => {
    run();
    button().click();
    expect([strip().hidden, button().getAttribute('aria-pressed')]).toEqual([true, 'false']);
    view.destroy();
    await open();
    run();
    expect(strip().hidden).toBe(true);
    press('u', view.tree.node);
    expect([strip().hidden, button().getAttribute('aria-pressed')]).toEqual([false, 'true']);
  });

  it('goes with an overlay that has no numbers, and with another document', () => {
    run();
    const select = $('.overlay-legend select') as HTMLSelectElement;
    select.value = 'dtype';
    select.dispatchEvent(new Event('change'));
    expect(strip().hidden).toBe(true);
    select.value = 'memory';
    select.dispatchEvent(new Event('change'));
    expect(strip().hidden).toBe(false);
    view.setDocument(resnet18());
    expect(strip().hidden).toBe(true);
  });

  it('has the same few elements whatever the number of operators', () => {
    run();
    expect(strip().querySelectorAll('*').length).toBeLessThan(12);
  });
});

describe('a point', () => {
  beforeEach(run);

  it('under the pointer lights its operator, or the closed box around it, and is read', () => {
    const inside = h().document.nodes.scope.findIndex((scope) => h().paths[scope] === 'layer2.0.conv1');
    point('pointermove', inside);
    const box = view.scene!.visible.elements[view.stage.marks.hovered];
    expect(box).toBe(groupElement(h(), h().paths.indexOf('layer2')));
    expect(reading()).toBe(`layer2.0.conv1: conv2d, ${inside + 1} ms`);
    plot().dispatchEvent(new Event('pointerleave'));
    expect([view.stage.marks.hovered, reading()]).toEqual([-1, '']);
  });

  it('that is clicked selects its operator and opens what hides it', async () => {
    const inside = h().document.nodes.scope.findIndex((scope) => h().paths[scope] === 'layer2.0.conv1');
    point('click', inside);
    expect(view.selected).toBe(inside);
    await vi.waitFor(() => expect(view.selectedIndex).toBeGreaterThanOrEqual(0));
  });

  it('of what the pointer is over in the graph is read', () => {
    view.hover(groupElement(h(), h().paths.indexOf('layer1')));
    const inside = h().document.nodes.scope.flatMap((scope, node) =>
      h().paths[scope].startsWith('layer1') ? [node] : [],
    );
    const sum = inside.reduce((total, node) => total + node + 1, 0);
    expect(reading()).toBe(`layer1, ${sum} ms`);
  });

  it('is where the cursor goes when its operator is selected', () => {
    view.select(4);
    expect([plot().getAttribute('aria-valuenow'), said()]).toEqual(['5', reading()]);
    expect(said()).toMatch(/, 5 ms$/);
  });
});

describe('by keyboard', () => {
  beforeEach(run);

  it('it is one stop, a slider that says a name and a value', () => {
    expect(strip().querySelectorAll('[tabindex], button')).toHaveLength(1);
    expect([...plot().attributes].map(({ name, value }) => [name, value])).toEqual(
      expect.arrayContaining([
        ['role', 'slider'],
        ['tabindex', '0'],
        ['aria-label', 'Plot of time'],
        ['aria-valuemin', '1'],
        ['aria-valuemax', String(h().nodes)],
        ['aria-valuenow', '1'],
        ['aria-valuetext', 'conv1: conv2d, 1 ms'],
      ]),
    );
  });

  it.each([
    [['ArrowRight', 'ArrowRight', 'ArrowLeft'], 2],
    [['End'], 69],
    [['End', 'ArrowRight'], 69],
    [['End', 'Home'], 1],
    [['ArrowLeft'], 1],
    [['PageUp', 'PageUp', 'PageDown'], 8],
  ])('%j goes to point %i, and lights it', (keys, at) => {
    expect(h().nodes).toBe(69);
    keys.forEach((key) => press(key));
    expect(plot().getAttribute('aria-valuenow')).toBe(String(at));
    expect(view.stage.marks.hovered).toBeGreaterThanOrEqual(0);
    expect(view.selected).toBe(-1);
  });

  it('Enter selects', () => {
    press('ArrowRight');
    press('Enter');
    expect(view.selected).toBe(1);
  });

  it('no key is one that a plugin of JupyterLab offers for a node', () => {
    const sources = readdirSync('src/lab', { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.ts'),
    );
    const offered = sources.flatMap((path) =>
      [...readFileSync(`src/lab/${path}`, 'utf8').matchAll(/\bkey: '(.+?)'/g)].map(([, key]) => key),
    );
    const bound = view.keys.bindings.flatMap(({ keys }) => keys);
    expect(offered).not.toEqual([]);
    expect(bound.filter((key) => offered.includes(key))).toEqual([]);
  });

  it('keys of the explorer are still heard', () => {
    press('u');
    expect(strip().hidden).toBe(true);
  });
});
