/** What the pointer does to the picture. */

import { element } from './dom';
import { watchPointer } from './pointer';
import { contains, HEADER, hit, toggleBox } from './scene';
import type { View } from './view';

export interface Under {
  index: number;
  /** On the square that opens and closes the group. */
  onToggle: boolean;
  /** Inside an open group but not on its header: ground, not a thing. */
  ground: boolean;
}

/** What lies under a point of the picture, in CSS pixels. */
export function under(view: View, x: number, y: number): Under {
  const { scene, stage } = view;
  if (scene === null) {
    return { index: -1, onToggle: false, ground: false };
  }
  const { camera } = stage;
  const worldX = (x - camera.x) / camera.scale;
  const worldY = (y - camera.y) / camera.scale;
  const index = hit(scene, worldX, worldY);
  const kind = index < 0 ? 'op' : scene.visible.kinds[index];
  const onToggle =
    (kind === 'open' || kind === 'closed') && contains(toggleBox(scene, index), worldX, worldY);
  return { index, onToggle, ground: kind === 'open' && worldY > scene.y[index] + HEADER };
}

export function pointingFeature(view: View): void {
  const { stage, tree } = view;
  const hint = element('div', { class: 'hint', text: 'Click the graph, then turn the wheel to zoom' });
  let hintTimer = 0;
  stage.node.append(hint);
  watchPointer(tree.node, {
    onPan: (dx, dy) => stage.pan(dx, dy),
    onZoom: (factor, x, y, step) => stage.zoom(factor, x, y, step),
    onHover(x, y) {
      const { index, onToggle, ground } = under(view, x, y);
      stage.mark({ hovered: ground ? -1 : index });
      tree.node.classList.toggle('over', onToggle || (index >= 0 && !ground));
    },
    onLeave: () => stage.mark({ hovered: -1 }),
    onClick(x, y, shift) {
      tree.node.focus();
      const { index, onToggle } = under(view, x, y);
      if (onToggle) {
        void view.toggle(index);
        return;
      }
      const clicked = view.scene?.visible.elements[index] ?? -1;
      if (shift && clicked >= 0) {
        // The first of several to compare is the one that is selected already.
        if (view.pinned.length === 0 && view.selected >= 0 && view.selected !== clicked) {
          view.pin(view.selected);
        }
        view.pin(clicked);
        return;
      }
      view.choose(clicked);
      if (index >= 0) {
        view.openPanel();
      }
    },
    onDoubleClick(x, y) {
      const { index, onToggle } = under(view, x, y);
      if (index >= 0 && !onToggle) {
        void view.toggle(index);
      }
    },
    onWheelRefused() {
      hint.classList.add('shown');
      clearTimeout(hintTimer);
      hintTimer = window.setTimeout(() => hint.classList.remove('shown'), 1400);
    },
    hasFocus: () => view.frame.shadow.activeElement !== null,
  });
  view.events.on('destroy', () => clearTimeout(hintTimer));
}
