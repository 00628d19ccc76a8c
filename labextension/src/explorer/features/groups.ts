/** Opening and closing all groups at once, and each by Enter. */

import * as strings from '../../i18n/strings';
import { groupElement } from '../../model/hierarchy';
import { allScopes } from '../../model/openstate';
import { icon } from '../ui/icons';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

export function groupsFeature(view: View): void {
  const { toolbar, keys } = view;
  const expandAll = (): void => {
    if (view.graph !== null) {
      void view.open(allScopes(view.graph), -1, true);
    }
  };
  const collapseAll = (): void => void view.open(new Set(), -1, true);
  const order = ORDER.groups;
  toolbar.add({ label: strings.expandAll(), face: icon('expand'), order, run: expandAll });
  toolbar.add({ label: strings.collapseAll(), face: icon('collapse'), order, run: collapseAll });
  keys.bind({
    keys: ['Enter', ' '],
    help: ['Enter', strings.helpEnter()],
    run() {
      const index = view.selectedIndex;
      const { port } = view.tree;
      if (port !== null) {
        if (port.to >= 0) {
          void view.goTo(port.to);
        }
        return;
      }
      if (index < 0) {
        return;
      }
      const kind = view.scene!.visible.kinds[index];
      if (kind === 'open' || kind === 'closed') {
        void view.toggle(index);
      } else {
        view.openPanel();
      }
    },
  });
  keys.bind({
    keys: ['Backspace'],
    help: ['Backspace', strings.helpParent()],
    run() {
      const { graph, selected } = view;
      if (graph !== null && selected >= 0 && graph.parent[selected] > 0) {
        void view.goTo(groupElement(graph, graph.parent[selected]));
      }
    },
  });
  keys.bind({ keys: ['e'], help: ['e  c', strings.helpExpandCollapse()], run: expandAll });
  keys.bind({ keys: ['c'], run: collapseAll });
}
