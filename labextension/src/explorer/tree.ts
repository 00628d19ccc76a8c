/**
 * The accessibility tree: one treeitem per box, kept in step with the canvas. Items are transparent and lie where
 * their boxes are drawn (one transform follows the camera), so that assistive technology, and automation, find
 * them in the right place.
 */

import { accessibleName } from '../model/describe';
import type { Hierarchy } from '../model/hierarchy';
import type { Camera } from './camera';
import { element } from './dom';
import type { Scene } from './scene';

export interface AriaTree {
  /** Takes the keyboard focus and the pointer. */
  node: HTMLElement;
  update(h: Hierarchy, scene: Scene): void;
  select(index: number): void;
  follow(camera: Camera): void;
}

export function createTree(onPress: (index: number) => void): AriaTree {
  const layer = element('div', { class: 'items', attributes: { role: 'presentation' } });
  const node = element(
    'div',
    { class: 'tree', attributes: { role: 'tree', tabindex: '0', 'aria-label': 'Graph' } },
    layer,
  );
  let items: HTMLElement[] = [];
  let selected = -1;
  return {
    node,
    update(h, scene) {
      const { visible } = scene;
      node.setAttribute('aria-label', `Graph of ${h.document.name}`);
      items = visible.elements.map((shown, index) => {
        const open = visible.kinds[index] === 'open';
        const item = element('div', {
          class: 'item',
          attributes: {
            role: 'treeitem',
            id: `item-${shown}`,
            'aria-label': accessibleName(h, shown, open),
            'aria-level': String(scene.depth[index] + 1),
            'aria-selected': String(index === selected),
          },
          // A press by assistive technology arrives as a click that no pointer made.
          onClick: (event) => {
            if (event.detail === 0) {
              onPress(index);
            }
          },
        });
        if (open || visible.kinds[index] === 'closed') {
          item.setAttribute('aria-expanded', String(open));
        }
        item.style.left = `${scene.x[index]}px`;
        item.style.top = `${scene.y[index]}px`;
        item.style.width = `${scene.width[index]}px`;
        item.style.height = `${open ? 32 : scene.height[index]}px`;
        return item;
      });
      layer.replaceChildren(...items);
    },
    select(index) {
      items[selected]?.setAttribute('aria-selected', 'false');
      selected = index;
      items[index]?.setAttribute('aria-selected', 'true');
      if (index >= 0 && items[index]) {
        node.setAttribute('aria-activedescendant', items[index].id);
      } else {
        node.removeAttribute('aria-activedescendant');
      }
    },
    follow(camera) {
      layer.style.transform = `translate(${camera.x}px, ${camera.y}px) scale(${camera.scale})`;
    },
  };
}
