/** Painting a scene. Only what is in view is drawn, and only as finely as can be seen. */

import { drawBadges, drawToggle } from './badges';
import { visibleWorld, type Box } from '../camera';
import { drawBlocks, drawFrames, drawGroupBackground, drawRectangles, drawOutlines } from './boxes';
import { drawEdges } from './edges';
import { drawGroupNames, drawBoxLabels } from './text';
import {
  BLOCKS_BELOW,
  currentBox,
  DIMMED,
  isDimmed,
  overlaps,
  TEXT_FROM,
  type Paint,
  type Placed,
} from './paint';
import type { Scene } from '../scene';
import { createSpatialIndex, type SpatialIndex } from '../spatialindex';

/** Room around a box for rings and badges. */
const AROUND = 10;
/** An open group smaller than this on the screen is drawn without what is inside. */
const SMALLEST_OPEN = 18;

const made = new WeakMap<Scene, SpatialIndex>();

/** The boxes of a scene by place. */
export function boxIndex(scene: Scene): SpatialIndex {
  let index = made.get(scene);
  if (index === undefined) {
    const bounds = new Float64Array(4 * scene.x.length);
    for (let at = 0; at < scene.x.length; at++) {
      bounds[4 * at] = scene.x[at];
      bounds[4 * at + 1] = scene.y[at];
      bounds[4 * at + 2] = scene.x[at] + scene.width[at];
      bounds[4 * at + 3] = scene.y[at] + scene.height[at];
    }
    index = createSpatialIndex(bounds);
    made.set(scene, index);
  }
  return index;
}

/** More boxes than this are drawn as blocks from very far. */
const MANY = 3000;

const inBlocks = ({ scene, camera }: Paint): boolean => camera.scale < BLOCKS_BELOW && scene.x.length > MANY;

/** What is drawn of its own even among blocks: open groups, and what is marked. */
function outstanding({ scene, selected, hovered, matches }: Paint): Iterable<number> {
  const { indexOf, kinds } = scene.visible;
  const found = new Set<number>();
  kinds.forEach((kind, index) => kind === 'open' && found.add(index));
  [selected, hovered].forEach((index) => index >= 0 && found.add(index));
  for (const element of matches) {
    const index = indexOf.get(element);
    if (index !== undefined) {
      found.add(index);
    }
  }
  return [...found].sort((a, b) => a - b);
}

/** Boxes in view, parents before children; not those in a group that is too small to look into. */
function boxesInView(paint: Paint, view: Box): Placed[] {
  const { scene, camera } = paint;
  const near = {
    x: view.x - AROUND,
    y: view.y - AROUND,
    width: view.width + 2 * AROUND,
    height: view.height + 2 * AROUND,
  };
  const candidates =
    paint.progress < 1
      ? scene.x.keys()
      : inBlocks(paint)
        ? outstanding(paint)
        : boxIndex(scene).query(near.x, near.y, near.x + near.width, near.y + near.height);
  const shown: Placed[] = [];
  const shut = new Set<number>();
  for (const index of candidates) {
    const parent = scene.visible.parents[index];
    if (shut.has(parent)) {
      shut.add(index);
      continue;
    }
    const box = currentBox(paint, index);
    if (!overlaps(box, near)) {
      continue;
    }
    shown.push([index, box]);
    if (
      scene.visible.kinds[index] === 'open' &&
      Math.min(box.width, box.height) * camera.scale < SMALLEST_OPEN
    ) {
      shut.add(index);
    }
  }
  return shown;
}

function drawToggles(paint: Paint, shown: readonly Placed[]): void {
  for (const [index, box] of shown) {
    const kind = paint.scene.visible.kinds[index];
    if (kind === 'open' || kind === 'closed') {
      paint.context.globalAlpha = isDimmed(paint, index) ? DIMMED : 1;
      drawToggle(paint, index, box);
    }
  }
  paint.context.globalAlpha = 1;
}

export function paintScene(paint: Paint): void {
  const { context, scene, theme, camera, density } = paint;
  context.setTransform(density, 0, 0, density, 0, 0);
  if (!paint.isPrint) {
    context.fillStyle = theme.background;
    context.fillRect(0, 0, paint.width, paint.height);
  }
  const scale = camera.scale * density;
  context.setTransform(scale, 0, 0, scale, camera.x * density, camera.y * density);
  const view = visibleWorld(camera, paint.width, paint.height);
  const shown = boxesInView(paint, view);
  const isOpen = ([index]: Placed): boolean => scene.visible.kinds[index] === 'open';
  const open = shown.filter(isOpen);
  const rest = shown.filter((placed) => !isOpen(placed));
  open.forEach(([index, box]) => {
    drawGroupBackground(paint, index, box);
    // Below the sizes that stand on the border.
    drawOutlines(paint, index, box);
  });
  drawEdges(paint, view, shown);
  if (inBlocks(paint)) {
    drawBlocks(paint, boxIndex(scene), view);
    drawGroupNames(paint, open);
  } else {
    const near = camera.scale >= TEXT_FROM;
    const draw = near ? drawFrames : drawRectangles;
    const dimmed = rest.filter(([index]) => isDimmed(paint, index));
    context.globalAlpha = DIMMED;
    draw(paint, dimmed);
    context.globalAlpha = 1;
    draw(paint, dimmed.length === 0 ? rest : rest.filter(([index]) => !isDimmed(paint, index)));
    if (near) {
      drawBoxLabels(paint, shown);
      if (!paint.isPrint) {
        drawToggles(paint, shown);
      }
    } else {
      drawGroupNames(paint, shown);
    }
  }
  for (const [index, box] of shown) {
    context.globalAlpha = isDimmed(paint, index) ? DIMMED : 1;
    if (!isOpen([index, box])) {
      drawOutlines(paint, index, box);
    }
    drawBadges(paint, index, box);
  }
  context.globalAlpha = 1;
  for (const layer of paint.layers) {
    context.save();
    layer(paint, shown);
    context.restore();
  }
}
