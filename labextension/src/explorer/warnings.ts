/** The count of warnings in the bar, which leads to their list; and light on what a warning affects. */

import { plural } from '../model/describe';
import { tainted } from '../model/reach';
import { ORDER } from './toolbar';
import type { View } from './view';

export function warningsFeature(view: View): void {
  const badge = view.toolbar.add({
    label: 'Show warnings',
    face: '',
    order: ORDER.warnings,
    run() {
      view.choose(-1);
      view.openPanel('details', true);
    },
  });
  badge.classList.add('warn');
  view.panel.node.addEventListener('click', ({ target }) => {
    const button = (target as Element).closest<HTMLElement>('[data-warning]');
    if (button !== null && view.graph !== null) {
      const index = Number(button.dataset.warning);
      const lit = tainted(view.graph, index);
      const { kind } = view.graph.document.warnings[index];
      view.light(lit, `${plural(lit.size, 'element')} lit: what the frozen ${kind} affects`);
    }
  });
  view.events.on('graph', (h) => {
    const count = h.document.warnings.length;
    badge.hidden = count === 0;
    badge.textContent = `▲ ${count}`;
    badge.setAttribute('aria-label', `Show ${plural(count, 'warning')}`);
  });
}
