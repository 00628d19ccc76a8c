/** How far boxes move on the screen when a group is opened or closed: for tests and the benchmark. */

import {
  buildScene,
  anchorsAbove,
  layoutInput,
  toggleBox,
  wrapIn,
  type Scene,
} from '../../src/explorer/canvas/scene';
import { createCache } from '../../src/layout/cache';
import { layout } from '../../src/layout/layout';
import type { Flow } from '../../src/layout/types';
import type { Element, Hierarchy } from '../../src/model/hierarchy';
import { visibleFor } from '../../src/model/visible';

const measure = (text: string): number => text.length * 7;

export function sceneOf(
  h: Hierarchy,
  opened: ReadonlySet<number>,
  old?: Scene,
  anchor = -1,
  cache = createCache(),
  flow: Flow = 'down',
): Scene {
  const visible = visibleFor(h, opened);
  const wrap =
    flow !== 'columns' ? undefined : old?.columns ? wrapIn(visible, old.columns) : { group: -1, columns: 3 };
  const { input, labels } = layoutInput(h, visible, measure, 'any', false, flow, wrap);
  const hold = old === undefined ? undefined : anchorsAbove(old, visible, anchor);
  return buildScene(
    visible,
    labels,
    input,
    layout(hold === undefined ? input : { ...input, anchors: hold }, cache),
  );
}

export interface Moved {
  /** The furthest that anything above moved, in x or y. */
  above: number;
  /** The same for what stands above, but beside one of the groups around: it may be pushed aside, in x. */
  beside: number;
  /** How far the square that was clicked moved away. */
  toggle: number;
  what: string;
}

/** A picture as if it ran down: from left to right, mirrored at its diagonal; of columns, the one that is cut. */
function down(scene: Scene): Pick<Scene, 'x' | 'y' | 'width' | 'height' | 'axis'> {
  const { x, y, axis } = scene.unwrapped ?? scene;
  const { width, height } = scene;
  return scene.flow === 'right'
    ? { x: y, y: x, width: height, height: width, axis }
    : { x, y, width, height, axis };
}

export function moved(one: Scene, other: Scene, group: Element): Moved {
  const [before, after] = [down(one), down(other)];
  const from = one.visible.indexOf.get(group)!;
  const now = other.visible.indexOf.get(group)!;
  const found: Moved = { above: 0, beside: 0, toggle: 0, what: '' };
  const outer: number[] = [];
  for (let at = one.visible.parents[from]; at >= 0; at = one.visible.parents[at]) {
    outer.push(at);
  }
  one.visible.elements.forEach((element, index) => {
    const to = other.visible.indexOf.get(element);
    if (to === undefined || before.y[index] + before.height[index] > before.y[from] + 0.01) {
      return;
    }
    const dx = Math.abs(after.x[to] - after.axis[now] - (before.x[index] - before.axis[from]));
    const dy = Math.abs(after.y[to] - after.y[now] - (before.y[index] - before.y[from]));
    // Beside a surrounding group, or inside such a box.
    const beside = outer.some((around) => {
      const bottom = before.y[index] + before.height[index];
      const inside =
        before.x[index] >= before.x[around] &&
        before.x[index] + before.width[index] <= before.x[around] + before.width[around];
      return !inside && bottom > before.y[around] + 0.01;
    });
    const above = beside ? dy : Math.max(dx, dy);
    if (above > found.above) {
      found.above = above;
      found.what = `${one.labels[index].title} ${one.visible.kinds[index]} dx ${dx.toFixed(0)} dy ${dy.toFixed(0)}`;
    }
    found.beside = Math.max(found.beside, beside ? dx : 0);
  });
  const was = toggleBox(one, from);
  const is = toggleBox(other, now);
  const toRight = one.flow === 'right';
  const dx = Math.abs(
    is.x - was.x - (toRight ? other.x[now] - one.x[from] : other.axis[now] - one.axis[from]),
  );
  const dy = Math.abs(
    is.y - was.y - (toRight ? other.axis[now] - one.axis[from] : other.y[now] - one.y[from]),
  );
  found.toggle = Math.max(0, dx - is.width / 2, dy - is.height / 2);
  return found;
}
