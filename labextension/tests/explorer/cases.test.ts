// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import { mlp, resnet18 } from '../fixtures/models';
import type { ViewDocument } from '../../src/protocol/viewdocument';

let host: HTMLElement;
let explorer: Explorer;
const told = vi.fn();

const ready = (): Promise<void> =>
  vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1, timeout: 10_000 });
const all = (selector: string): HTMLElement[] => [
  ...host.querySelector('.tracelab')!.shadowRoot!.querySelectorAll<HTMLElement>(selector),
];
const list = (): HTMLSelectElement => all('select.cases')[0] as HTMLSelectElement;
const title = (): string => all('.title')[0].textContent ?? '';

async function choose(index: number): Promise<void> {
  list().value = String(index);
  list().dispatchEvent(new Event('change'));
  await ready();
}

const both = (): ViewDocument => ({
  ...mlp(),
  cases: [{ label: 'no mask' }, { label: 'mask given', document: resnet18() }],
});

beforeEach(async () => {
  host = document.createElement('div');
  document.body.append(host);
  told.mockClear();
  explorer = createExplorer(host, both(), { onCase: told });
  await ready();
});

afterEach(() => {
  explorer.destroy();
  host.remove();
});

it('a document of several recordings has a list of them', () => {
  expect(list().hidden).toBe(false);
  expect([...list().options].map(({ text }) => text)).toEqual(['no mask', 'mask given']);
});

it('a document of one recording has none', async () => {
  explorer.setDocument(mlp());
  await ready();
  expect(list().hidden).toBe(true);
});

it('a chosen recording is shown, and the host is told', async () => {
  const first = title();
  await choose(1);
  expect(title()).not.toBe(first);
  expect(list().value).toBe('1');
  expect(told.mock.calls).toEqual([[1]]);
  await choose(0);
  expect(title()).toBe(first);
});

it('what the host shows, it is not told', async () => {
  explorer.showCase(1);
  await ready();
  expect(list().value).toBe('1');
  expect(told).not.toHaveBeenCalled();
});

it('nothing is selected of another recording', async () => {
  explorer.select(2);
  await ready();
  await choose(1);
  expect(host.dataset.selected).toBe('-1');
});

it('a link names the recording', async () => {
  await choose(1);
  const link = explorer.link();
  expect(link).toContain('case=mask+given');
  await choose(0);
  explorer.restore(link);
  await ready();
  expect(list().value).toBe('1');
});

it('a recording that is damaged is one sentence', async () => {
  explorer.setDocument({ ...mlp(), cases: [{ label: 'good' }, { label: 'bad', document: { format: 1 } }] });
  await ready();
  await choose(1);
  expect(host.dataset.tracelabError).toContain('cannot be shown');
});
