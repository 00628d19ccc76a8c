// @vitest-environment happy-dom
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createExplorer, type Explorer } from '../../src/explorer/explorer';
import * as runStrings from '../../src/i18n/runstrings';
import * as strings from '../../src/i18n/strings';
import * as toolStrings from '../../src/i18n/toolstrings';
import { setTranslation, type Translation } from '../../src/i18n/translation';
import type { KernelConnection } from '../../src/protocol/connection';
import type { KernelMessage } from '../../src/protocol/runmessages';
import { resnet18 } from '../fixtures/models';
import { shownLiterals } from './literals';

/** What is the same in every language. */
const UNITS = ['kB', 'MB', 'GB'];

/** Every text in brackets: what stands in none was not translated. */
const BRACKETS: Translation = {
  __: (text, ...values) => `⟦${text.replace(/%(\d)/g, (_, at: string) => String(values[Number(at) - 1]))}⟧`,
  _n: (one, many, count, ...values) => BRACKETS.__(count === 1 ? one : many, count, ...values),
};

afterEach(() => setTranslation(undefined));

describe('a text that is shown', () => {
  const paths = ['protocol', 'model', 'explorer', 'lab'].flatMap((folder) =>
    readdirSync(`src/${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `src/${folder}/${path}`),
  );

  it.each(paths)('stands in a table, not in %s', (path) => {
    expect(shownLiterals(readFileSync(path, 'utf8'))).toEqual([]);
  });

  it('is found wherever it stands', () => {
    const source = `
      element('p', { text: 'Nothing here' });
      element('p', { text: none ? strings.none() : \`\${count} of them\` });
      element('p', { text: strings.none(), attributes: { 'aria-label': 'A graph' } });
      node.title = 'Close';
      node.setAttribute('placeholder', 'Search');
      view.notify('Saved ' + name);
      keys.bind({ keys: ['Escape'], help: ['Esc', 'close the panel'] });
      commands.addCommand(id, { label: () => 'Show Traces', caption: trans.__('List the traces') });
    `;
    expect(shownLiterals(source).map((found) => parseInt(found, 10))).toEqual([2, 3, 4, 5, 6, 7, 8, 9]);
  });
});

describe('a table', () => {
  it.each(Object.entries({ strings, runStrings, toolStrings }))(
    '%s has only translated texts',
    (_, table) => {
      setTranslation(BRACKETS);
      for (const [name, text] of Object.entries(table)) {
        const given = Array.from({ length: text.length }, (_, at) => at) as never[];
        expect((text as (...values: never[]) => string)(...given), name).toMatch(/^⟦.*⟧$/s);
      }
    },
  );
});

describe('an explorer in another language', () => {
  let explorer: Explorer;
  let host: HTMLElement;

  const ready = (): Promise<void> =>
    vi.waitFor(() => expect(host.dataset.tracelabReady).toBe('true'), { interval: 1, timeout: 10_000 });
  const shadow = (): ShadowRoot => host.querySelector('.tracelab')!.shadowRoot!;

  function shown(): string[] {
    const found: string[] = [];
    for (const each of shadow().querySelectorAll<HTMLElement>('.root *')) {
      for (const name of ['aria-label', 'title', 'placeholder']) {
        found.push(each.getAttribute(name) ?? '');
      }
      if (each.closest('kbd, code, pre, .code') === null) {
        found.push(
          ...[...each.childNodes].flatMap((node) => (node.nodeType === 3 ? [node.textContent ?? ''] : [])),
        );
      }
    }
    return found;
  }

  it('has no English left', async () => {
    setTranslation(BRACKETS);
    host = document.createElement('div');
    document.body.append(host);
    const traced = resnet18();
    const heard: ((message: KernelMessage, buffers: DataView[]) => void)[] = [];
    const hear = (message: KernelMessage, buffers: DataView[]): void =>
      heard.forEach((each) => each(message, buffers));
    const kernel: KernelConnection = {
      send: () => undefined,
      onMessage: (listener) => heard.push(listener),
      onDisconnect: () => undefined,
      onConnectionChange: () => undefined,
    };
    explorer = createExplorer(host, traced, { kernel });
    await ready();
    hear(
      { type: 'run.ready', devices: ['cpu', 'meta'], inputs: [{ name: 'x', type: 'Tensor', kept: true }] },
      [],
    );
    const press = (key: string): void =>
      void shadow()
        .querySelector('[role=tree]')!
        .dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
    press('?');
    const all = new Set(shown());
    for (const what of ['layer1', 0, 'x']) {
      explorer.select(what);
      await ready();
      await vi.waitFor(() => expect(shadow().querySelector('.panel')).toHaveProperty('hidden', false));
      press('m');
      for (const tab of shadow().querySelectorAll<HTMLElement>('[role=tab]')) {
        tab.click();
        shown().forEach((text) => all.add(text));
      }
    }
    explorer.setDocument(null);
    all.add(host.dataset.tracelabError ?? '');
    const data = JSON.stringify(traced);
    const isData = (word: string): boolean => word.length < 2 || UNITS.includes(word) || data.includes(word);
    const english = [...all].filter((text) => !text.includes('⟦') && !text.split(/\P{L}+/u).every(isData));
    expect(english).toEqual([]);
    explorer.destroy();
    host.remove();
  });
});
