/** The menu of an element: what can be done with it, at a click of the right button or the menu key. */

import * as strings from '../../../i18n/strings';
import { element } from '../../ui/dom';
import { hitTest } from '../../core/positions';
import { boxOf } from '../../canvas/scene';
import type { View } from '../../core/view';

export function contextMenuFeature(view: View): void {
  const { stage, tree } = view;
  const menu = element('div', {
    class: 'menu',
    attributes: { role: 'menu', 'aria-label': strings.actions() },
  });
  menu.hidden = true;
  stage.node.append(menu);

  const items = (): HTMLElement[] => [...menu.querySelectorAll<HTMLElement>('button')];
  const close = (focus: boolean): void => {
    if (!menu.hidden) {
      menu.hidden = true;
      if (focus) {
        tree.node.focus();
      }
    }
  };
  const show = (x: number, y: number): void => {
    const at = view.selected;
    const actions = view.actions.filter((action) => action.available?.(at) ?? true);
    if (actions.length === 0) {
      return;
    }
    menu.replaceChildren(
      ...actions.map((action) =>
        element('button', {
          text: action.label,
          attributes: { type: 'button', role: 'menuitem' },
          onClick() {
            close(true);
            action.run(at);
          },
        }),
      ),
    );
    menu.hidden = false;
    menu.style.right = 'auto';
    menu.style.left = `${Math.max(0, Math.min(x, stage.width - menu.offsetWidth))}px`;
    menu.style.top = `${Math.max(0, Math.min(y, stage.height - menu.offsetHeight))}px`;
    items()[0].focus();
  };

  tree.node.addEventListener('contextmenu', (event) => {
    const { scene } = view;
    if (scene === null || event.shiftKey) {
      // With Shift the browser's own menu comes, as elsewhere in JupyterLab.
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.button === 2) {
      const bounds = tree.node.getBoundingClientRect();
      const [x, y] = [event.clientX - bounds.left, event.clientY - bounds.top];
      const { index } = hitTest(view, x, y);
      view.select(scene.visible.elements[index] ?? -1);
      if (index >= 0) {
        show(x, y);
      }
    } else if (view.selectedIndex >= 0) {
      const box = boxOf(scene, view.selectedIndex);
      const { x, y, scale } = stage.camera;
      show((box.x + box.width / 2) * scale + x, (box.y + box.height / 2) * scale + y);
    }
  });
  menu.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0) {
      const list = items();
      const now = list.indexOf(view.frame.shadow.activeElement as HTMLElement);
      list[(now + step + list.length) % list.length].focus();
    } else if (event.key === 'Escape' || event.key === 'Tab') {
      close(true);
    }
    if (step !== 0 || event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
    }
    event.stopPropagation();
  });
  for (const name of ['pointerdown', 'dblclick', 'wheel'] as const) {
    menu.addEventListener(name, (event) => event.stopPropagation());
  }
  view.frame.root.addEventListener('pointerdown', () => close(false));
  view.events.on('camera', () => close(false));
  view.events.on('graph', () => close(false));
}
