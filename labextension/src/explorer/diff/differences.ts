/** Two graphs in one picture: marks, the list of differences, and the way from one to the next. */

import * as strings from '../../i18n/strings';
import * as toolStrings from '../../i18n/toolstrings';
import { accessibleName } from '../../model/describe';
import { differencesOf, differenceText, diffStatusOf, DIFF_SYMBOLS } from '../../model/diff/differences';
import { groupElement, type Element, type Hierarchy } from '../../model/hierarchy';
import { diffLayer } from './marks';
import { button, element } from '../ui/dom';
import { nodeValuesFeature } from './nodevalues';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

/** A longer list helps nobody; `n` still leads through all. */
const MOST_LISTED = 500;

export function diffFeature(view: View): void {
  const { events, panel, stage, toolbar } = view;
  const locations = (): Element[] =>
    view.graph === null ? [] : (differencesOf(view.graph)?.locations ?? []);
  view.navigation.unshift({
    elements: locations,
    text: (at, count, name) => strings.differenceNumber(at, strings.differences(count), name),
  });
  stage.addLayer(diffLayer);
  nodeValuesFeature(view);

  const step = (forward: boolean): void => {
    view.keys.press(new KeyboardEvent('keydown', { key: forward ? 'n' : 'p' }), true);
  };
  const back = button(toolStrings.previousDifference(), '‹', () => step(false));
  const badge = button(toolStrings.showDifferences(), '', () => view.openPanel('differences', true));
  const on = button(toolStrings.nextDifference(), '›', () => step(true));
  badge.classList.add('difference-badge');
  const group = element('span', {
    class: 'button-group',
    attributes: { role: 'group', 'aria-label': toolStrings.differences() },
  });
  group.append(back, badge, on);
  toolbar.place(group, ORDER.warnings - 1);

  events.on('graph', (h) => {
    const count = locations().length;
    group.hidden = h.document.diff === undefined;
    badge.textContent = count === 0 ? toolStrings.noDifference() : `± ${count}`;
    badge.setAttribute('aria-label', toolStrings.showDifferenceCount(strings.differences(count)));
    back.disabled = on.disabled = count === 0;
  });
  events.on('select', () => panel.refresh('differences'));

  panel.add({
    id: 'differences',
    title: toolStrings.differences(),
    order: 10,
    available: () => view.graph !== null && view.graph.document.diff !== undefined,
    render: () => (view.graph === null ? [] : list(view, view.graph, locations())),
  });
}

function list(view: View, h: Hierarchy, locations: Element[]): Node[] {
  const { before, after, headline } = h.document.diff!;
  const rows = locations.slice(0, MOST_LISTED).map((at) =>
    element(
      'li',
      {},
      element(
        'button',
        {
          attributes: { type: 'button', 'aria-current': String(at === view.selected) },
          onClick: () => void view.goTo(at),
        },
        element('b', { text: DIFF_SYMBOLS[diffStatusOf(h, at)], attributes: { 'aria-hidden': 'true' } }),
        element('span', { text: nameOf(h, at) }),
        element('small', { text: differenceText(h, at) }),
      ),
    ),
  );
  const more = locations.length - rows.length;
  return [
    element('h2', { text: before === after ? after : `${before} → ${after}` }),
    element('p', { class: 'muted', text: headline }),
    element('ul', { class: 'differences' }, ...rows),
    ...(more > 0 ? [element('p', { class: 'muted', text: toolStrings.moreDifferences(more) })] : []),
  ];
}

/** `layer1.0: relu`: where it is, and what. */
function nameOf(h: Hierarchy, at: Element): string {
  const name = accessibleName(h, at, false).split(', ')[0];
  const path = h.paths[scopeAbove(h, at)];
  return path && at < groupElement(h, 0) ? `${path} · ${name}` : name;
}

const scopeAbove = (h: Hierarchy, at: Element): number => Math.max(0, h.parent[at]);
