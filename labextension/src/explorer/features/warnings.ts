/** The count of warnings in the bar, which leads to their list; and light on what a warning affects. */

import * as strings from '../../i18n/strings';
import { tainted } from '../../model/reach';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

/** Selects where a warning is from, and lights what it affects. */
export function showWarning(view: View, index: number): void {
  const { node, answer } = view.graph?.document.warnings[index] ?? { node: -1 };
  if (node >= 0) {
    void view.goTo(node, false).then(() => view.openPanel('details'));
  }
  lightWarning(view, index, answer);
}

function lightWarning(view: View, index: number, answer?: string): void {
  const warning = view.graph?.document.warnings[index];
  if (warning !== undefined) {
    const lit = tainted(view.graph!, index);
    const why = answer ?? strings.affectedBy(warning.kind);
    view.light(lit, strings.highlighted(lit.size, why));
  }
}

export function warningsFeature(view: View): void {
  const badge = view.toolbar.add({
    label: strings.showWarnings(),
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
    if (button !== null) {
      lightWarning(view, Number(button.dataset.warning));
    }
  });
  view.events.on('graph', (h) => {
    const count = h.document.warnings.length;
    badge.hidden = count === 0;
    badge.textContent = `▲ ${count}`;
    badge.setAttribute('aria-label', strings.showWarningCount(strings.warnings(count)));
  });
}
