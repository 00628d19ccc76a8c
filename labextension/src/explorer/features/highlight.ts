/** Highlights what an element depends on, what depends on it, and the path from one element to another. */

import * as strings from '../../i18n/strings';
import type { Element } from '../../model/hierarchy';
import { ancestors, descendants, shortestPath } from '../../model/traversal';
import { element } from '../ui/dom';
import type { View } from '../core/view';

export function highlightFeature(view: View): void {
  const { keys, actions } = view;
  const text = element('span', {});
  const node = element(
    'div',
    { class: 'highlight-bar' },
    text,
    element('button', {
      class: 'link-button',
      text: strings.clearHighlight(),
      attributes: { type: 'button' },
      onClick() {
        view.highlight(null, strings.highlightCleared());
        view.tree.node.focus();
      },
    }),
  );
  node.hidden = true;
  view.stage.node.append(node);
  view.events.on('highlight', (highlighted, why) => {
    node.hidden = highlighted === null;
    text.textContent = why;
  });
  view.events.on('graph', () => (node.hidden = true));

  const highlight = (elements: ReadonlySet<Element>, what: string): void =>
    view.highlight(elements, strings.highlighted(elements.size, what));
  const upstream = (at: Element): void => highlight(ancestors(view.graph!, at), strings.upstream());
  const downstream = (at: Element): void => highlight(descendants(view.graph!, at), strings.downstream());
  /** From the element pinned last to the one selected, or between the last two pinned. */
  const highlightPath = (): void => {
    const { graph, pinned, selected } = view;
    const ends = [...new Set([...pinned, selected])].filter((at) => at >= 0).slice(-2);
    if (graph === null || ends.length < 2) {
      view.notify(strings.pinFirst());
      return;
    }
    const path = shortestPath(graph, ends[0], ends[1]);
    if (path.length === 0) {
      view.notify(strings.noPath());
      return;
    }
    highlight(new Set(path), strings.pathSteps(path.length - 1));
  };
  const withSelected = (run: (at: Element) => void) => (): void => {
    if (view.graph !== null && view.selected >= 0) {
      run(view.selected);
    }
  };
  actions.push({ label: strings.highlightUpstream(), run: upstream });
  actions.push({ label: strings.highlightDownstream(), run: downstream });
  actions.push({
    label: strings.highlightPath(),
    available: (at) => view.pinned.some((other) => other !== at),
    run: highlightPath,
  });
  keys.bind({ keys: ['a'], help: ['a', strings.helpUpstream()], run: withSelected(upstream) });
  keys.bind({ keys: ['d'], help: ['d', strings.helpDownstream()], run: withSelected(downstream) });
  keys.bind({ keys: ['w'], help: ['w', strings.helpPath()], run: highlightPath });
}
