/** A small picture of the whole, with a frame around what is in view; to be dragged. Shown when there is more than fits. */

import * as toolStrings from '../../i18n/toolstrings';
import { visibleWorld } from '../canvas/camera';
import { boxIndex } from '../canvas/paint/draw';
import { element } from '../ui/dom';
import type { View } from '../core/view';

const MOST = 168;
const LEAST = 36;
/** Shown when less than this part of the picture's height or width is in view. */
const PART = 0.7;
/** In a picture that is narrower, it would cover what is looked at. */
const NARROW = 420;
/** Closed groups and operators beyond this many are drawn as blocks. */
const MANY = 4000;

export function minimapFeature(view: View): void {
  const { stage, events, keys } = view;
  const canvas = element('canvas', { attributes: { 'aria-hidden': 'true' } });
  const frame = element('div', { class: 'minimap-viewport' });
  const node = element('div', { class: 'minimap', attributes: { 'aria-hidden': 'true' } }, canvas, frame);
  stage.node.append(node);
  let wanted = true;
  let width = 0;
  let height = 0;
  let drawn: object | null = null;

  /** Very long pictures are pressed together: the map is for finding the way, not for reading. */
  const measure = (): void => {
    const { bounds } = view.scene!;
    const scale = Math.min(MOST / bounds.width, MOST / bounds.height);
    width = Math.max(LEAST, Math.round(bounds.width * scale));
    height = Math.max(LEAST, Math.round(bounds.height * scale));
  };

  const paint = (): void => {
    const { scene, theme } = view;
    const density = window.devicePixelRatio || 1;
    canvas.width = width * density;
    canvas.height = height * density;
    const context = canvas.getContext('2d');
    if (scene === null || context === null) {
      return;
    }
    const { bounds } = scene;
    context.setTransform(
      (width / bounds.width) * density,
      0,
      0,
      (height / bounds.height) * density,
      (-bounds.x * width * density) / bounds.width,
      (-bounds.y * height * density) / bounds.height,
    );
    const least = [bounds.width / width, bounds.height / height];
    const block = (x: number, y: number, w: number, h: number): void =>
      context.fillRect(x, y, Math.max(least[0], w), Math.max(least[1], h));
    scene.visible.kinds.forEach((kind, at) => {
      if (kind === 'open') {
        context.fillStyle = theme.depths[Math.min(scene.depth[at] + 1, theme.depths.length - 1)];
        block(scene.x[at], scene.y[at], scene.width[at], scene.height[at]);
      }
    });
    context.fillStyle = theme.edge;
    if (scene.x.length > MANY) {
      boxIndex(scene).cells((left, top, right, bottom) => block(left, top, right - left, bottom - top));
      return;
    }
    scene.visible.kinds.forEach((kind, at) => {
      if (kind !== 'open') {
        block(scene.x[at], scene.y[at], scene.width[at], scene.height[at]);
      }
    });
  };

  const update = (): void => {
    const { scene } = view;
    const seen = visibleWorld(stage.camera, stage.width, stage.height);
    const { bounds } = scene ?? { bounds: seen };
    const shown =
      wanted &&
      scene !== null &&
      stage.width >= NARROW &&
      (seen.width < bounds.width * PART || seen.height < bounds.height * PART);
    node.hidden = !shown;
    if (!shown) {
      return;
    }
    if (drawn !== scene) {
      drawn = scene;
      measure();
      paint();
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const left = Math.max(0, ((seen.x - bounds.x) / bounds.width) * width);
    const top = Math.max(0, ((seen.y - bounds.y) / bounds.height) * height);
    const right = Math.min(width, ((seen.x + seen.width - bounds.x) / bounds.width) * width);
    const bottom = Math.min(height, ((seen.y + seen.height - bounds.y) / bounds.height) * height);
    frame.style.left = `${Math.min(left, width - 4)}px`;
    frame.style.top = `${Math.min(top, height - 4)}px`;
    frame.style.width = `${Math.max(4, right - left)}px`;
    frame.style.height = `${Math.max(4, bottom - top)}px`;
  };

  const go = (event: PointerEvent): void => {
    const { bounds } = view.scene!;
    const area = canvas.getBoundingClientRect();
    const x = bounds.x + ((event.clientX - area.left) / width) * bounds.width;
    const y = bounds.y + ((event.clientY - area.top) / height) * bounds.height;
    const { scale } = stage.camera;
    stage.setCamera({ scale, x: stage.width / 2 - x * scale, y: stage.height / 2 - y * scale });
  };
  node.addEventListener('pointerdown', (event) => {
    node.setPointerCapture?.(event.pointerId);
    go(event);
  });
  node.addEventListener('pointermove', (event) => {
    if (event.buttons !== 0) {
      go(event);
    }
  });
  events.on('camera', update);
  events.on('scene', update);
  events.on('theme', () => {
    drawn = null;
    update();
  });
  keys.bind({
    keys: ['o'],
    help: ['o', toolStrings.helpMinimap()],
    run() {
      wanted = !wanted;
      update();
    },
  });
  keys.bind({
    keys: ['b'],
    help: ['b', toolStrings.helpEdgeWidth()],
    run() {
      const thick = !stage.marks.widthBySize;
      stage.mark({ widthBySize: thick });
      view.notify(thick ? toolStrings.edgeWidthByBytes() : toolStrings.edgeWidthEqual());
    },
  });
}
