/** Small signs on boxes: the square that opens a group, warnings, failure. */

import { kindOf, isAffected, scopeOf } from '../../../model/hierarchy';
import type { Box } from '../camera';
import { roundedBox, type Paint } from './paint';
import { detailFont, PAD, TOGGLE, toggleDepth } from '../scene';

/** `box` is where the group is drawn. */
export function drawToggle(paint: Paint, index: number, box: Box): void {
  const { context, theme, scene } = paint;
  const open = scene.visible.kinds[index] === 'open';
  const x = box.x + scene.header[index] + PAD;
  const y = box.y + toggleDepth(scene, index) - TOGGLE / 2;
  context.fillStyle = theme.background;
  context.strokeStyle = theme.closedBorder;
  context.lineWidth = 1;
  roundedBox(context, { x, y, width: TOGGLE, height: TOGGLE }, 4);
  context.fill();
  context.stroke();
  context.strokeStyle = theme.text;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x + 3.5, y + TOGGLE / 2);
  context.lineTo(x + TOGGLE - 3.5, y + TOGGLE / 2);
  if (!open) {
    context.moveTo(x + TOGGLE / 2, y + 3.5);
    context.lineTo(x + TOGGLE / 2, y + TOGGLE - 3.5);
  }
  context.stroke();
}

/** A triangle for warnings, a disc with a cross for failure: told apart by shape as well as by color. */
function drawBadge(paint: Paint, x: number, y: number, kind: 'warning' | 'error'): void {
  const { context, theme } = paint;
  context.lineJoin = 'round';
  context.lineWidth = 2.5;
  context.strokeStyle = context.fillStyle = kind === 'warning' ? theme.warning : theme.error;
  context.beginPath();
  if (kind === 'warning') {
    context.moveTo(x, y - 6.5);
    context.lineTo(x + 7, y + 5);
    context.lineTo(x - 7, y + 5);
    context.closePath();
    context.stroke();
  } else {
    context.arc(x, y, 7.5, 0, 2 * Math.PI);
  }
  context.fill();
  context.strokeStyle = kind === 'warning' ? theme.warningInk : theme.background;
  context.lineWidth = 1.7;
  context.lineCap = 'round';
  context.beginPath();
  if (kind === 'warning') {
    context.moveTo(x, y - 3);
    context.lineTo(x, y + 0.8);
    context.moveTo(x, y + 3.6);
    context.lineTo(x, y + 3.7);
  } else {
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x - 3, y + 3);
  }
  context.stroke();
  context.lineCap = 'butt';
}

export function drawBadges(paint: Paint, index: number, box: Box): void {
  const { scene, h } = paint;
  const element = scene.visible.elements[index];
  const kind = kindOf(h, element);
  const closed = scene.visible.kinds[index] === 'closed';
  const warned =
    kind === 'op'
      ? h.nodeWarnings[element] > 0
      : kind === 'group'
        ? closed && (h.scopeWarnings[scopeOf(h, element)] > 0 || isAffected(h, element))
        : isAffected(h, element);
  const failed =
    kind === 'op' ? h.document.nodes.failed === element : closed && !!h.scopeFailed[scopeOf(h, element)];
  if (failed) {
    drawBadge(paint, box.x + box.width - 3, box.y + 2, 'error');
  }
  if (warned && !paint.isPrint) {
    drawBadge(paint, box.x + box.width - (failed ? 22 : 4), box.y + 1, 'warning');
  }
}

const HEIGHT = 15;

/** Draws `text` on a ground of `color`, its right end at `x` and its middle at `y`. */
export function drawPill(paint: Paint, x: number, y: number, text: string, color: string): void {
  const { context, theme, measure } = paint;
  const font = detailFont(theme.font);
  const width = measure(text, font) + 10;
  context.fillStyle = theme.background;
  context.strokeStyle = color;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x - width, y - HEIGHT / 2, width, HEIGHT, HEIGHT / 2);
  context.fill();
  context.stroke();
  context.fillStyle = theme.text;
  context.font = font;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, x - width + 5, y + 0.5);
}
