/** Back and forward through what was selected. */

import * as strings from '../../i18n/strings';
import type { Element, Hierarchy } from '../../model/hierarchy';
import { icon } from '../ui/icons';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

const MOST = 200;

interface Past {
  elements: Element[];
  at: number;
}

export function historyFeature(view: View): void {
  let past: Element[] = [-1];
  let at = 0;
  let walking = false;
  let shown: Hierarchy | null = null;
  /** Of recordings that were shown before, and may be again. */
  const known = new WeakMap<Hierarchy, Past>();
  const order = ORDER.history;
  const back = view.toolbar.add({ label: strings.back(), face: icon('back'), order, run: () => go(-1) });
  const forward = view.toolbar.add({
    label: strings.forward(),
    face: icon('forward'),
    order,
    run: () => go(1),
  });
  const refresh = (): void => {
    // Disabled buttons would drop the focus of a keyboard that is on them.
    back.setAttribute('aria-disabled', String(at === 0));
    forward.setAttribute('aria-disabled', String(at === past.length - 1));
  };
  const go = (step: number): void => {
    const to = at + step;
    if (to < 0 || to >= past.length) {
      return;
    }
    at = to;
    walking = true;
    if (past[at] < 0) {
      view.select(-1);
    } else {
      // Selects before it first waits.
      void view.goTo(past[at]);
    }
    walking = false;
    refresh();
  };
  view.events.on('select', (selected) => {
    if (!walking && past[at] !== selected) {
      past = [...past.slice(0, at + 1), selected].slice(-MOST);
      at = past.length - 1;
      refresh();
    }
  });
  view.events.on('graph', (h) => {
    if (shown !== null) {
      known.set(shown, { elements: past, at });
    }
    shown = h;
    ({ elements: past, at } = known.get(h) ?? { elements: [-1], at: 0 });
    refresh();
  });
  view.keys.bind({
    keys: ['['],
    help: ['[  ]', strings.helpBackForward()],
    anywhere: true,
    run: () => go(-1),
  });
  view.keys.bind({ keys: [']'], anywhere: true, run: () => go(1) });
}
