/**
 * The accessibility tree: one treeitem per box, kept in step with the canvas, and under the selected one an item for
 * each value that it takes and gives. Items are transparent and lie where their boxes are drawn (one transform
 * follows the camera), so that assistive technology, and automation, find them in the right place.
 *
 * Of a very large picture only what is near the view has items; each says its place among all of its siblings.
 */

import * as strings from '../../i18n/strings';
import { accessibleName } from '../../model/describe';
import { ports, type Port } from '../../model/elementdetails';
import type { Element, Hierarchy } from '../../model/hierarchy';
import type { Camera } from '../canvas/camera';
import { element } from '../ui/dom';
import { HEADER, type Scene } from '../canvas/scene';

/** Pictures of up to this many boxes have all their items. */
const MOST_ITEMS = 1500;
const SETTLED_MS = 120;

export interface AccessibilityTree {
  /** Takes the keyboard focus and the pointer. */
  node: HTMLElement;
  update(h: Hierarchy, scene: Scene): void;
  select(index: number): void;
  follow(camera: Camera): void;
  /** Moves to the next or the previous value of the selected element; says whether there is one. */
  stepPort(forward: boolean): Port | null;
  /** The value that `stepPort` has come to. */
  readonly port: Port | null;
  destroy(): void;
}

interface Family {
  position: number[];
  size: number[];
}

function families(scene: Scene): Family {
  const position: number[] = [];
  const count = new Map<number, number>();
  for (const parent of scene.visible.parents) {
    count.set(parent, (count.get(parent) ?? 0) + 1);
    position.push(count.get(parent)!);
  }
  return { position, size: scene.visible.parents.map((parent) => count.get(parent)!) };
}

export function createAccessibilityTree(
  onPress: (index: number) => void,
  onPort: (to: Element) => void,
): AccessibilityTree {
  const layer = element('div', { class: 'items', attributes: { role: 'presentation' } });
  const node = element(
    'div',
    { class: 'tree', attributes: { role: 'tree', tabindex: '0', 'aria-label': strings.graph() } },
    layer,
  );
  let h: Hierarchy | null = null;
  let scene: Scene | null = null;
  let family: Family = { position: [], size: [] };
  let items = new Map<number, HTMLElement>();
  let camera: Camera = { x: 0, y: 0, scale: 1 };
  let selected = -1;
  let timer = 0;
  let shownPorts: { port: Port; item: HTMLElement }[] = [];
  let at = -1;

  const make = (index: number): HTMLElement => {
    const { visible } = scene!;
    const shown = visible.elements[index];
    const open = visible.kinds[index] === 'open';
    const item = element('div', {
      class: 'item',
      attributes: {
        role: 'treeitem',
        id: `item-${shown}`,
        'aria-label': accessibleName(h!, shown, open),
        'aria-level': String(scene!.depth[index] + 1),
        'aria-posinset': String(family.position[index]),
        'aria-setsize': String(family.size[index]),
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
    item.style.left = `${scene!.x[index]}px`;
    item.style.top = `${scene!.y[index]}px`;
    item.style.width = `${scene!.width[index]}px`;
    item.style.height = `${open ? HEADER : scene!.height[index]}px`;
    return item;
  };

  const wanted = (): number[] => {
    const count = scene!.x.length;
    const all = Array.from({ length: count }, (_, index) => index);
    if (count <= MOST_ITEMS) {
      return all;
    }
    const margin = 200;
    const { x, y, scale } = camera;
    const near = (index: number): boolean =>
      index === selected ||
      ((scene!.x[index] + scene!.width[index]) * scale + x > -margin &&
        scene!.x[index] * scale + x < node.clientWidth + margin &&
        (scene!.y[index] + scene!.height[index]) * scale + y > -margin &&
        scene!.y[index] * scale + y < node.clientHeight + margin);
    const found = all.filter(near);
    if (found.length <= MOST_ITEMS) {
      return found;
    }
    const chosen = found.slice(0, MOST_ITEMS);
    return selected >= 0 && !chosen.includes(selected) ? [...chosen, selected].sort((a, b) => a - b) : chosen;
  };

  const render = (): void => {
    if (h === null || scene === null) {
      return;
    }
    const next = new Map<number, HTMLElement>();
    for (const index of wanted()) {
      next.set(index, items.get(index) ?? make(index));
    }
    items = next;
    layer.replaceChildren(...next.values());
  };

  const clearPorts = (): void => {
    shownPorts[0]?.item.parentElement?.remove();
    shownPorts = [];
    at = -1;
  };

  const showPorts = (): void => {
    clearPorts();
    const item = items.get(selected);
    if (h === null || scene === null || item === undefined || scene.visible.kinds[selected] === 'open') {
      return;
    }
    const list = ports(h, scene.visible.elements[selected]);
    if (list.length === 0) {
      return;
    }
    const level = String(scene.depth[selected] + 2);
    shownPorts = list.map((port, number) => ({
      port,
      item: element('div', {
        class: 'port',
        text: port.label,
        attributes: {
          role: 'treeitem',
          id: `port-${number}`,
          'aria-label': port.label,
          'aria-level': level,
          'aria-posinset': String(number + 1),
          'aria-setsize': String(list.length),
          'aria-selected': 'false',
        },
        onClick: (event) => {
          if (event.detail === 0 && port.to >= 0) {
            onPort(port.to);
            event.stopPropagation();
          }
        },
      }),
    }));
    item.append(
      element(
        'div',
        { class: 'ports', attributes: { role: 'group' } },
        ...shownPorts.map((each) => each.item),
      ),
    );
  };

  const activate = (id: string | undefined): void => {
    if (id === undefined) {
      node.removeAttribute('aria-activedescendant');
    } else {
      node.setAttribute('aria-activedescendant', id);
    }
  };

  return {
    node,
    update(newHierarchy, newScene) {
      h = newHierarchy;
      scene = newScene;
      family = families(newScene);
      items = new Map();
      selected = -1;
      clearPorts();
      node.setAttribute('aria-label', strings.graphOf(h.document.name).slice(0, 200));
      render();
    },
    select(index) {
      const before = items.get(selected);
      before?.setAttribute('aria-selected', 'false');
      selected = index;
      if (index >= 0 && !items.has(index)) {
        render();
      }
      items.get(index)?.setAttribute('aria-selected', 'true');
      activate(items.get(index)?.id);
      showPorts();
    },
    follow(to) {
      camera = to;
      layer.style.transform = `translate(${to.x}px, ${to.y}px) scale(${to.scale})`;
      if (scene !== null && scene.x.length > MOST_ITEMS) {
        clearTimeout(timer);
        timer = window.setTimeout(render, SETTLED_MS);
      }
    },
    stepPort(forward) {
      if (shownPorts.length === 0) {
        return null;
      }
      shownPorts[at]?.item.classList.remove('current');
      at = Math.max(-1, Math.min(shownPorts.length - 1, at + (forward ? 1 : -1)));
      shownPorts[at]?.item.classList.add('current');
      activate(at < 0 ? items.get(selected)?.id : shownPorts[at].item.id);
      return shownPorts[at]?.port ?? null;
    },
    get port() {
      return shownPorts[at]?.port ?? null;
    },
    destroy() {
      clearTimeout(timer);
    },
  };
}
