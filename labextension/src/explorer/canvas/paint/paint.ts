/** What every part of the drawing is told, and the few shapes that they share. */

import { bundleOf } from '../../../model/bundles';
import { scopeOf, type Hierarchy } from '../../../model/hierarchy';
import type { BoxKind } from '../../../model/visible';
import type { Box, Camera } from '../camera';
import type { DrawingContext } from './svgcontext';
import { boxOf, type Measure, type Scene } from '../scene';
import type { Theme } from '../../ui/theme';

export interface Paint {
  context: DrawingContext;
  h: Hierarchy;
  scene: Scene;
  theme: Theme;
  camera: Camera;
  width: number;
  height: number;
  /** Device pixels per CSS pixel. */
  density: number;
  selected: number;
  hovered: number;
  focused: boolean;
  matches: ReadonlySet<number>;
  /** The highlighted elements; all others are dimmed. Null: no highlight. */
  highlighted: ReadonlySet<number> | null;
  /** Edge width by tensor size. */
  widthBySize: boolean;
  /** On paper: no ground, nothing to press, no warnings. */
  isPrint: boolean;
  measure: Measure;
  /** Boxes on their way to their places: 0 at the start, 1 when there. */
  progress: number;
  /** Where boxes came from. */
  before: (index: number) => Box | null;
  /** Drawn over the boxes, in order. */
  layers: readonly Layer[];
}

export type Placed = readonly [index: number, box: Box];

/** Draws over the picture, in its own coordinates; `boxes` are those in view, with their places now. */
export type Layer = (paint: Paint, boxes: readonly Placed[]) => void;

/** Opacity of what is not highlighted. */
export const DIMMED = 0.22;
export const CORNER = 9;

/** Zoom levels below which boxes have no text, no second line; edges no arrowheads, no labels. */
export const TEXT_FROM = 0.36;
export const DETAIL_FROM = 0.5;
export const ARROWS_FROM = 0.3;
export const LABELS_FROM = 0.85;
/** Below this, boxes are specks: what stands together is drawn as one block. */
export const BLOCKS_BELOW = 0.03;

export const isDimmed = (paint: Paint, index: number): boolean =>
  paint.highlighted !== null &&
  paint.scene.visible.kinds[index] !== 'open' &&
  !paint.highlighted.has(paint.scene.visible.elements[index]);

export function roundedBox(context: DrawingContext, box: Box, radius: number): void {
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, Math.min(radius, box.height / 2, box.width / 2));
}

export function overlaps(box: Box, view: Box): boolean {
  return (
    box.x < view.x + view.width &&
    box.x + box.width > view.x &&
    box.y < view.y + view.height &&
    box.y + box.height > view.y
  );
}

/** Where a box is now: on its way, or there. */
export function currentBox(paint: Paint, index: number): Box {
  const box = boxOf(paint.scene, index);
  const from = paint.progress >= 1 ? null : paint.before(index);
  if (from === null) {
    return box;
  }
  const mix = (a: number, b: number): number => a + (b - a) * paint.progress;
  return {
    x: mix(from.x, box.x),
    y: mix(from.y, box.y),
    width: mix(from.width, box.width),
    height: mix(from.height, box.height),
  };
}

export interface BoxStyle {
  fill: string;
  border: string;
  radius: number;
  /** Of a function, which is no module: its border is dashed. */
  dashed?: boolean;
}

export type Look = BoxKind | 'function' | 'openFunction' | 'unused';

/** What a box looks like: several outputs in one box look like an output. */
export function lookOf(h: Hierarchy, scene: Scene, index: number): Look {
  const kind = scene.visible.kinds[index];
  if (kind !== 'closed' && kind !== 'open') {
    return kind;
  }
  const scope = scopeOf(h, scene.visible.elements[index]);
  const bundle = bundleOf(h, scope)?.kind;
  if (kind === 'open' || bundle === undefined) {
    return h.isFunction[scope] ? (kind === 'open' ? 'openFunction' : 'function') : kind;
  }
  return bundle === 'inputs' ? 'input' : bundle === 'outputs' ? 'output' : 'unused';
}

export function boxStyleOf({ h, scene, theme }: Paint, index: number): BoxStyle {
  const look = lookOf(h, scene, index);
  switch (look) {
    case 'open':
    case 'openFunction':
      return {
        fill: theme.depths[Math.min(scene.depth[index], theme.depths.length - 1)],
        border: theme.groupBorder,
        radius: CORNER + 3,
        dashed: look === 'openFunction',
      };
    case 'closed':
      return { fill: theme.closed, border: theme.closedBorder, radius: CORNER };
    case 'function':
      return { fill: theme.closed, border: theme.closedBorder, radius: 2 * CORNER, dashed: true };
    case 'unused':
      return { fill: theme.background, border: theme.groupBorder, radius: CORNER, dashed: true };
    case 'input':
      return { fill: theme.input, border: theme.inputBorder, radius: 99 };
    case 'output':
      return { fill: theme.output, border: theme.outputBorder, radius: 99 };
    default:
      return { fill: theme.box, border: theme.boxBorder, radius: CORNER - 2 };
  }
}
