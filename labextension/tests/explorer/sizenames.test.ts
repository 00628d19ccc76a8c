// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { accessibleName, labelOf, shapeText } from '../../src/model/describe';
import { fullType, textOf } from '../../src/model/elementdetails';
import { buildHierarchy, inputElement, STORY } from '../../src/model/hierarchy';
import { buildIndex, search } from '../../src/model/search';
import { sizeNamesOf, withSizeNames, type SizeNameRows } from '../../src/model/sizenames';
import { readDocument } from '../../src/protocol/validate';
import type { KernelConnection } from '../../src/protocol/connection';
import type { BrowserMessage, KernelMessage } from '../../src/protocol/runmessages';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentBuilder } from '../fixtures/builder';

const NAMES: SizeNameRows = [
  [0, ['batch', '128', '64']],
  [1, ['batch', 'length - 1', '64']],
];

/** `exp` of `x`, and `sum` of that. */
function plain(): ViewDocument {
  const b = new DocumentBuilder('f');
  const made = b.op('exp', [b.input('x', [2, 128, 64])], [2, 127, 64]);
  b.output(b.op('sum', [made], []));
  return b.document;
}

const named = (): ViewDocument => {
  const document = plain();
  return readDocument(withSizeNames(document, sizeNamesOf(document, NAMES)));
};

describe('sizes by name', () => {
  const h = buildHierarchy(named());

  it('are the labels of boxes and lines', () => {
    expect(labelOf(h, 0).detail).toBe('batch×(length - 1)×64');
    expect(labelOf(h, inputElement(h, 0)).detail).toBe('batch×128×64');
  });

  it('stand in the details with the sizes at the trace', () => {
    expect(fullType(h, 1)).toBe('Tensor[batch, length - 1, 64] · float32 · cpu · traced with [2, 127, 64]');
    expect(textOf(h, 0)).toContain('Tensor[batch, 128, 64]');
  });

  it('are read aloud', () => {
    expect(accessibleName(h, 0, false)).toBe('exp, operator, batch×(length - 1)×64');
  });

  it('are found by name and by number', () => {
    const found = (query: string): string[] =>
      search(h, buildIndex(h), query).map((at) => labelOf(h, at).title);
    expect(found('length - 1')).toContain('exp');
    expect(found('127')).toContain('exp');
  });

  it('are numbers in a label that would be long', () => {
    const document = plain();
    const long = sizeNamesOf(document, [[1, ['batch', '(floor((x.2 - 1)/4) + 1)*heads', '64']]]);
    const h = buildHierarchy(withSizeNames(document, long));
    expect(labelOf(h, 0).detail).toBe('2×127×64');
    expect(shapeText(h, 1)).toBe('[batch, (floor((x.2 - 1)/4) + 1)*heads, 64]');
  });

  it.each([
    [['x.0', 'x.1'], '2×127'],
    [['x.0', '127'], '2×127'],
    [['floor(x.0/2)', 'Max(2, x.1)'], '2×127'],
    [['batch', 'x.1'], 'batch×x.1'],
    [['2*batch', '127'], '(2*batch)×127'],
  ])('%s, in a label', (texts, label) => {
    const b = new DocumentBuilder('f');
    b.output(b.op('exp', [b.input('x', [2, 127])], [2, 127]));
    const names = sizeNamesOf(b.document, [[1, texts]]);
    expect(labelOf(buildHierarchy(withSizeNames(b.document, names)), 0).detail).toBe(label);
  });

  it('are numbers where a person wants numbers', () => {
    const numbers = buildHierarchy(named(), { ...STORY, nameSizes: false });
    expect(labelOf(numbers, 0).detail).toBe('2×127×64');
    expect(fullType(numbers, 1)).toBe('Tensor[2, 127, 64] · float32 · cpu');
  });

  it.each([
    ['of another rank', [[0, ['batch', '64']]]],
    ['of a scalar', [[2, ['batch']]]],
    ['of no value', [[99, ['batch']]]],
  ] as [string, SizeNameRows][])('%s are not believed', (_, rows) => {
    expect(sizeNamesOf(plain(), rows).size).toBe(0);
  });

  it('add nothing to a document where none are known', () => {
    const document = plain();
    expect(withSizeNames(document, new Map())).toBe(document);
  });
});

describe('the picture of a live notebook', () => {
  let host: HTMLElement;
  let explorer: Explorer;
  let sent: BrowserMessage[];
  let tell: (message: KernelMessage) => void;

  const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;
  const items = (): string[] =>
    [...shadow().querySelectorAll('.item')].map((item) => item.getAttribute('aria-label')!);
  const press = (key: string): void => {
    shadow()
      .querySelector('[role=tree]')!
      .dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  };
  const open = async (document: ViewDocument): Promise<void> => {
    const heard: ((message: KernelMessage, buffers: DataView[]) => void)[] = [];
    tell = (message) => heard.forEach((each) => each(message, []));
    const kernel: KernelConnection = {
      send: (content) => void sent.push(content),
      onMessage: (listener) => void heard.push(listener),
      onDisconnect: () => undefined,
      onConnectionChange: () => undefined,
    };
    explorer = createExplorer(host, document, { kernel });
    await vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1 });
  };
  const asked = (): number => sent.filter(({ type }) => type === 'sizes.ask').length;
  const NAMED = 'exp, operator, batch×(length - 1)×64';
  const NUMBERED = 'exp, operator, 2×127×64';

  beforeEach(() => {
    sent = [];
    localStorage.clear();
    host = window.document.createElement('div');
    window.document.body.append(host);
  });
  afterEach(() => {
    explorer.destroy();
    host.remove();
    localStorage.clear();
  });

  it('has numbers until the kernel tells the names that it was asked for', async () => {
    await open(plain());
    expect(items()).toContain(NUMBERED);
    await vi.waitFor(() => expect(asked()).toBe(1));
    tell({ type: 'sizes.told', case: 0, sizes: NAMES as [number, string[]][] });
    await vi.waitFor(() => expect(items()).toContain(NAMED));
    expect([...explorer.sizeNames()!]).toEqual(NAMES);
  });

  it('does not ask for what stands in the document', async () => {
    await open(named());
    expect(items()).toContain(NAMED);
    await new Promise((done) => setTimeout(done, 50));
    expect(asked()).toBe(0);
  });

  it('leaves alone what is told of another recording', async () => {
    await open(plain());
    tell({ type: 'sizes.told', case: 1, sizes: NAMES as [number, string[]][] });
    await new Promise((done) => setTimeout(done, 50));
    expect(items()).toContain(NUMBERED);
  });

  it('keeps what is selected', async () => {
    await open(plain());
    explorer.select(0);
    await vi.waitFor(() => expect(host.dataset.selected).toBe('0'));
    tell({ type: 'sizes.told', case: 0, sizes: NAMES as [number, string[]][] });
    await vi.waitFor(() => expect(items()).toContain(NAMED));
    expect(host.dataset.selected).toBe('0');
  });

  it('shows numbers by a key, and so do the pictures that come', async () => {
    await open(named());
    press('z');
    await vi.waitFor(() => expect(items()).toContain(NUMBERED));
    expect(explorer.sizeNames()!.size).toBe(0);
    explorer.destroy();
    await open(named());
    expect(items()).toContain(NUMBERED);
    press('z');
    await vi.waitFor(() => expect(items()).toContain(NAMED));
  });
});
