/** The number of warnings in the toolbar, which opens their list; and the highlight of what a warning affects. */

import * as strings from '../../i18n/strings';
import { affectedElements } from '../../model/traversal';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

/** Selects the node of a warning, and highlights what the warning affects. */
export function showWarning(view: View, index: number): void {
  const { node, verdict } = view.graph?.document.warnings[index] ?? { node: -1 };
  if (node >= 0) {
    void view.goTo(node, false).then(() => view.openPanel('details'));
  }
  highlightWarning(view, index, verdict);
}

function highlightWarning(view: View, index: number, verdict?: string): void {
  const warning = view.graph?.document.warnings[index];
  if (warning !== undefined) {
    const affected = affectedElements(view.graph!, index);
    const why = verdict ?? strings.affectedBy(warning.kind);
    view.highlight(affected, strings.highlighted(affected.size, why));
  }
}

export function warningsFeature(view: View): void {
  const badge = view.toolbar.add({
    label: strings.showWarnings(),
    face: '',
    order: ORDER.warnings,
    run() {
      view.select(-1);
      view.openPanel('details', true);
    },
  });
  badge.classList.add('warning-badge');
  view.panel.node.addEventListener('click', ({ target }) => {
    const button = (target as Element).closest<HTMLElement>('[data-warning]');
    if (button !== null) {
      highlightWarning(view, Number(button.dataset.warning));
    }
  });
  view.events.on('graph', (h) => {
    const count = h.document.warnings.length;
    badge.hidden = count === 0;
    badge.textContent = `▲ ${count}`;
    badge.setAttribute('aria-label', strings.showWarningCount(strings.warnings(count)));
  });
}
