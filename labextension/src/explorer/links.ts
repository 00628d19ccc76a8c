/** Views as links: written for the clipboard, and shown again. */

import { foldsIn, readLink, writeLink } from '../model/link';
import { setFolds } from '../model/repeats';
import type { View } from './view';

export function linkOf(view: View): string {
  return view.graph === null
    ? ''
    : writeLink(view.graph, {
        opened: view.byDefault ? null : [...view.opened].sort((a, b) => a - b),
        selected: view.selected,
        find: view.query,
      });
}

export function restore(view: View, link: string): void {
  if (view.graph === null) {
    return;
  }
  const refolded = setFolds(view.graph, foldsIn(link));
  const { opened, selected, find } = readLink(view.graph, link);
  view.prescribe(opened, { refolded });
  view.search(find);
  if (selected >= 0) {
    void view.goTo(selected).then(() => view.openPanel());
  } else {
    view.choose(-1);
  }
}
