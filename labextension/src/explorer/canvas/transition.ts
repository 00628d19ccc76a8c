/** The transition from one scene to the next: what keeps its place on the screen, and where boxes come from. */

import type { Element } from '../../model/hierarchy';
import type { Box } from './camera';
import { boxOf, indexOf, type Scene } from './scene';

export interface Transition {
  /** Both scenes have the anchor: it keeps its place on the screen. */
  anchored: boolean;
  /** How far the old scene lies from the new one. */
  x: number;
  y: number;
  /** Where a box of the new scene was: where it stood, or else in the group that was clicked; null: nowhere. */
  before(index: number): Box | null;
}

export function transitionBetween(old: Scene | null, next: Scene, anchor: Element): Transition {
  const from = old === null || anchor < 0 ? -1 : indexOf(old, anchor);
  const to = indexOf(next, anchor);
  const anchored = from >= 0 && to >= 0 && old!.flow === next.flow;
  // Where the main line enters stays, so that nothing above moves; the header is drawn around it.
  const across = anchored ? old!.axis[from] - next.axis[to] : 0;
  const turned = next.flow === 'right';
  const x = anchored && turned ? old!.x[from] - next.x[to] : across;
  const y = anchored && !turned ? old!.y[from] - next.y[to] : across;
  return {
    anchored,
    x,
    y,
    before(index) {
      if (old === null || anchor < 0) {
        return null;
      }
      const at = indexOf(old, next.visible.elements[index]);
      const source = at >= 0 ? at : from;
      if (source < 0) {
        return null;
      }
      const box = boxOf(old, source);
      return { ...box, x: box.x - x, y: box.y - y };
    },
  };
}
