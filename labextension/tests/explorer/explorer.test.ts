// @vitest-environment happy-dom
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer, type ExplorerOptions } from '../../src/explorer/explorer';
import { readTheme } from '../../src/explorer/ui/theme';
import { parseBytes } from '../../src/widget';
import { DocumentBuilder } from '../fixtures/builder';
import { mlp, resnet18 } from '../fixtures/models';

let host: HTMLElement;
let explorer: Explorer | null = null;

async function open(raw: unknown, options?: ExplorerOptions): Promise<Explorer> {
  explorer = createExplorer(host, raw, options);
  await ready();
  return explorer;
}

const ready = (): Promise<void> =>
  vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });

const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
const tree = (): HTMLElement => shadow().querySelector('[role=tree]')!;
const names = (): string[] =>
  [...shadow().querySelectorAll('[role=treeitem]')].map((item) => item.getAttribute('aria-label') ?? '');
const panel = (): HTMLElement => shadow().querySelector('.panel')!;
const active = (): string =>
  shadow().querySelector('[role=treeitem][aria-selected=true]')?.getAttribute('aria-label') ?? '';

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) {
    tree().dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    await ready();
  }
}

beforeEach(() => {
  host = document.createElement('div');
  document.body.append(host);
});

afterEach(() => {
  explorer?.destroy();
  explorer = null;
  host.remove();
  document.body.removeAttribute('data-jp-theme-light');
});

describe('a document that cannot be shown', () => {
  it('is replaced by one sentence', async () => {
    await open({ format: 'tracelab.view', version: 99 });
    expect(shadow().querySelector('[role=alert]')!.textContent).toMatch(
      /^This graph cannot be shown: .*newer/,
    );
  });

  it('may be followed by a good one', async () => {
    const made = await open(null);
    made.setDocument(mlp());
    await ready();
    expect(names()).toHaveLength(9);
  });

  it('puts text in as text', async () => {
    const b = new DocumentBuilder('<img src=x onerror=alert(1)>');
    b.output(b.op('<script>alert(1)</script>', [b.input('<b>x</b>', [1])], [1]));
    const made = await open(b.document);
    made.select(0);
    await press('i');
    expect(shadow().querySelectorAll('img, script, b')).toHaveLength(0);
  });
});

describe('the accessibility tree', () => {
  it('names every visible box', async () => {
    await open(resnet18());
    expect(names()).toContain('layer1: Sequential, open group, 14 ops');
  });

  it('says whether a group is open', async () => {
    await open(resnet18(), { state: { opened: [9] } });
    expect(shadow().querySelectorAll('[aria-expanded=true]')).toHaveLength(
      names().filter((name) => name.includes('open group')).length,
    );
  });
});

describe('keys', () => {
  it('go down along the edges', async () => {
    await open(mlp());
    await press('ArrowDown', 'ArrowDown');
    expect(active()).toBe('fc1: linear, operator, 32×256');
  });

  it('go up along the edges', async () => {
    await open(mlp());
    await press('ArrowDown', 'ArrowDown', 'ArrowUp');
    expect(active()).toBe('x, graph input, 32×784');
  });

  it('open and close a group by Enter', async () => {
    await open(resnet18(), { state: { opened: [] } });
    await press('ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowDown', 'Enter');
    expect(active()).toBe('layer1: Sequential, open group, 14 ops');
    await press('Enter');
    expect(active()).toBe('layer1: Sequential, closed group, 14 ops');
  });

  it('close the panel by Escape', async () => {
    await open(mlp());
    await press('ArrowDown', 'i', 'Escape');
    expect(panel().hidden).toBe(true);
  });

  it('expand and collapse everything', async () => {
    await open(resnet18(), { state: { opened: [] } });
    const closed = names().length;
    await press('e');
    expect(names().length).toBeGreaterThan(60);
    await press('c');
    expect(names()).toHaveLength(closed);
  });
});

