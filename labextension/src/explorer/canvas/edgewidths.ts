/** The width of edges: all equal, or by the size of the tensors that flow along them. */

import { isTensor } from '../../model/describe';
import { bytesOf } from '../../model/elementdetails';
import type { Hierarchy } from '../../model/hierarchy';
import type { Scene } from './scene';

/** One class of lines that are stroked together. */
export interface EdgeWidth {
  width: number;
  dashed: boolean;
}

const PLAIN = 1.4;
const THIN = 1.05;
/** Widths for up to a kilobyte, 32 KB, a megabyte, 32 MB, and more. */
const STEPS = [0.8, 1.4, 2.4, 3.8, 5.6];

/** Every class of edge; `edgeWidthsOf` gives indices into it. */
export const EDGE_WIDTHS: readonly EdgeWidth[] = [
  { width: PLAIN, dashed: false },
  { width: THIN, dashed: true },
  ...STEPS.map((width) => ({ width, dashed: false })),
];

const made = new WeakMap<Scene, { plain: Uint8Array; sized: Uint8Array }>();

/** For each box, the index in `EDGE_WIDTHS` of the edges that leave it. */
export function edgeWidthsOf(h: Hierarchy, scene: Scene, byBytes: boolean): Uint8Array {
  let found = made.get(scene);
  if (found === undefined) {
    const plain = new Uint8Array(scene.x.length);
    const sized = new Uint8Array(scene.x.length);
    for (const { source, values } of scene.visible.edges) {
      plain[source] = isTensor(h.document, values[0]) ? 0 : 1;
      const bytes = Math.max(...values.map((value) => bytesOf(h, value)));
      const step = Math.max(0, Math.min(STEPS.length - 1, Math.ceil(Math.log2(bytes / 1024 || 1e-9) / 5)));
      sized[source] = plain[source] === 1 ? 1 : Math.max(sized[source], 2 + step);
    }
    found = { plain, sized };
    made.set(scene, found);
  }
  return byBytes ? found.sized : found.plain;
}
