/** Breadcrumbs: the groups around what is selected, each a way to it. */

import * as strings from '../../i18n/strings';
import { labelOf } from '../../model/describe';
import type { Element } from '../../model/hierarchy';
import { enclosingGroups } from '../../model/traversal';
import { element } from '../ui/dom';
import { truncate } from '../canvas/scene';
import type { View } from '../core/view';

export function breadcrumbsFeature(view: View): void {
  const list = element('ol', {});
  const node = element(
    'nav',
    { class: 'breadcrumbs', attributes: { 'aria-label': strings.breadcrumbs() } },
    list,
  );
  node.hidden = true;
  view.stage.node.append(node);
  const refresh = (): void => {
    const { graph, selected } = view;
    node.hidden = graph === null || selected < 0;
    if (graph === null || selected < 0) {
      return;
    }
    const breadcrumb = (text: string, to: Element, current: boolean): HTMLElement =>
      element(
        'li',
        {},
        element('button', {
          text: truncate(text, 28),
          attributes: { type: 'button', ...(current ? { 'aria-current': 'true' } : {}) },
          onClick: () => (to < 0 ? view.select(-1) : void view.goTo(to)),
        }),
      );
    list.replaceChildren(
      breadcrumb(graph.document.name, -1, false),
      ...[...enclosingGroups(graph, selected), selected].map((at) => {
        const { title, subtitle: aside } = labelOf(graph, at);
        return breadcrumb(
          at === selected && aside && at < graph.nodes ? `${aside}: ${title}` : title,
          at,
          at === selected,
        );
      }),
    );
  };
  view.events.on('select', refresh);
  view.events.on('graph', refresh);
}
