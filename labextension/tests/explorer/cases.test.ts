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

it('the list keeps the focus and its entries', async () => {
  const first = list().options[0];
  list().focus();
  await choose(1);
  expect(host.querySelector('.tracelab')!.shadowRoot!.activeElement).toBe(list());
  expect(list().options[0]).toBe(first);
});

it('the tooltip has the whole name', async () => {
  expect(list().title).toMatch(/^no mask\n/);
  await choose(1);
  expect(list().title).toMatch(/^mask given\n/);
});

it('a search goes on in another recording', async () => {
  const search = (): HTMLInputElement => all('.search input')[0] as HTMLInputElement;
  search().value = 'op:relu';
  search().dispatchEvent(new Event('input'));
  await choose(1);
  expect(search().value).toBe('op:relu');
  expect(all('.search .count')[0].textContent).toMatch(/^0\/[1-9]/);
});

it('a recording is selected and opened as it was', async () => {
  explorer.setOpened([]);
  await ready();
  explorer.select(2);
  await ready();
  const link = explorer.link();
  await choose(1);
  expect(explorer.link()).not.toContain('select');
  await choose(0);
  expect(explorer.link()).toBe(link);
});

it('back and forward are those of the recording', async () => {
  const back = (): HTMLElement => all('[aria-label="Back ([)"]')[0];
  explorer.select(2);
  await ready();
  await choose(1);
  expect(back().getAttribute('aria-disabled')).toBe('true');
  await choose(0);
  expect(back().getAttribute('aria-disabled')).toBe('false');
});

it('what is closed stays closed in another recording of the same modules', async () => {
  explorer.setDocument({ ...resnet18(), cases: [{ label: 'a' }, { label: 'b', document: resnet18() }] });
  await ready();
  explorer.setOpened([]);
  await ready();
  await choose(1);
  expect(explorer.link()).toContain('open=');
  expect(explorer.link()).not.toContain('layer1');
});

it('the host hears that nothing is selected before it hears of the recording', async () => {
  const heard: string[] = [];
  explorer.destroy();
  explorer = createExplorer(host, both(), {
    onCase: (index) => heard.push(`case ${index}`),
    onSelect: (node) => heard.push(`select ${node}`),
  });
  await ready();
  explorer.select(2);
  await ready();
  await choose(1);
  expect(heard).toEqual(['select null', 'case 1']);
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
