/** Collapses repeated blocks in a row into one group, `× 12`, and expands them: all rows at once, or one. */

import * as strings from '../../i18n/strings';
import { groupElement, kindOf, scopeOf, type Element, type Hierarchy } from '../../model/hierarchy';
import { collapseRepeat, isCollapsed, repeatContaining, repeatOf, type Repeat } from '../../model/repeats';
import { visibleIndexOf } from '../../model/visible';
import { icon } from '../ui/icons';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

/** The row of blocks that an element stands for, or is one of. */
function repeatAt(h: Hierarchy, at: Element): Repeat | undefined {
  if (at < 0 || kindOf(h, at) !== 'group') {
    return undefined;
  }
  return repeatOf(h, scopeOf(h, at)) ?? repeatContaining(h, scopeOf(h, at));
}

export function repeatedBlocksFeature(view: View): void {
  /** Of `all` rows the picture is another one, and is shown from its beginning. */
  const set = async (
    h: Hierarchy,
    repeats: readonly Repeat[],
    collapse: boolean,
    all: boolean,
  ): Promise<void> => {
    const opened = new Set(view.opened);
    for (const repeat of repeats) {
      collapseRepeat(h, repeat, collapse);
      opened.delete(repeat.scope);
    }
    view.events.emit('collapse');
    await view.open(opened, -1, all);
    view.frame.announce(
      collapse ? strings.blocksCollapsed(repeats.length) : strings.blocksExpanded(repeats.length),
    );
  };
  const toggleAll = async (): Promise<void> => {
    const h = view.graph;
    if (h === null) {
      return;
    }
    if (h.repeats.length === 0) {
      view.notify(strings.noRepeatedBlocks());
      return;
    }
    const collapse = !h.repeats.every((repeat) => isCollapsed(h, repeat));
    const at = view.selected;
    await set(h, h.repeats, collapse, true);
    if (at >= 0 && view.selectedIndex < 0 && view.scene !== null) {
      // Expanded: go to the first block. Collapsed: go to the group that the selected element is in now.
      const index = collapse ? visibleIndexOf(h, view.scene.visible, at) : -1;
      await view.goTo(index < 0 ? at : view.scene.visible.elements[index]);
    }
  };
  const setOne = async (at: Element, collapse: boolean): Promise<void> => {
    const h = view.graph!;
    const repeat = repeatAt(h, at)!;
    await set(h, [repeat], collapse, false);
    // Once expanded, its first block is selected.
    await view.goTo(collapse ? groupElement(h, repeat.scope) : at);
  };

  const button = view.toolbar.add({
    label: strings.toggleRepeatedBlocks(),
    face: icon('repeats'),
    order: ORDER.groups,
    run: () => void toggleAll(),
  });
  view.events.on('graph', (h) => (button.hidden = h.repeats.length === 0));
  view.keys.bind({ keys: ['x'], help: ['x', strings.helpRepeatedBlocks()], run: () => void toggleAll() });
  for (const collapse of [true, false]) {
    view.actions.push({
      label: collapse ? strings.collapseBlocks() : strings.expandBlocks(),
      available(at) {
        const repeat = view.graph === null ? undefined : repeatAt(view.graph, at);
        return repeat !== undefined && isCollapsed(view.graph!, repeat) !== collapse;
      },
      run: (at) => void setOne(at, collapse),
    });
  }
}
