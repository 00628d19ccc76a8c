/** The canvas with its camera: paints when something changed, at most once a frame. */

import type { Hierarchy } from '../../model/hierarchy';
import {
  bringIntoView,
  clampScale,
  firstView,
  fit,
  visibleWorld,
  zoomAt,
  type Box,
  type Camera,
} from './camera';
import { element } from '../ui/dom';
import { paintScene } from './paint/draw';
import { overlaps, type Layer, type Paint } from './paint/paint';
import type { DrawingContext } from './paint/svgcontext';
import { boxOf, type Measure, type Scene } from './scene';
import type { Theme } from '../ui/theme';

const ANIMATION_MS = 200;
/** In this time a gliding zoom goes two thirds of the way that is left. */
const GLIDE_MS = 40;
/** Scales as near as this, as a logarithm, are the same. */
const GLIDE_END = 0.002;
/** More boxes than this are put in place at once: moving them would stutter. */
const MOST_MOVING = 1500;

export interface StageState {
  selected: number;
  hovered: number;
  focused: boolean;
  /** Elements, not places in the scene: they outlive it. */
  matches: ReadonlySet<number>;
  highlighted: ReadonlySet<number> | null;
  /** Edge width by tensor size. */
  widthBySize: boolean;
}

export interface Stage {
  node: HTMLElement;
  readonly camera: Camera;
  readonly width: number;
  readonly height: number;
  /** Puts up a new picture; `before` says where its boxes come from. */
  show(h: Hierarchy, scene: Scene, before: (index: number) => Box | null): void;
  setTheme(theme: Theme): void;
  setCamera(camera: Camera): void;
  pan(dx: number, dy: number): void;
  /** About a point, at once or gliding: the steps of a wheel are large. */
  zoom(factor: number, x?: number, y?: number, glide?: boolean): void;
  fit(): void;
  first(): void;
  reveal(index: number): void;
  /** Whether a box is in view, at least in part. */
  shows(index: number): boolean;
  readonly marks: Readonly<StageState>;
  mark(marks: Partial<StageState>): void;
  /** Draws the picture on something else, as if it were looked at through that camera; `other` is not as on the screen. */
  paintOn(
    target: DrawingContext,
    camera: Camera,
    width: number,
    height: number,
    density: number,
    other?: Partial<Paint>,
  ): void;
  /** Adds something that is drawn over the boxes. */
  addLayer(layer: Layer): void;
  /** What a layer draws has changed. */
  repaint(): void;
  resize(): boolean;
  destroy(): void;
}

export function createStage(measure: Measure, onCamera: (camera: Camera) => void): Stage {
  const canvas = element('canvas', { attributes: { 'aria-hidden': 'true' } });
  const node = element('div', { class: 'stage' }, canvas);
  const context = canvas.getContext?.('2d') ?? null;
  const calm = window.matchMedia?.('(prefers-reduced-motion: reduce)');
  let h: Hierarchy | null = null;
  let scene: Scene | null = null;
  let theme: Theme | null = null;
  let camera: Camera = { x: 0, y: 0, scale: 1 };
  let width = 0;
  let height = 0;
  let frame = 0;
  let start = -1;
  /** The scale to which the picture glides, about which point, and when it last moved. */
  let glide: { scale: number; x: number; y: number; at: number } | null = null;
  let from: (index: number) => Box | null = () => null;
  const marks: StageState = {
    selected: -1,
    hovered: -1,
    focused: false,
    matches: new Set(),
    highlighted: null,
    widthBySize: false,
  };
  const layers: Layer[] = [];

  const paint = (): void => {
    frame = 0;
    glideOn();
    if (h === null || scene === null || theme === null || context === null || width === 0) {
      return;
    }
    const t = start < 0 ? 1 : Math.min(1, (performance.now() - start) / ANIMATION_MS);
    if (t >= 1) {
      start = -1;
    }
    paintScene({
      context,
      h,
      scene,
      theme,
      camera,
      width,
      height,
      density: window.devicePixelRatio || 1,
      measure,
      ...marks,
      // Ease out.
      progress: 1 - (1 - t) ** 3,
      before: from,
      isPrint: false,
      layers,
    });
    if (start >= 0) {
      request();
    }
  };
  const request = (): void => {
    if (frame === 0) {
      frame = requestAnimationFrame(paint);
    }
  };
  const move = (to: Camera): void => {
    glide = null;
    camera = to;
    onCamera(camera);
    request();
  };

  /** The next part of the way, in proportion to what is left and to the time that has passed. */
  function glideOn(): void {
    if (glide === null) {
      return;
    }
    const { scale, x, y } = glide;
    const now = performance.now();
    const left = scale / camera.scale;
    const arrives = Math.abs(Math.log(left)) < GLIDE_END;
    const part = arrives ? 1 : 1 - Math.exp(-(now - glide.at) / GLIDE_MS);
    const still = arrives ? null : { ...glide, at: now };
    move(zoomAt(camera, left ** part, x, y));
    glide = still;
  }

  return {
    node,
    get camera() {
      return camera;
    },
    get width() {
      return width;
    },
    get height() {
      return height;
    },
    show(newHierarchy, newScene, before) {
      h = newHierarchy;
      scene = newScene;
      from = before;
      const still = calm?.matches || newScene.x.length > MOST_MOVING;
      start = still ? -1 : performance.now();
      request();
    },
    setTheme(newTheme) {
      theme = newTheme;
      request();
    },
    setCamera: move,
    pan(dx, dy) {
      move({ ...camera, x: camera.x + dx, y: camera.y + dy });
    },
    zoom(factor, x = width / 2, y = height / 2, gliding = false) {
      if (!gliding || calm?.matches) {
        move(zoomAt(camera, factor, x, y));
        return;
      }
      const { scale, at } = glide ?? { scale: camera.scale, at: performance.now() };
      glide = { scale: clampScale(scale * factor), x, y, at };
      request();
    },
    fit() {
      if (scene !== null) {
        move(fit(scene.bounds, width, height));
      }
    },
    first() {
      if (scene !== null) {
        const first = scene.x.length > 0 ? boxOf(scene, 0) : scene.bounds;
        move(firstView(scene.bounds, first, width, height, scene.flow));
      }
    },
    reveal(index) {
      if (scene !== null && index >= 0) {
        move(bringIntoView(camera, boxOf(scene, index), width, height));
      }
    },
    shows: (index) =>
      scene !== null && index >= 0 && overlaps(boxOf(scene, index), visibleWorld(camera, width, height)),
    marks,
    mark(changed) {
      Object.assign(marks, changed);
      request();
    },
    paintOn(target, through, w, tall, density, other) {
      if (h !== null && scene !== null && theme !== null) {
        paintScene({
          context: target,
          h,
          scene,
          theme,
          camera: through,
          width: w,
          height: tall,
          density,
          measure,
          ...marks,
          focused: false,
          hovered: -1,
          progress: 1,
          before: () => null,
          isPrint: false,
          layers,
          ...other,
        });
      }
    },
    addLayer(layer) {
      layers.push(layer);
    },
    repaint: request,
    resize() {
      const density = window.devicePixelRatio || 1;
      const changed = node.clientWidth !== width || node.clientHeight !== height;
      width = node.clientWidth;
      height = node.clientHeight;
      const [w, tall] = [Math.round(width * density), Math.round(height * density)];
      if (canvas.width !== w || canvas.height !== tall) {
        canvas.width = w;
        canvas.height = tall;
        // A resized canvas is blank: paint now, or it flickers.
        paint();
      }
      return changed;
    },
    destroy() {
      cancelAnimationFrame(frame);
      scene = null;
    },
  };
}
