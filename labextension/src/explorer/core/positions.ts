/** Where elements are drawn on the page, and what lies under a point of it. */

import type { Element } from '../../model/hierarchy';
import { elementNamed } from '../../model/link';
import type { Box } from '../canvas/camera';
import { boxOf, contains, HEADER, hit, indexOf, toggleBox, type Scene } from '../canvas/scene';
import type { Stage } from '../canvas/stage';
import type { View } from './view';

/** Also reachable as `host.tracelab.positionOf(...)`. */
export interface Position {
  x: number;
  y: number;
  /** The square that opens and closes a group. */
  toggle?: { x: number; y: number };
}

export function positionOf(view: View, what: number | string): Position | null {
  const { graph, scene, stage, tree } = view;
  const at = graph === null ? -1 : elementNamed(graph, what);
  const index = scene === null || at < 0 ? -1 : indexOf(scene, at);
  if (scene === null || index < 0) {
    return null;
  }
  const bounds = tree.node.getBoundingClientRect();
  const { camera } = stage;
  const place = (box: Box): { x: number; y: number } => ({
    x: bounds.left + (box.x + box.width / 2) * camera.scale + camera.x,
    y: bounds.top + (box.y + box.height / 2) * camera.scale + camera.y,
  });
  const open = scene.visible.kinds[index] === 'open';
  const group = open || scene.visible.kinds[index] === 'closed';
  const area = boxOf(scene, index);
  // An open group answers to clicks by its header.
  const center = place(open ? { ...area, height: 32 } : area);
  return group ? { ...center, toggle: place(toggleBox(scene, index)) } : center;
}

/** The element whose box lies nearest to the middle of the screen; -1 where there is none. */
export function middleElement(scene: Scene, { camera, width, height }: Stage): Element {
  const x = (width / 2 - camera.x) / camera.scale;
  const y = (height / 2 - camera.y) / camera.scale;
  let nearest = -1;
  let least = Infinity;
  for (let index = 0; index < scene.x.length; index++) {
    const away =
      Math.abs(scene.x[index] + scene.width[index] / 2 - x) +
      Math.abs(scene.y[index] + scene.height[index] / 2 - y);
    if (scene.visible.kinds[index] !== 'open' && away < least) {
      [nearest, least] = [index, away];
    }
  }
  return scene.visible.elements[nearest] ?? -1;
}

export interface HitTest {
  index: number;
  /** On the square that opens and closes the group. */
  onToggle: boolean;
  /** Inside an open group but not on its header: ground, not a thing. */
  isBackground: boolean;
}

/** What lies under a point of the picture, in CSS pixels. */
export function hitTest(view: View, x: number, y: number): HitTest {
  const { scene, stage } = view;
  if (scene === null) {
    return { index: -1, onToggle: false, isBackground: false };
  }
  const { camera } = stage;
  const worldX = (x - camera.x) / camera.scale;
  const worldY = (y - camera.y) / camera.scale;
  const index = hit(scene, worldX, worldY);
  const kind = index < 0 ? 'op' : scene.visible.kinds[index];
  const onToggle =
    (kind === 'open' || kind === 'closed') && contains(toggleBox(scene, index), worldX, worldY);
  return { index, onToggle, isBackground: kind === 'open' && worldY > scene.y[index] + HEADER };
}