describe('selection', () => {
  it('tells the node', async () => {
    const onSelect = vi.fn();
    await open(mlp(), { onSelect });
    await press('End', 'ArrowUp');
    expect(onSelect.mock.calls).toEqual([[6, '']]);
  });

  it('tells the module', async () => {
    const onSelect = vi.fn();
    const made = await open(resnet18(), { onSelect });
    made.select('layer1.0');
    await press('Backspace');
    expect(onSelect.mock.calls).toEqual([[null, 'layer1']]);
  });

  it('stands on the host', async () => {
    await open(mlp());
    await press('ArrowDown', 'ArrowDown');
    expect(host.dataset.selected).toBe('0');
  });

  it('opens what hides the node that is asked for', async () => {
    const made = await open(resnet18());
    made.select(5);
    await vi.waitFor(() => expect(host.dataset.selected).toBe('5'));
    await ready();
    expect(names()).toContain('layer1: Sequential, open group, 14 ops');
  });

  it('shows schema, arguments, source and warnings', async () => {
    const made = await open(mlp());
    made.select(5);
    await press('i');
    expect(panel().textContent).toContain('x.mean() > 0');
    expect(panel().textContent).toContain('1 warning');
    expect(panel().querySelector('.span')!.textContent).toBe('x.mean() > 0');
  });

  it('tells warnings that differ in no more than a value once, with their number', async () => {
    const document = mlp();
    const [warning] = document.warnings;
    document.warnings = ['True', 'False', 'True'].map((constant) => ({
      ...warning,
      message: `Of a size (${constant}): the branch is kept.`,
      constant,
    }));
    document.warnings.push(warning);
    await open(document);
    await press('i');
    const items = [...panel().querySelectorAll('.warnings')][0].children;
    expect(items.length).toBe(2);
    expect(items[0].querySelector('summary')!.textContent).toBe(
      `3 × ${warning.kind}: Of a size: the branch is kept.`,
    );
    expect(items[0].querySelectorAll('.warning').length).toBe(3);
    expect(items[0].querySelector('details')!.open).toBe(false);
    expect(items[1].textContent).toContain(warning.message);
  });

  it('tells two that are alike one by one', async () => {
    const document = mlp();
    document.warnings = [document.warnings[0], document.warnings[0]];
    await open(document);
    await press('i');
    expect(panel().querySelectorAll('.warnings > .warning').length).toBe(2);
    expect(panel().querySelector('.warnings summary')).toBeNull();
  });

  it('jumps from an input to its maker', async () => {
    const made = await open(mlp());
    made.select(1);
    await press('i');
    const jump = [...panel().querySelectorAll('button')].find((each) => each.textContent === 'fc1: linear')!;
    jump.click();
    await ready();
    expect(host.dataset.selected).toBe('0');
  });
});

describe('search', () => {
  it('opens the groups around a match', async () => {
    await open(resnet18());
    const input = shadow().querySelector('input')!;
    input.value = 'layer4.1.conv2.weight';
    input.dispatchEvent(new Event('input'));
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    await vi.waitFor(() => expect(active()).toBe('conv2: conv2d, operator, 1×512×7×7'));
  });
});

describe('the list of matches', () => {
  const rows = async (query: string, document = resnet18()): Promise<HTMLElement[]> => {
    await open(document);
    const input = shadow().querySelector('input')!;
    input.value = query;
    input.dispatchEvent(new Event('input'));
    return [...shadow().querySelectorAll<HTMLElement>('[role=option]')];
  };
  const marks = (row: HTMLElement): string[] =>
    [...row.querySelectorAll('mark')].map(({ textContent }) => textContent);

  it('marks what was searched for in the name', async () => {
    const [first] = await rows('conv');
    expect([first.querySelector('span')!.textContent, marks(first)]).toEqual(['conv2d', ['conv']]);
  });

  it('marks it in the path where the name does not hold it', async () => {
    const row = (await rows('layer3')).find((each) => each.textContent!.startsWith('relu'))!;
    expect(row.childNodes).toHaveLength(2);
    expect(row.lastElementChild!.textContent).toMatch(/^.*layer3\.0/);
    expect(marks(row)).toEqual(['layer3']);
  });

  it('tells what it was found by where neither holds it', async () => {
    const [row] = await rows('"x.mean() > 0"', mlp());
    expect(row.firstElementChild!.textContent).toBe('mean');
    expect(row.lastElementChild!.textContent).toBe('if x.mean() > 0:');
    expect(marks(row)).toEqual(['x.mean() > 0']);
  });
});

