/** The search field with its list of matches. */

import { labelOf } from '../model/describe';
import { groupElement, kindOf, type Element, type Hierarchy } from '../model/hierarchy';
import { buildIndex, search, type SearchIndex } from '../model/search';
import { standsFor } from '../model/visible';
import { element } from './dom';
import { ORDER } from './toolbar';
import type { View } from './view';

const MOST_SHOWN = 100;

export interface SearchBox {
  node: HTMLElement;
  focus(): void;
  clear(): void;
  setGraph(h: Hierarchy): void;
  readonly active: boolean;
}

export interface SearchEvents {
  /** The person stepped to a match. */
  onStep(match: Element): void;
  onMatches(matches: Element[]): void;
  /** Escape, with nothing left to clear. */
  onLeave(): void;
}

export function createSearchBox(events: SearchEvents): SearchBox {
  let h: Hierarchy | null = null;
  let index: SearchIndex | null = null;
  let matches: Element[] = [];
  let at = -1;
  const input = element('input', {
    attributes: {
      type: 'text',
      placeholder: 'Search  /',
      'aria-label': 'Search operators, modules, shapes, source',
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
    class: 'results',
    attributes: { role: 'listbox', id: 'results', 'aria-label': 'Matches' },
  });
  list.hidden = true;
  const node = element('div', { class: 'find', attributes: { role: 'search' } }, input, count, list);

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
  const fill = (): void => {
    const graph = h!;
    const rows = matches.slice(0, MOST_SHOWN).map((match, position) => {
      const label = labelOf(graph, match);
      const kind = kindOf(graph, match);
      const scope =
        kind === 'group'
          ? match - groupElement(graph, 0)
          : kind === 'op'
            ? graph.document.nodes.scope[match]
            : 0;
      return element(
        'li',
        {
          attributes: { role: 'option', id: `match-${position}`, 'aria-selected': 'false' },
          onClick: () => step(position),
        },
        element('span', { text: label.title }),
        element('span', { text: [label.detail, graph.paths[scope]].filter(Boolean).join(' · ') }),
      );
    });
    if (rows.length === 0) {
      rows.push(element('li', { class: 'none', text: 'No match' }));
    } else if (matches.length > MOST_SHOWN) {
      rows.push(element('li', { class: 'none', text: `and ${matches.length - MOST_SHOWN} more` }));
    }
    list.replaceChildren(...rows);
  };
  const update = (): void => {
    if (h === null) {
      return;
    }
    index ??= buildIndex(h);
    matches = search(h, index, input.value);
    at = -1;
    fill();
    show(input.value.trim() !== '');
    mark();
    events.onMatches(matches);
  };
  const clear = (): void => {
    input.value = '';
    matches = [];
    at = -1;
    show(false);
    mark();
    events.onMatches([]);
  };

  input.addEventListener('input', update);
  input.addEventListener('focus', () => show(input.value.trim() !== ''));
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
    setGraph(graph) {
      h = graph;
      index = null;
      clear();
    },
    get active() {
      return input.value !== '';
    },
  };
}

export function findFeature(view: View): void {
  const { keys, stage, toolbar, tree } = view;
  let found: Element[] = [];
  /** Matches inside closed groups are marked on the group. */
  const mark = (): void => {
    const marks = new Set<Element>();
    if (view.graph !== null && view.scene !== null) {
      for (const match of found) {
        const index = standsFor(view.graph, view.scene.visible, match);
        if (index >= 0) {
          marks.add(view.scene.visible.elements[index]);
        }
      }
    }
    stage.mark({ matches: marks });
  };
  const box = createSearchBox({
    onStep: (match) => void view.goTo(match),
    onMatches(matches) {
      found = matches;
      mark();
    },
    onLeave: () => tree.node.focus(),
  });
  toolbar.place(box.node, ORDER.find);
  view.events.on('graph', (h) => box.setGraph(h));
  view.events.on('scene', mark);
  keys.bind({ keys: ['/'], help: ['/', 'search'], anywhere: true, run: () => box.focus() });
  keys.bind({
    keys: ['Escape'],
    help: ['Esc', 'close panel or search'],
    anywhere: true,
    run() {
      if (view.panel.shown) {
        view.closePanel();
      } else if (box.active) {
        box.clear();
      } else {
        view.choose(-1);
      }
    },
  });
}
