/** Mouse, touch and wheel on the canvas: pans, zooms, hovers and clicks, and what they do to the picture. */

import * as strings from '../../../i18n/strings';
import type { View } from '../../core/view';
import { indexOf } from '../../canvas/scene';
import { hitTest } from '../../core/positions';
import { element } from '../../ui/dom';

export interface PointerEvents {
  onPan(dx: number, dy: number): void;
  /** `step`: by one notch of a wheel; fingers move the picture with them. */
  onZoom(factor: number, x: number, y: number, step: boolean): void;
  onHover(x: number, y: number): void;
  onLeave(): void;
  /** `again`: soon after another one, at the same place. */
  onClick(x: number, y: number, shift: boolean, again: boolean): void;
  onDoubleClick(): void;
  /** The wheel was turned over a graph without focus: the page scrolls, not we. */
  onWheelRefused(): void;
  hasFocus(): boolean;
}

/** Movement up to this many pixels is still a click. */
const STILL = 4;

export function watchPointer(node: HTMLElement, events: PointerEvents): void {
  const down = new Map<number, { x: number; y: number }>();
  let moved = 0;
  let pinch = 0;
  const local = (event: MouseEvent): [number, number] => {
    const bounds = node.getBoundingClientRect();
    return [event.clientX - bounds.left, event.clientY - bounds.top];
  };

  node.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 && event.button !== 1) {
      return;
    }
    node.setPointerCapture?.(event.pointerId);
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = down.size === 1 ? 0 : Infinity;
    pinch = 0;
  });
  node.addEventListener('pointermove', (event) => {
    const last = down.get(event.pointerId);
    if (last === undefined) {
      if (down.size === 0) {
        events.onHover(...local(event));
      }
      return;
    }
    const dx = event.clientX - last.x;
    const dy = event.clientY - last.y;
    if (down.size === 2) {
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
      const [a, b] = [...down.values()];
      const distance = Math.hypot(a.x - b.x, a.y - b.y);
      const bounds = node.getBoundingClientRect();
      if (pinch > 0 && distance > 0) {
        events.onZoom(distance / pinch, (a.x + b.x) / 2 - bounds.left, (a.y + b.y) / 2 - bounds.top, false);
      }
      pinch = distance;
      events.onPan(dx / 2, dy / 2);
      return;
    }
    moved += Math.abs(dx) + Math.abs(dy);
    if (moved > STILL) {
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
      node.classList.add('dragging');
      events.onPan(dx, dy);
    }
  });
  const up = (event: PointerEvent): void => {
    if (!down.delete(event.pointerId)) {
      return;
    }
    node.classList.remove('dragging');
  };
  node.addEventListener('pointerup', up);
  node.addEventListener('pointercancel', up);
  node.addEventListener('pointerleave', () => events.onLeave());
  // Not when the pointer goes up: the click that follows a touch would fall on what has come to lie under the finger.
  // A click that counts nothing is a press by assistive technology on one of the items.
  node.addEventListener('click', (event) => {
    if (event.detail > 0 && moved <= STILL) {
      events.onClick(...local(event), event.shiftKey, event.detail > 1);
    }
  });
  node.addEventListener('dblclick', () => events.onDoubleClick());
  node.addEventListener(
    'wheel',
    (event) => {
      const pinching = event.ctrlKey || event.metaKey;
      if (!pinching && !events.hasFocus()) {
        events.onWheelRefused();
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1;
      const dx = event.deltaX * unit;
      const dy = event.deltaY * unit;
      // A trackpad sends small steps in two directions; a wheel sends large ones in one.
      const trackpad = event.deltaMode === 0 && (dx !== 0 || Math.abs(dy) < 40);
      if (pinching || !trackpad) {
        events.onZoom(
          Math.exp(-Math.max(-300, Math.min(300, dy)) * (trackpad ? 0.01 : 0.0022)),
          ...local(event),
          !trackpad,
        );
      } else {
        events.onPan(-dx, -dy);
      }
    },
    { passive: false },
  );
}

export function pointerFeature(view: View): void {
  const { stage, tree } = view;
  const hint = element('div', { class: 'scroll-hint', text: strings.clickToZoom() });
  let hintTimer = 0;
  /** What was clicked last; -1 after a click that is no start of a double one. */
  let clicked = -1;
  const toggleClicked = (): void => {
    if (view.scene !== null && clicked >= 0) {
      void view.toggle(indexOf(view.scene, clicked));
    }
  };
  stage.node.append(hint);
  watchPointer(tree.node, {
    onPan: (dx, dy) => stage.pan(dx, dy),
    onZoom: (factor, x, y, step) => stage.zoom(factor, x, y, step),
    onHover(x, y) {
      const { index, onToggle, isBackground: ground } = hitTest(view, x, y);
      view.hover(ground ? -1 : (view.scene?.visible.elements[index] ?? -1));
      tree.node.classList.toggle('clickable', onToggle || (index >= 0 && !ground));
    },
    onLeave: () => view.hover(-1),
    onClick(x, y, shift, again) {
      tree.node.focus();
      const { index, onToggle } = hitTest(view, x, y);
      if (onToggle) {
        clicked = -1;
        void view.toggle(index);
        return;
      }
      if (again) {
        // The panel that the first one opened may have moved the picture.
        return;
      }
      clicked = view.scene?.visible.elements[index] ?? -1;
      if (shift && clicked >= 0) {
        // The first of several to compare is the one that is selected already.
        if (view.pinned.length === 0 && view.selected >= 0 && view.selected !== clicked) {
          view.pin(view.selected);
        }
        view.pin(clicked);
        return;
      }
      view.select(clicked);
      if (index >= 0) {
        view.openPanel();
      }
    },
    onDoubleClick: toggleClicked,
    onWheelRefused() {
      hint.classList.add('shown');
      clearTimeout(hintTimer);
      hintTimer = window.setTimeout(() => hint.classList.remove('shown'), 1400);
    },
    hasFocus: () => view.frame.shadow.activeElement !== null,
  });
  // The first click may have opened the panel under the pointer: the second one is not for what is there.
  view.panel.node.addEventListener(
    'click',
    (event) => {
      if (event.detail < 2) {
        clicked = -1;
      } else if (clicked >= 0) {
        event.stopPropagation();
        if (event.detail === 2) {
          toggleClicked();
        }
      }
    },
    true,
  );
  view.events.on('destroy', () => clearTimeout(hintTimer));
}
