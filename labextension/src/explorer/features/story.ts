/** What of a graph steps aside, by choice: calls of functions as groups, arithmetic on sizes, unused operators. */

import * as toolStrings from '../../i18n/toolstrings';
import type { Flow } from '../../layout/types';
import type { Story } from '../../model/hierarchy';
import { icon } from '../ui/icons';
import { createMenu, type MenuItem } from '../ui/menu';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

const FLOWS = {
  down: toolStrings.topToBottom,
  right: toolStrings.leftToRight,
  columns: toolStrings.columns,
};
const NEXT = { down: 'right', right: 'columns', columns: 'down' } as const;

export function storyFeature(view: View): void {
  const item = (text: string, part: keyof Story): MenuItem => ({
    text,
    checked: () => view.story[part],
    run: () => view.setStory({ ...view.story, [part]: !view.story[part] }),
  });
  const turn = (to: Flow): void => {
    view.setFlow(to);
    view.frame.announce(FLOWS[to]());
  };
  const turned = (to: Flow): MenuItem => ({
    text: FLOWS[to](),
    checked: () => view.flow === to,
    run: () => turn(view.flow === to ? 'down' : to),
  });
  const menu = createMenu(toolStrings.story(), icon('story'), toolStrings.storyMenu(), [
    item(toolStrings.functionGroups(), 'functions'),
    item(toolStrings.foldSizes(), 'foldSizes'),
    item(toolStrings.foldUnused(), 'foldUnused'),
    item(toolStrings.trainingGroups(), 'training'),
    item(toolStrings.nameSizes(), 'nameSizes'),
    turned('right'),
    turned('columns'),
    {
      text: toolStrings.flowThatFits(),
      checked: () => !view.isFlowChosen,
      run: () => view.setFlow(view.isFlowChosen ? null : view.flow),
    },
  ]);
  view.toolbar.place(menu.node, ORDER.groups);
  view.keys.bind({ keys: ['l'], help: ['l', toolStrings.helpStory()], run: menu.open });
  view.keys.bind({ keys: ['q'], help: ['q', toolStrings.helpTurn()], run: () => turn(NEXT[view.flow]) });
}
