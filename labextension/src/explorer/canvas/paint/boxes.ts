/** Painting boxes: frames, colors and rings near by; plain rectangles from afar; blocks from very far. */

import { shortKind, string } from '../../../model/describe';
import { scopeOf } from '../../../model/hierarchy';
import type { Box } from '../camera';
import { categoryOf, type Category } from '../../../model/category';
import { boxStyleOf, lookOf, roundedBox, TEXT_FROM, type BoxStyle, type Paint, type Placed } from './paint';
import type { Scene } from '../scene';
import type { SpatialIndex } from '../spatialindex';

const STRIPE = 4.5;
const DASHES = [5, 3];
/** A shadow that costs no blur: the box's own shape, a little lower. */
const SHADOW = 1.6;

function hasFailed({ scene, h }: Paint, index: number): boolean {
  const element = scene.visible.elements[index];
  const kind = scene.visible.kinds[index];
  return kind === 'op'
    ? h.document.nodes.failed === element
    : kind === 'closed' && !!h.scopeFailed[scopeOf(h, element)];
}

const known = new WeakMap<Scene, (Category | null)[]>();

/** The family of an operator; null for any other box. */
function familyOf({ scene, h }: Paint, index: number): Category | null {
  let families = known.get(scene);
  if (families === undefined) {
    families = scene.visible.elements.map((element, at) =>
      scene.visible.kinds[at] === 'op'
        ? categoryOf(shortKind(string(h.document, h.document.nodes.kind[element])))
        : null,
    );
    known.set(scene, families);
  }
  return families[index];
}

/** What tells a box's kind from afar. */
function colorOf(paint: Paint, index: number): string {
  const family = familyOf(paint, index);
  if (family !== null) {
    return paint.theme.categories[family];
  }
  const look = boxStyleOf(paint, index);
  return paint.scene.visible.kinds[index] === 'open' ? look.fill : look.border;
}

/** The frame of an open group: its ground. */
export function drawGroupBackground(paint: Paint, index: number, box: Box): void {
  const { context, camera } = paint;
  const { fill, border, radius, dashed } = boxStyleOf(paint, index);
  roundedBox(context, box, radius);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = border;
  context.lineWidth = Math.max(1, 0.7 / camera.scale);
  context.setLineDash(dashed ? DASHES : []);
  context.stroke();
  context.setLineDash([]);
}

function together(of: readonly Placed[], keyOf: (index: number) => string): Map<string, Placed[]> {
  const lists = new Map<string, Placed[]>();
  for (const placed of of) {
    const key = keyOf(placed[0]);
    const list = lists.get(key);
    if (list === undefined) {
      lists.set(key, [placed]);
    } else {
      list.push(placed);
    }
  }
  return lists;
}

/** All but open groups, those of one kind with one stroke. */
export function drawFrames(paint: Paint, shown: readonly Placed[]): void {
  const { context, theme, camera } = paint;
  const shape = (box: Box, radius: number): void =>
    context.roundRect(box.x, box.y, box.width, box.height, Math.min(radius, box.height / 2, box.width / 2));
  const byLook = together(
    shown,
    (index) => lookOf(paint.h, paint.scene, index) + (hasFailed(paint, index) ? ' failed' : ''),
  );
  if (theme.shadow !== 'transparent') {
    context.beginPath();
    for (const [index, box] of shown) {
      shape({ ...box, y: box.y + SHADOW }, boxStyleOf(paint, index).radius);
    }
    context.fillStyle = theme.shadow;
    context.fill();
  }
  for (const [key, list] of byLook) {
    const { fill, border, radius, dashed }: BoxStyle = boxStyleOf(paint, list[0][0]);
    const failed = key.endsWith('failed');
    context.beginPath();
    list.forEach(([, box]) => shape(box, radius));
    context.fillStyle = fill;
    context.fill();
    context.strokeStyle = failed ? theme.error : border;
    context.lineWidth = failed ? 2.2 : Math.max(1, 0.7 / camera.scale);
    context.setLineDash(dashed ? DASHES : []);
    context.stroke();
    context.setLineDash([]);
  }
  const operators = shown.filter(([index]) => paint.scene.visible.kinds[index] === 'op');
  for (const [color, list] of together(operators, (index) => colorOf(paint, index))) {
    context.beginPath();
    list.forEach(([index, box]) => stripe(paint, box, boxStyleOf(paint, index).radius));
    context.fillStyle = color;
    context.fill();
  }
}

