/** `n` and `p`: through the differences, the warnings, or whatever another feature puts into `view.stops`. */

import { accessibleName, plural } from '../model/describe';
import type { Element } from '../model/hierarchy';
import type { View } from './view';

export function stopsFeature(view: View): void {
  const warned = (): Element[] => {
    const document = view.graph?.document;
    return document === undefined
      ? []
      : [...document.warnings.map(({ node }) => node), document.nodes.failed ?? -1].filter(
          (node) => node >= 0,
        );
  };
  view.stops.push({ noun: 'warning', elements: warned });
  const step = (forward: boolean): void => {
    const stops = view.stops.find((each) => each.elements().length > 0);
    const { graph } = view;
    if (stops === undefined || graph === null) {
      view.notify('No warnings');
      return;
    }
    const list = [...new Set(stops.elements())].sort((a, b) => a - b);
    const at = view.selected;
    const next = forward
      ? (list.find((each) => each > at) ?? list[0])
      : (list.filter((each) => each < at).pop() ?? list[list.length - 1]);
    void view.goTo(next).then(() => view.openPanel('details'));
    view.frame.say(
      `${stops.noun} ${list.indexOf(next) + 1} of ${plural(list.length, stops.noun)}: ${accessibleName(graph, next, false)}`,
    );
  };
  view.keys.bind({
    keys: ['n'],
    help: ['n  p', 'next, previous warning or difference'],
    anywhere: true,
    run: () => step(true),
  });
  view.keys.bind({ keys: ['p'], anywhere: true, run: () => step(false) });
}
