/** Painting boxes: frames, colours and rings near by; plain rectangles from afar; blocks from very far. */

import { shortKind, string } from '../model/describe';
import { scopeOf } from '../model/hierarchy';
import type { Box } from './camera';
import { categoryOf } from './category';
import { lookOf, roundedBox, TEXT_FROM, type Paint, type Placed } from './paint';
import type { SpatialIndex } from './spatial';

const STRIPE = 4.5;
/** A shadow that costs no blur: the box's own shape, a little lower. */
const SHADOW = 1.6;

function hasFailed({ scene, h }: Paint, index: number): boolean {
  const element = scene.visible.elements[index];
  const kind = scene.visible.kinds[index];
  return kind === 'op'
    ? h.document.nodes.failed === element
    : kind === 'closed' && !!h.scopeFailed[scopeOf(h, element)];
}

/** What tells a box's kind from afar. */
function colourOf(paint: Paint, index: number): string {
  const { scene, theme, h } = paint;
  if (scene.visible.kinds[index] !== 'op') {
    return scene.visible.kinds[index] === 'open' ? lookOf(paint, index).fill : lookOf(paint, index).border;
  }
  const kind = h.document.nodes.kind[scene.visible.elements[index]];
  return theme.categories[categoryOf(shortKind(string(h.document, kind)))];
}

export function drawFrame(paint: Paint, index: number, box: Box): void {
  const { context, scene, theme, camera } = paint;
  const { fill, border, radius } = lookOf(paint, index);
  const kind = scene.visible.kinds[index];
  const failed = hasFailed(paint, index);
  if (kind !== 'open' && theme.shadow !== 'transparent') {
    context.fillStyle = theme.shadow;
    roundedBox(context, { ...box, y: box.y + SHADOW }, radius);
    context.fill();
  }
  context.fillStyle = fill;
  roundedBox(context, box, radius);
  context.fill();
  if (kind === 'op') {
    context.save();
    roundedBox(context, { ...box, width: STRIPE + radius }, radius);
    context.clip();
    context.fillStyle = colourOf(paint, index);
    context.fillRect(box.x, box.y, STRIPE, box.height);
    context.restore();
    roundedBox(context, box, radius);
  }
  context.strokeStyle = failed ? theme.error : border;
  context.lineWidth = failed ? 2.2 : Math.max(1, 0.7 / camera.scale);
  context.stroke();
}

/** Boxes without text: rectangles, those of one colour together. */
export function drawRectangles(paint: Paint, shown: readonly Placed[]): void {
  const { context, scene, theme, camera } = paint;
  const byColour = new Map<string, Placed[]>();
  for (const placed of shown) {
    const colour = hasFailed(paint, placed[0]) ? theme.error : colourOf(paint, placed[0]);
    const known = byColour.get(colour);
    if (known === undefined) {
      byColour.set(colour, [placed]);
    } else {
      known.push(placed);
    }
  }
  // A speck of less than a pixel would be lost.
  const least = 1 / camera.scale;
  for (const [colour, list] of byColour) {
    context.fillStyle = colour;
    for (const [index, box] of list) {
      if (scene.visible.kinds[index] === 'closed') {
        continue;
      }
      context.fillRect(box.x, box.y, Math.max(least, box.width), Math.max(least, box.height));
    }
  }
  for (const [index, box] of shown) {
    if (scene.visible.kinds[index] === 'closed') {
      const { fill, border } = lookOf(paint, index);
      context.fillStyle = fill;
      context.fillRect(box.x, box.y, Math.max(least, box.width), Math.max(least, box.height));
      context.strokeStyle = hasFailed(paint, index) ? theme.error : border;
      context.lineWidth = Math.max(1, 0.9 / camera.scale);
      roundedBox(context, box, TEXT_FROM * 12);
      context.stroke();
    }
  }
}

/** Boxes too small to tell apart: what stands together is one block, in the colour of one of them. */
export function drawBlocks(paint: Paint, index: SpatialIndex, view: Box): void {
  const { context, camera } = paint;
  const least = 1 / camera.scale;
  index.cells((left, top, right, bottom, sample) => {
    if (left < view.x + view.width && right > view.x && top < view.y + view.height && bottom > view.y) {
      context.fillStyle = colourOf(paint, sample);
      context.fillRect(left, top, Math.max(least, right - left), Math.max(least, bottom - top));
    }
  });
}

/** What is selected, under the pointer, or found. */
export function drawRings(paint: Paint, index: number, box: Box): void {
  const { context, theme, camera } = paint;
  const { radius } = lookOf(paint, index);
  const ring = (colour: string, width: number, away: number): void => {
    context.strokeStyle = colour;
    context.lineWidth = Math.max(width, width / camera.scale / 1.5);
    roundedBox(
      context,
      { x: box.x - away, y: box.y - away, width: box.width + 2 * away, height: box.height + 2 * away },
      radius + away,
    );
    context.stroke();
  };
  if (paint.matches.has(paint.scene.visible.elements[index])) {
    // Told from a selection by its dashes, not by its colour alone.
    context.setLineDash([7, 3]);
    ring(theme.match, 3, 1.5);
    context.setLineDash([]);
  }
  if (index === paint.hovered && index !== paint.selected) {
    ring(theme.faint, 1.5, 0);
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
