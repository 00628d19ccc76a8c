/** Breadcrumbs: the groups around what is selected, each a way to it. */

import * as strings from '../../i18n/strings';
import { labelOf } from '../../model/describe';
import type { Element } from '../../model/hierarchy';
import { groupsAround } from '../../model/reach';
import { element } from '../ui/dom';
import { shorten } from '../canvas/scene';
import type { View } from '../core/view';

export function crumbsFeature(view: View): void {
  const list = element('ol', {});
  const node = element('nav', { class: 'crumbs', attributes: { 'aria-label': strings.breadcrumbs() } }, list);
  node.hidden = true;
  view.stage.node.append(node);
  const refresh = (): void => {
    const { graph, selected } = view;
    node.hidden = graph === null || selected < 0;
    if (graph === null || selected < 0) {
      return;
    }
    const crumb = (text: string, to: Element, current: boolean): HTMLElement =>
      element(
        'li',
        {},
        element('button', {
          text: shorten(text, 28),
          attributes: { type: 'button', ...(current ? { 'aria-current': 'true' } : {}) },
          onClick: () => (to < 0 ? view.choose(-1) : void view.goTo(to)),
        }),
      );
    list.replaceChildren(
      crumb(graph.document.name, -1, false),
      ...[...groupsAround(graph, selected), selected].map((at) => {
        const { title, aside } = labelOf(graph, at);
        return crumb(
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