/** The left end of a round box, as wide as a stripe. */
function stripe({ context }: Paint, box: Box, radius: number): void {
  const r = Math.min(radius, box.height / 2);
  const bottom = box.y + box.height;
  context.moveTo(box.x + STRIPE, box.y + 0.5);
  context.quadraticCurveTo(box.x + 0.2, box.y + 1, box.x, box.y + r);
  context.lineTo(box.x, bottom - r);
  context.quadraticCurveTo(box.x + 0.2, bottom - 1, box.x + STRIPE, bottom - 0.5);
  context.closePath();
}

/** Boxes without text: rectangles, those of one color together. */
export function drawRectangles(paint: Paint, shown: readonly Placed[]): void {
  const { context, scene, theme, camera } = paint;
  const lists = together(shown, (index) => (hasFailed(paint, index) ? theme.error : colorOf(paint, index)));
  // A speck of less than a pixel would be lost.
  const least = 1 / camera.scale;
  for (const [color, list] of lists) {
    context.fillStyle = color;
    for (const [index, box] of list) {
      if (scene.visible.kinds[index] !== 'closed') {
        context.fillRect(box.x, box.y, Math.max(least, box.width), Math.max(least, box.height));
      }
    }
  }
  for (const [index, box] of shown) {
    if (scene.visible.kinds[index] === 'closed') {
      const { fill, border } = boxStyleOf(paint, index);
      context.fillStyle = fill;
      context.fillRect(box.x, box.y, Math.max(least, box.width), Math.max(least, box.height));
      context.strokeStyle = hasFailed(paint, index) ? theme.error : border;
      context.lineWidth = Math.max(1, 0.9 / camera.scale);
      roundedBox(context, box, TEXT_FROM * 12);
      context.stroke();
    }
  }
}

/** Boxes too small to tell apart: what stands together is one block, in the color of one of them. */
export function drawBlocks(paint: Paint, index: SpatialIndex, view: Box): void {
  const { context, camera } = paint;
  const least = 1 / camera.scale;
  const byColor = new Map<string, number[]>();
  index.cells((left, top, right, bottom, sample) => {
    if (left < view.x + view.width && right > view.x && top < view.y + view.height && bottom > view.y) {
      const color = colorOf(paint, sample);
      const list = byColor.get(color);
      const block = [left, top, Math.max(least, right - left), Math.max(least, bottom - top)];
      if (list === undefined) {
        byColor.set(color, block);
      } else {
        list.push(...block);
      }
    }
  });
  for (const [color, list] of byColor) {
    context.fillStyle = color;
    for (let at = 0; at < list.length; at += 4) {
      context.fillRect(list[at], list[at + 1], list[at + 2], list[at + 3]);
    }
  }
}

/** What is selected, under the pointer, or found. */
export function drawOutlines(paint: Paint, index: number, box: Box): void {
  const { context, theme, camera } = paint;
  const { radius } = boxStyleOf(paint, index);
  const ring = (color: string, width: number, away: number): void => {
    context.strokeStyle = color;
    context.lineWidth = Math.max(width, width / camera.scale / 1.5);
    roundedBox(
      context,
      { x: box.x - away, y: box.y - away, width: box.width + 2 * away, height: box.height + 2 * away },
      radius + away,
    );
    context.stroke();
  };
  if (paint.matches.has(paint.scene.visible.elements[index])) {
    // Told from a selection by its dashes, not by its color alone.
    context.setLineDash([7, 3]);
    ring(theme.match, 3, 1.5);
    context.setLineDash([]);
  }
  if (index === paint.hovered && index !== paint.selected) {
    ring(theme.muted, 1.5, 0);
  }
  if (index === paint.selected) {
    ring(theme.selected, 2.5, 1);
    if (paint.focused) {
      context.setLineDash([3, 3]);
      ring(theme.selected, 1.5, 5);
      context.setLineDash([]);
    }
  }
}
