/** Views as links: written for the clipboard, and shown again. */

import { caseIn, collapsedIn, readLink, writeLink } from '../../model/link';
import { kindOf, scopeOf, type Element, type Hierarchy } from '../../model/hierarchy';
import { isDocumentScope } from '../../model/bundles';
import { setCollapsed } from '../../model/repeats';
import type { View } from './view';

export function linkOf(view: View): string {
  return view.graph === null
    ? ''
    : writeLink(
        view.graph,
        {
          opened: view.isDefaultOpened ? null : [...view.opened].sort((a, b) => a - b),
          selected: view.selected,
          find: view.query,
        },
        view.cases[view.caseIndex]?.label,
      );
}

/** The selection as the host hears of it: a node, or the path of a module. Groups of the browser's own are known to the view only. */
export function hostSelection(h: Hierarchy | null, at: Element): [node: number, module: string] {
  if (h === null || at < 0) {
    return [-1, ''];
  }
  const group = kindOf(h, at) === 'group' && isDocumentScope(h, scopeOf(h, at));
  return [kindOf(h, at) === 'op' ? at : -1, group ? h.paths[scopeOf(h, at)] : ''];
}

export function restore(view: View, link: string): void {
  const wanted = caseIn(link);
  if (wanted !== null) {
    view.showCase(view.cases.findIndex(({ label }) => label === wanted));
  }
  if (view.graph === null) {
    return;
  }
  const refolded = setCollapsed(view.graph, collapsedIn(link));
  const { opened, selected, find } = readLink(view.graph, link);
  view.setOpened(opened, { refolded });
  view.setQuery(find);
  if (selected >= 0) {
    void view.goTo(selected).then(() => view.openPanel());
  } else {
    view.select(-1);
  }
}
