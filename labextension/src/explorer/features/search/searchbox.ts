/** The search field with its list of matches. */

import * as strings from '../../../i18n/strings';
import { labelOf } from '../../../model/describe';
import { groupElement, kindOf, type Element, type Hierarchy } from '../../../model/hierarchy';
import { finish, indexing, markedText, reasons, search, type SearchIndex } from '../../../model/search';
import { whileIdle } from '../../ui/idle';
import { element } from '../../ui/dom';

const MOST_SHOWN = 100;

const EXAMPLES: [query: string, what: () => string][] = [
  ['op:conv', strings.exampleOperator],
  ['in:layer3', strings.exampleModule],
  ['shape:64', strings.exampleShape],
  ['src:"x + y"', strings.exampleSource],
  ['name:hidden', strings.exampleName],
  ['warn:', strings.exampleWarning],
  ['-op:view', strings.exampleNot],
];

export interface SearchBox {
  node: HTMLElement;
  focus(): void;
  clear(): void;
  /** Shows a query that came from elsewhere; with `open` also the list of its matches. */
  set(query: string, open: boolean): void;
  setGraph(h: Hierarchy): void;
  /** Searches once more, and stays where it was among the matches. */
  again(): void;
  readonly active: boolean;
}

export interface SearchEvents {
  /** The person stepped to a match. */
  onStep(match: Element): void;
  onMatches(matches: Element[], query: string): void;
  /** Escape, with nothing left to clear. */
  onLeave(): void;
}

export function createSearchBox(events: SearchEvents): SearchBox {
  let h: Hierarchy | null = null;
  let index: SearchIndex | null = null;
  let work: Generator<void, SearchIndex> | null = null;
  const ready = (): SearchIndex => (index ??= finish(work!));
  let matches: Element[] = [];
  let at = -1;
  const input = element('input', {
    attributes: {
      type: 'text',
      placeholder: strings.search(),
      'aria-label': strings.searchLabel(),
      role: 'combobox',
      'aria-expanded': 'false',
      'aria-controls': 'results',
      'aria-autocomplete': 'list',
      spellcheck: 'false',
      autocomplete: 'off',
    },
  });
  const count = element('span', { class: 'count', attributes: { role: 'status', 'aria-live': 'polite' } });
  const list = element('ul', {
    class: 'search-results',
    attributes: { role: 'listbox', id: 'results', 'aria-label': strings.matches() },
  });
  list.hidden = true;
  const node = element('div', { class: 'search', attributes: { role: 'search' } }, input, count, list);

  const mark = (): void => {
    count.textContent = input.value.trim() === '' ? '' : `${at >= 0 ? at + 1 : 0}/${matches.length}`;
    [...list.children].forEach((row, position) => {
      row.setAttribute('aria-selected', String(position === at));
      if (position === at) {
        row.scrollIntoView?.({ block: 'nearest' });
        input.setAttribute('aria-activedescendant', row.id);
      }
    });
  };
  const step = (to: number): void => {
    if (matches.length > 0) {
      at = (to + matches.length) % matches.length;
      mark();
      events.onStep(matches[at]);
    }
  };
  const show = (shown: boolean): void => {
    list.hidden = !shown;
    input.setAttribute('aria-expanded', String(shown));
  };
  /** An empty field says what can be asked; a press puts it in. */
  const exampleRow = ([query, what]: (typeof EXAMPLES)[number]): HTMLElement =>
    element(
      'li',
      {
        attributes: { role: 'option', 'aria-selected': 'false' },
        onClick() {
          input.value = query;
          update();
          input.focus();
        },
      },
      element('code', { text: query }),
      element('span', { text: what() }),
    );
  const marked = (text: string, words: readonly string[]): HTMLElement =>
    element(
      'span',
      {},
      ...markedText(text, words).map(([part, isFound]) =>
        isFound ? element('mark', { text: part }) : document.createTextNode(part),
      ),
    );
  const fill = (): void => {
    const graph = h!;
    const { words, of: reasonsOf } = reasons(graph, input.value);
    const rows = matches.slice(0, MOST_SHOWN).map((match, position) => {
      const label = labelOf(graph, match);
      const kind = kindOf(graph, match);
      const scope =
        kind === 'group'
          ? match - groupElement(graph, 0)
          : kind === 'op'
            ? graph.document.nodes.scope[match]
            : 0;
      const title = label.title.toLowerCase();
      return element(
        'li',
        {
          attributes: { role: 'option', id: `match-${position}`, 'aria-selected': 'false' },
          onClick: () => step(position),
        },
        marked(label.title, words),
        // Where the title does not tell why this was found, the path does, or what is written below.
        marked(
          [graph.paths[scope], label.detail].filter(Boolean).join(' · '),
          words.filter((word) => !title.includes(word)),
        ),
        ...reasonsOf(match).map((line) => marked(line, words)),
      );
    });
    if (input.value.trim() === '') {
      list.replaceChildren(...EXAMPLES.map(exampleRow));
      return;
    }
    if (rows.length === 0) {
      rows.push(element('li', { class: 'none', text: strings.noMatch() }));
    } else if (matches.length > MOST_SHOWN) {
      rows.push(element('li', { class: 'none', text: strings.andMore(matches.length - MOST_SHOWN) }));
    }
    list.replaceChildren(...rows);
  };
  const update = (): void => {
    if (h === null) {
      return;
    }
    matches = search(h, ready(), input.value);
    at = -1;
    fill();
    mark();
    events.onMatches(matches, input.value);
  };
  const clear = (): void => {
    input.value = '';
    matches = [];
    at = -1;
    show(false);
    mark();
    events.onMatches([], '');
  };

  input.addEventListener('input', () => {
    update();
    show(true);
  });
  input.addEventListener('focus', () => {
    if (h !== null) {
      ready();
      fill();
      show(true);
    }
  });
  node.addEventListener('focusout', (event) => {
    if (!node.contains(event.relatedTarget as Node | null)) {
      show(false);
    }
  });
  // A press on the list must not take the focus away from the field.
  list.addEventListener('pointerdown', (event) => event.preventDefault());
  input.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' || event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const back = event.key === 'ArrowUp' || (event.key === 'Enter' && event.shiftKey);
      step(back ? (at < 0 ? matches.length : at) - 1 : at + 1);
    } else if (event.key === 'Escape') {
      if (input.value !== '') {
        clear();
      }
      events.onLeave();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });

  return {
    node,
    focus() {
      input.focus();
      input.select();
    },
    clear,
    set(query, open) {
      if (query !== input.value) {
        input.value = query;
        update();
      }
      if (open) {
        input.focus();
        show(true);
      }
    },
    setGraph(graph) {
      h = graph;
      index = null;
      const own = (work = indexing(graph));
      whileIdle(() => {
        // Another document, or somebody who asked before it was done.
        if (work !== own || index !== null) {
          return false;
        }
        const step = own.next();
        index = step.done ? step.value : null;
        return !step.done;
      });
      clear();
    },
    again() {
      if (input.value !== '') {
        const here = matches[at];
        update();
        at = matches.indexOf(here);
        mark();
      }
    },
    get active() {
      return input.value !== '';
    },
  };
}
