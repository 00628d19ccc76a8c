/** The bar above the picture: each feature puts in its own buttons. */

import * as strings from '../../i18n/strings';
import { compact } from '../../model/describe';
import type { Hierarchy } from '../../model/hierarchy';
import { button, element } from './dom';

/** Where things stand in the bar, from left to right; new things choose numbers between. */
export const ORDER = {
  title: 0,
  warnings: 100,
  cases: 150,
  space: 200,
  history: 250,
  find: 300,
  zoom: 400,
  groups: 500,
  panel: 600,
  save: 700,
  help: 900,
};

export interface ToolButton {
  /** Its name for screen readers, and its tooltip. */
  label: string;
  face: string | Node;
  order: number;
  run(): void;
}

export interface Toolbar {
  node: HTMLElement;
  add(tool: ToolButton): HTMLButtonElement;
  /** Puts in anything; things of equal order stand in the order in which they came. */
  place(node: HTMLElement, order: number): void;
  setGraph(h: Hierarchy): void;
}

export function createToolbar(): Toolbar {
  const title = element('span', {});
  const sub = element('span', { class: 'sub' });
  const node = element('div', {
    class: 'bar',
    attributes: { role: 'toolbar', 'aria-label': strings.graph() },
  });
  const orders = new Map<Element, number>();
  const toolbar: Toolbar = {
    node,
    place(child, order) {
      const next = [...node.children].find((other) => (orders.get(other) ?? 0) > order);
      orders.set(child, order);
      node.insertBefore(child, next ?? null);
    },
    add({ label, face, order, run }) {
      const made = button(label, face, run);
      toolbar.place(made, order);
      return made;
    },
    setGraph(h) {
      const { summary, name } = h.document;
      title.textContent = name;
      sub.textContent =
        strings.ops(summary.ops) +
        (summary.parameters > 0 ? ` · ${strings.params(compact(summary.parameters))}` : '');
    },
  };
  toolbar.place(element('span', { class: 'title' }, title, sub), ORDER.title);
  toolbar.place(element('span', { class: 'space' }), ORDER.space);
  return toolbar;
}
