/** Search as one types: matches ringed in the picture, counted on closed groups, stepped through. */

import * as strings from '../../../i18n/strings';
import type { Element } from '../../../model/hierarchy';
import { visibleIndexOf } from '../../../model/visible';
import { createSearchBox } from './searchbox';
import { ORDER } from '../../ui/toolbar';
import type { View } from '../../core/view';
import { drawPill } from '../../canvas/paint/badges';

export function searchFeature(view: View): void {
  const { keys, stage, toolbar, tree } = view;
  let found: Element[] = [];
  /** How many matches each closed group hides. */
  let hidden = new Map<number, number>();
  const mark = (): void => {
    const marks = new Set<Element>();
    hidden = new Map();
    const { graph, scene } = view;
    if (graph !== null && scene !== null) {
      for (const match of found) {
        const index = visibleIndexOf(graph, scene.visible, match);
        if (index < 0) {
          continue;
        }
        const shown = scene.visible.elements[index];
        marks.add(shown);
        if (shown !== match) {
          hidden.set(index, (hidden.get(index) ?? 0) + 1);
        }
      }
    }
    stage.mark({ matches: marks });
  };
  const box = createSearchBox({
    onStep: (match) => void view.goTo(match),
    onMatches(matches, query) {
      found = matches;
      mark();
      if (query !== view.query) {
        view.setQuery(query);
      }
    },
    onLeave: () => tree.node.focus(),
  });
  stage.addLayer((paint, boxes) => {
    for (const [index, at] of boxes) {
      const count = hidden.get(index);
      if (count !== undefined && paint.camera.scale > 0.3) {
        drawPill(paint, at.x + at.width - 12, at.y + at.height + 4, strings.found(count), paint.theme.match);
      }
    }
  });
  toolbar.place(box.node, ORDER.find);
  view.events.on('graph', (h) => box.setGraph(h));
  view.events.on('query', (query) => box.set(query, false));
  view.events.on('scene', mark);
  // Collapsed blocks can be found themselves while they are there.
  view.events.on('collapse', () => box.again());
  keys.bind({ keys: ['/'], help: ['/', strings.helpSearch()], anywhere: true, run: () => box.focus() });
  keys.bind({
    keys: ['Escape'],
    help: ['Esc', strings.helpEscape()],
    anywhere: true,
    run() {
      if (view.tree.port !== null) {
        view.tree.select(view.selectedIndex);
      } else if (view.panel.shown) {
        view.closePanel();
      } else if (box.active) {
        box.clear();
      } else if (view.highlighted !== null) {
        view.highlight(null, strings.highlightCleared());
      } else {
        view.select(-1);
      }
    },
  });
}
