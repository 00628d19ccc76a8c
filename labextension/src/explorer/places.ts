/** Where things are drawn on the page, for tests and automation. */

import { elementNamed } from '../model/link';
import type { Box } from './camera';
import { boxOf, indexOf, toggleBox } from './scene';
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
  const centre = place(open ? { ...area, height: 32 } : area);
  return group ? { ...centre, toggle: place(toggleBox(scene, index)) } : centre;
}
