/** Light on what an element depends on, on what depends on it, and on the way from one to another. */

import { plural } from '../../model/describe';
import type { Element } from '../../model/hierarchy';
import { ancestors, descendants, shortestPath } from '../../model/reach';
import { element } from '../ui/dom';
import type { View } from '../core/view';

export function lightingFeature(view: View): void {
  const { keys, actions } = view;
  const text = element('span', {});
  const node = element(
    'div',
    { class: 'lit' },
    text,
    element('button', {
      class: 'jump',
      text: 'Show all',
      attributes: { type: 'button' },
      onClick() {
        view.light(null, 'all shown alike');
        view.tree.node.focus();
      },
    }),
  );
  node.hidden = true;
  view.stage.node.append(node);
  view.events.on('light', (lit, why) => {
    node.hidden = lit === null;
    text.textContent = why;
  });
  view.events.on('graph', () => (node.hidden = true));

  const light = (elements: ReadonlySet<Element>, what: string): void =>
    view.light(elements, `${plural(elements.size, 'element')} lit: ${what}`);
  const upstream = (at: Element): void => light(ancestors(view.graph!, at), 'what it depends on');
  const downstream = (at: Element): void => light(descendants(view.graph!, at), 'what depends on it');
  /** From the element pinned last to the one selected, or between the last two pinned. */
  const path = (): void => {
    const { graph, pinned, selected } = view;
    const ends = [...new Set([...pinned, selected])].filter((at) => at >= 0).slice(-2);
    if (graph === null || ends.length < 2) {
      view.notify('Pin one element and select another: then w lights the way between them');
      return;
    }
    const way = shortestPath(graph, ends[0], ends[1]);
    if (way.length === 0) {
      view.notify('No data flows between the two');
      return;
    }
    light(new Set(way), `the shortest way between the two, ${plural(way.length - 1, 'step')}`);
  };
  const withSelected = (run: (at: Element) => void) => (): void => {
    if (view.graph !== null && view.selected >= 0) {
      run(view.selected);
    }
  };
  actions.push({ label: 'Light what it depends on', run: upstream });
  actions.push({ label: 'Light what depends on it', run: downstream });
  actions.push({
    label: 'Light the way from the pinned',
    available: (at) => view.pinned.some((other) => other !== at),
    run: path,
  });
  keys.bind({ keys: ['a'], help: ['a', 'light what it depends on'], run: withSelected(upstream) });
  keys.bind({ keys: ['d'], help: ['d', 'light what depends on it'], run: withSelected(downstream) });
  keys.bind({ keys: ['w'], help: ['w', 'light the way from the pinned element'], run: path });
}