describe('state', () => {
  it('is told when a group opens', async () => {
    const onState = vi.fn();
    await open(resnet18(), { onState });
    await press('e');
    await vi.waitFor(() => expect(onState).toHaveBeenCalled());
    expect(onState.mock.calls[0][0].opened.length).toBeGreaterThan(10);
  });

  it('takes scopes from outside', async () => {
    const made = await open(resnet18());
    made.setOpened([names().length]);
    made.setOpened([]);
    await ready();
    expect(names().some((name) => name.includes('open group'))).toBe(false);
  });
});

describe('theme', () => {
  it('follows JupyterLab', () => {
    document.body.setAttribute('data-jp-theme-light', 'false');
    expect(readTheme(host).dark).toBe(true);
  });

  it('changes while shown', async () => {
    await open(mlp());
    document.body.setAttribute('data-jp-theme-light', 'false');
    await vi.waitFor(() => expect(shadow().querySelector<HTMLElement>('.root')!.dataset.theme).toBe('dark'));
  });
});

describe('the first picture', () => {
  afterEach(() => vi.restoreAllMocks());

  /** Whether the output stands below the input, in a chain of so many operators. */
  const runsDown = async (operators: number, height: number, options?: ExplorerOptions): Promise<boolean> => {
    vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(866);
    vi.spyOn(HTMLElement.prototype, 'clientHeight', 'get').mockReturnValue(height);
    const b = new DocumentBuilder('Net');
    let x = b.input('x', [1]);
    for (let at = 0; at < operators; at++) {
      x = b.op('relu', [x], [1]);
    }
    b.output(x);
    const made = await open(b.document, options);
    const [first, last] = [made.positionOf('relu')!, made.positionOf(`relu.${operators - 1}`)!];
    made.destroy();
    host.replaceChildren();
    return Math.abs(first.x - last.x) < 1;
  };
  const chains = [2, 3, 4, 5, 6, 7, 8];
  const all = async (height: number, options?: ExplorerOptions): Promise<boolean[]> => {
    const found: boolean[] = [];
    for (const operators of chains) {
      found.push(await runsDown(operators, height, options));
    }
    return found;
  };

  it('turns at the same length before the bar of the kernel has come and after', async () => {
    const early = await all(438);
    expect(early).toEqual(await all(403));
    expect([early[0], early[chains.length - 1]]).toEqual([true, false]);
  });

  it('has all the height of a page that it fills', async () => {
    expect(await all(800, { fill: true })).toEqual(chains.map(() => true));
  });
});

describe('bytes from the kernel', () => {
  it('are read as JSON', () => {
    const bytes = new TextEncoder().encode('{"a":"é"}');
    expect(parseBytes(new DataView(bytes.buffer))).toEqual({ a: 'é' });
  });

  it('are unpacked where they are compressed', async () => {
    expect(await parseBytes(new Uint8Array(gzipSync('{"a":"é"}')))).toEqual({ a: 'é' });
  });

  it('are nothing where they are cut off', async () => {
    expect(await parseBytes(new Uint8Array(gzipSync('{"a":"é"}').subarray(0, 12)))).toBeNull();
  });

  it('may be nothing', () => {
    expect(parseBytes(new DataView(new ArrayBuffer(0)))).toBeNull();
  });
});

it('leaves nothing behind', async () => {
  const made = await open(mlp());
  made.destroy();
  explorer = null;
  expect([host.childElementCount, host.attributes.length]).toEqual([0, 0]);
});
