// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { createEvents } from '../../src/explorer/ui/events';
import { createKeys, keyName } from '../../src/explorer/ui/keys';
import { DocumentBuilder } from '../fixtures/builder';
import { mlp, resnet18 } from '../fixtures/models';
import type { ViewDocument } from '../../src/protocol/viewdocument';

let host: HTMLElement;
let explorer: Explorer;

const ready = (): Promise<void> =>
  vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1, timeout: 10_000 });
const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
const tree = (): HTMLElement => shadow().querySelector('[role=tree]')!;
const all = (selector: string): HTMLElement[] => [...shadow().querySelectorAll<HTMLElement>(selector)];
const texts = (selector: string): string[] => all(selector).map((each) => each.textContent ?? '');
const active = (): string =>
  shadow().querySelector('.item[aria-selected=true]')?.getAttribute('aria-label') ?? '';
const said = (): string => texts('.root > .visually-hidden').join();

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) {
    const [, shift, plain] = /^(Shift\+)?(.+)$/s.exec(key)!;
    tree().dispatchEvent(
      new KeyboardEvent('keydown', { key: plain, shiftKey: !!shift, bubbles: true, cancelable: true }),
    );
    await ready();
  }
}

async function open(document: ViewDocument): Promise<void> {
  explorer = createExplorer(host, document);
  await ready();
}

beforeEach(() => {
  host = document.createElement('div');
  document.body.append(host);
});

afterEach(() => {
  explorer.destroy();
  host.remove();
});

it('events reach who listens, until they no longer do', () => {
  const events = createEvents<{ tick: [number] }>();
  const heard: number[] = [];
  const end = events.on('tick', (number) => heard.push(number));
  events.emit('tick', 1);
  end();
  events.emit('tick', 2);
  explorer = createExplorer(host, mlp());
  expect(heard).toEqual([1]);
});

it('who begins to listen late is told what is so by now', () => {
  const events = createEvents<{ tick: [number] }>();
  const heard: string[] = [];
  events.on('tick', (number) => heard.push(`early ${number}`));
  const before = events.listening();
  events.on('tick', (number) => heard.push(`late ${number}`));
  events.catchUp(before, 'tick', 3);
  explorer = createExplorer(host, mlp());
  expect(heard).toEqual(['late 3']);
});

it('the picture is there before the features that can wait, and they know of it when they come', async () => {
  explorer = createExplorer(host, mlp());
  // The second part waits for the page to be idle: no promise alone brings it.
  for (let turn = 0; turn < 50; turn++) {
    await null;
  }
  expect(all('.item')).toHaveLength(9);
  expect([host.dataset.tracelabReady, all('[aria-label="Export (s)"]').length]).toEqual(['false', 0]);
  await ready();
  expect(all('[aria-label="Export (s)"]').length).toBe(1);
  await press('?');
  expect(texts('.help h2')).toEqual(['Keyboard shortcuts', 'Legend']);
});

describe('keys', () => {
  it('are named as people name them', async () => {
    await open(mlp());
    const name = (key: string, shiftKey = false): string =>
      keyName(new KeyboardEvent('keydown', { key, shiftKey }));
    expect([name('ArrowUp', true), name('?', true), name('a')]).toEqual(['Shift+ArrowUp', '?', 'a']);
  });

  it('on a button run only what is bound anywhere', async () => {
    await open(mlp());
    const keys = createKeys();
    const run = vi.fn();
    keys.bind({ keys: ['x'], run });
    expect(keys.press(new KeyboardEvent('keydown', { key: 'x' }), false)).toBe(false);
    expect(run).not.toHaveBeenCalled();
  });

  it('are bound once', () => {
    explorer = createExplorer(host, mlp());
    const keys = createKeys();
    keys.bind({ keys: ['x'], run: vi.fn() });
    expect(() => keys.bind({ keys: ['y', 'x'], run: vi.fn() })).toThrow('the key x is bound twice');
  });

  it('in a field are text', async () => {
    await open(mlp());
    const event = new KeyboardEvent('keydown', { key: 'i', bubbles: true, cancelable: true });
    shadow().querySelector('input')!.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(false);
    expect(shadow().querySelector<HTMLElement>('.panel')!.hidden).toBe(true);
  });

  it('are all in the help', async () => {
    await open(mlp());
    await press('?');
    const own = ['↑ ↓', 'Shift ↑ ↓', '[  ]', '/', 'Esc', 'Enter', 'i', 'm', 'y', 'a', 'd', 'w', 'n  p', 's'];
    expect(texts('.help kbd')).toEqual(expect.arrayContaining(own));
  });

  it('go back and forward', async () => {
    await open(mlp());
    await press('ArrowDown', 'ArrowDown', 'ArrowDown', '[', '[');
    expect(active()).toBe('x, graph input, 32×784');
    await press(']');
    expect(active()).toBe('fc1: linear, operator, 32×256');
  });

  it('lead to warnings, round and round', async () => {
    await open(mlp());
    await press('n', 'n');
    expect(active()).toBe('mean, operator, scalar, 1 warning');
    expect(said()).toBe('warning 1 of 1 warning: mean, operator, scalar, 1 warning');
  });

  it('say that there are no warnings', async () => {
    const document = mlp();
    document.warnings = [];
    await open(document);
    await press('n');
    expect(said()).toBe('No warnings.');
  });
});

