/** Differences on the canvas: outlines and signs, so that no color is needed to tell them apart. */

import * as toolStrings from '../../i18n/toolstrings';
import {
  differenceCount,
  differencesOf,
  DiffStatus,
  diffStatusOf,
  DIFF_SYMBOLS,
} from '../../model/diff/differences';
import { kindOf, scopeOf } from '../../model/hierarchy';
import type { Box } from '../canvas/camera';
import { boxStyleOf, roundedBox, TEXT_FROM, type Layer, type Paint } from '../canvas/paint/paint';
import { drawPill } from '../canvas/paint/badges';
import type { Theme } from '../ui/theme';

/** Green, red and amber, readable on the ground of the theme; ink where high contrast is asked for. */
export function diffColor(theme: Theme, mark: DiffStatus): string {
  if (theme.contrast) {
    return theme.text;
  }
  switch (mark) {
    case DiffStatus.Added:
      return theme.dark ? '#5fd07f' : '#23803b';
    case DiffStatus.Removed:
      return theme.error;
    default:
      return theme.dark ? '#f0b94a' : '#a86a08';
  }
}

const around = (box: Box, by: number): Box => ({
  x: box.x - by,
  y: box.y - by,
  width: box.width + 2 * by,
  height: box.height + 2 * by,
});

/** A bold line around what was added, a dashed one around what was removed, two around what changed. */
function outline(paint: Paint, index: number, box: Box, mark: DiffStatus): void {
  const { context, theme, camera } = paint;
  const { radius } = boxStyleOf(paint, index);
  const thick = Math.max(2, 1.4 / camera.scale);
  context.strokeStyle = diffColor(theme, mark);
  context.lineWidth = mark === DiffStatus.Added ? thick * 1.4 : thick;
  context.setLineDash(mark === DiffStatus.Removed ? [6, 4] : []);
  roundedBox(context, box, radius);
  context.stroke();
  context.setLineDash([]);
  if (mark === DiffStatus.Changed && camera.scale >= TEXT_FROM) {
    context.lineWidth = 1;
    roundedBox(context, around(box, 3.5), radius + 3.5);
    context.stroke();
  }
}

/** Draws what became of every box; an open group that only holds differences shows them inside. */
export const diffLayer: Layer = (paint, boxes) => {
  const { h, scene, camera, theme } = paint;
  const differences = differencesOf(h);
  if (differences === null) {
    return;
  }
  for (const [index, box] of boxes) {
    const at = scene.visible.elements[index];
    const mark = diffStatusOf(h, at);
    const group = kindOf(h, at) === 'group';
    const open = scene.visible.kinds[index] === 'open';
    const renumbered = group && differences.renumbered.has(scopeOf(h, at));
    if (renumbered && camera.scale >= TEXT_FROM) {
      drawPill(
        paint,
        box.x + box.width - 4,
        box.y,
        toolStrings.was(differences.changes.get(at)?.[0].before ?? ''),
        theme.muted,
      );
    }
    const renamed =
      group && !renumbered && h.document.diff!.scopes.status[scopeOf(h, at)] === DiffStatus.Changed;
    if (mark === DiffStatus.Same || (open && mark === DiffStatus.Changed && !renamed)) {
      continue;
    }
    outline(paint, index, box, mark);
    if (camera.scale >= TEXT_FROM) {
      const count = group && mark === DiffStatus.Changed ? differenceCount(h, scopeOf(h, at)) : 0;
      const text = count > 0 ? `${DIFF_SYMBOLS[mark]} ${count}` : DIFF_SYMBOLS[mark];
      drawPill(paint, box.x + 20, box.y, text, diffColor(theme, mark));
    }
  }
};
