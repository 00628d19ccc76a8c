/** `n` and `p`: through the differences, the warnings, or what another feature adds to `view.navigation`. */

import * as strings from '../../i18n/strings';
import { accessibleName } from '../../model/describe';
import { tracePosition, type Element } from '../../model/hierarchy';
import type { View } from '../core/view';

export function navigationFeature(view: View): void {
  const warned = (): Element[] => {
    const document = view.graph?.document;
    return document === undefined
      ? []
      : [...document.warnings.map(({ node }) => node), document.nodes.failed ?? -1]
          .filter((node) => node >= 0)
          .sort((a, b) => a - b);
  };
  view.navigation.push({
    elements: warned,
    text: (at, count, name) => strings.warningNumber(at, strings.warnings(count), name),
  });
  const step = (forward: boolean): void => {
    const targets = view.navigation.find((each) => each.elements().length > 0);
    const { graph } = view;
    if (targets === undefined || graph === null) {
      view.notify(strings.noWarnings());
      return;
    }
    const list = [...new Set(targets.elements())];
    const at = view.selected;
    const here = list.indexOf(at);
    // From an element that is not in the list, such as collapsed blocks, to the nearest in the order of the trace.
    const place = (each: Element): number => tracePosition(graph, each);
    const from = at < 0 ? (forward ? -Infinity : Infinity) : place(at);
    const [beyond] = list
      .filter((each) => (forward ? place(each) > from : place(each) < from))
      .sort((a, b) => (forward ? place(a) - place(b) : place(b) - place(a)));
    const next =
      here >= 0
        ? list[(here + (forward ? 1 : list.length - 1)) % list.length]
        : (beyond ?? list[forward ? 0 : list.length - 1]);
    void view.goTo(next).then(() => view.openPanel('details'));
    view.frame.announce(
      targets.text(list.indexOf(next) + 1, list.length, accessibleName(graph, next, false)),
    );
  };
  view.keys.bind({
    keys: ['n'],
    help: ['n  p', strings.helpNextPrevious()],
    anywhere: true,
    run: () => step(true),
  });
  view.keys.bind({ keys: ['p'], anywhere: true, run: () => step(false) });
}
