/** The count of warnings in the bar, which leads to their list. */

import { plural } from '../model/describe';
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
  view.events.on('graph', (h) => {
    const count = h.document.warnings.length;
    badge.hidden = count === 0;
    badge.textContent = `▲ ${count}`;
    badge.setAttribute('aria-label', `Show ${plural(count, 'warning')}`);
  });
}