describe('highlight', () => {
  it('is on what an element depends on', async () => {
    await open(mlp());
    explorer.restore('select=fc2');
    await press('a');
    expect(said()).toBe('4 nodes highlighted: upstream');
  });

  it('goes out by Escape', async () => {
    await open(mlp());
    await press('ArrowDown', 'd', 'Escape');
    expect(shadow().querySelector<HTMLElement>('.highlight-bar')!.hidden).toBe(true);
  });

  it('needs two ends for a way', async () => {
    await open(mlp());
    await press('w');
    expect(said()).toContain('Pin one node and select another');
  });
});

describe('pins', () => {
  it('are shown side by side with what is selected', async () => {
    await open(mlp());
    explorer.restore('select=fc1');
    await press('m');
    explorer.restore('select=fc2');
    await press('i', 'i');
    all('[role=tab]')
      .find((tab) => tab.textContent === 'Compare')!
      .click();
    expect(texts('.comparison thead th')).toEqual(['fc1: linear×', 'fc2: linearselected']);
    expect(texts('.differs th')).toContain('≠ module');
  });

  it('are unpinned by the same key', async () => {
    await open(mlp());
    await press('ArrowDown', 'm', 'm');
    expect(said()).toBe('Unpinned. 0 nodes are pinned.');
  });
});

describe('the accessibility tree', () => {
  it('has under an operator its inputs and outputs', async () => {
    await open(mlp());
    await press('ArrowDown', 'ArrowDown');
    expect(all('.port').map((port) => port.getAttribute('aria-label'))).toEqual([
      'input x: Tensor[32, 784] · float32 · cpu, graph input',
      'input weight: Tensor[256, 784] · float32 · cpu, parameter fc1.weight',
      'input bias: Tensor[256] · float32 · cpu, parameter fc1.bias',
      'output x.1: Tensor[32, 256] · float32 · cpu, used by relu',
    ]);
  });

  it('is walked by Shift and the arrows, and left by Enter', async () => {
    await open(mlp());
    await press('ArrowDown', 'ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown', 'Shift+ArrowDown');
    await press('Shift+ArrowDown');
    expect(tree().getAttribute('aria-activedescendant')).toBe('port-3');
    await press('Enter');
    expect(active()).toBe('relu, operator, 32×256');
  });

  it('says each place among its siblings', async () => {
    await open(resnet18());
    const item = all('.item').find((each) => each.getAttribute('aria-label')!.startsWith('layer2'))!;
    expect([item.getAttribute('aria-posinset'), item.getAttribute('aria-setsize')]).toEqual(['7', '13']);
  });

  it('of a very large picture has only what is near, and what is selected', async () => {
    const b = new DocumentBuilder('Long');
    let x = b.input('x', [1]);
    for (let step = 0; step < 4000; step++) {
      x = b.op('relu', [x], [1]);
    }
    b.output(x);
    await open(b.document);
    await press('End');
    expect(all('.item').length).toBeLessThan(1502);
    expect(active()).toMatch(/^relu.*graph output/);
  }, 20_000);
});

describe('breadcrumbs', () => {
  it('are the groups around what is selected', async () => {
    await open(resnet18());
    explorer.restore('select=layer3.0.conv1');
    await vi.waitFor(() =>
      expect(texts('.breadcrumbs li')).toEqual(['ResNet', 'layer3', '0', 'conv1: conv2d']),
    );
  });
});

describe('the source tab', () => {
  it('leads from a line to what it ran', async () => {
    await open(mlp());
    await press('i');
    all('[role=tab]')
      .find((tab) => tab.textContent === 'Source')!
      .click();
    all('.source-listing button')
      .find((line) => line.textContent!.includes('logits = model(x)'))!
      .click();
    expect(said()).toBe('Line 20: 3 operators highlighted');
    expect(shadow().querySelector('input')!.value).toBe('line:"this cell:20"');
  });
});

describe('a link', () => {
  it('restores what is open, selected and searched for', async () => {
    await open(resnet18());
    explorer.restore('open=layer1&select=layer1&find=op:conv');
    await ready();
    expect(explorer.link()).toBe('open=layer1&select=layer1&find=op:conv');
  });
});
