/** The lower border, which can be dragged, or moved by the arrow keys, to change the height. */

import * as strings from '../../i18n/strings';
import { element } from './dom';

export const LEAST_HEIGHT = 200;
const MOST_HEIGHT = 4000;
const STEP = 40;

export const clampHeight = (height: number): number =>
  Math.round(Math.max(LEAST_HEIGHT, Math.min(MOST_HEIGHT, height)));

export function createResizeHandle(
  current: () => number,
  onHeight: (height: number, final: boolean) => void,
): HTMLElement {
  const handle = element('div', {
    class: 'resize-handle',
    title: strings.resize(),
    attributes: {
      role: 'separator',
      'aria-orientation': 'horizontal',
      'aria-label': strings.heightInPixels(),
      'aria-valuemin': String(LEAST_HEIGHT),
      'aria-valuemax': String(MOST_HEIGHT),
      'aria-valuenow': String(current()),
      tabindex: '0',
    },
  });
  let from: { y: number; height: number } | null = null;
  handle.addEventListener('pointerdown', (event) => {
    from = { y: event.clientY, height: current() };
    handle.setPointerCapture?.(event.pointerId);
    event.preventDefault();
  });
  handle.addEventListener('pointermove', (event) => {
    if (from !== null) {
      onHeight(clampHeight(from.height + event.clientY - from.y), false);
    }
  });
  handle.addEventListener('pointerup', (event) => {
    if (from !== null) {
      onHeight(clampHeight(from.height + event.clientY - from.y), true);
      from = null;
    }
  });
  handle.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      onHeight(clampHeight(current() + (event.key === 'ArrowDown' ? STEP : -STEP)), true);
      event.preventDefault();
      event.stopPropagation();
    }
  });
  return handle;
}
