/** The bar above the picture. */

import { compact, plural } from '../model/describe';
import type { Hierarchy } from '../model/hierarchy';
import { button, element } from './dom';
import { icon } from './icons';

export interface ToolbarActions {
  zoom(factor: number): void;
  fit(): void;
  expandAll(): void;
  collapseAll(): void;
  details(): void;
  warnings(): void;
  help(): void;
}

export interface Toolbar {
  node: HTMLElement;
  setGraph(h: Hierarchy): void;
}

export function createToolbar(find: HTMLElement, actions: ToolbarActions): Toolbar {
  const title = element('span', { class: 'title' });
  const sub = element('span', { class: 'sub' });
  const warnings = button('Show warnings', '', actions.warnings);
  warnings.classList.add('warn');
  const node = element(
    'div',
    { class: 'bar', attributes: { role: 'toolbar', 'aria-label': 'Graph' } },
    element('span', { class: 'title' }, title, sub),
    warnings,
    element('span', { class: 'space' }),
    find,
    button('Zoom out', icon('minus'), () => actions.zoom(1 / 1.3)),
    button('Zoom in', icon('plus'), () => actions.zoom(1.3)),
    button('Fit (f)', icon('fit'), actions.fit),
    button('Expand all (e)', icon('expand'), actions.expandAll),
    button('Collapse all (c)', icon('collapse'), actions.collapseAll),
    button('Details (i)', icon('details'), actions.details),
    button('Keys and legend (?)', '?', actions.help),
  );
  return {
    node,
    setGraph(h) {
      const { summary, warnings: list, name } = h.document;
      title.textContent = name;
      sub.textContent =
        plural(summary.ops, 'op') +
        (summary.parameters > 0 ? ` · ${compact(summary.parameters)} params` : '');
      warnings.hidden = list.length === 0;
      warnings.textContent = `▲ ${list.length}`;
      warnings.setAttribute('aria-label', `Show ${plural(list.length, 'warning')}`);
    },
  };
}
