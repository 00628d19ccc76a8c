/** Moving through the graph by keys: which box is next; and handing keys to whoever bound them. */

import * as strings from '../../../i18n/strings';
import type { Scene } from '../../canvas/scene';
import type { View } from '../../core/view';

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The first edge in trace order leads along the main path. */
function along(scene: Scene, from: number, down: boolean): number {
  const edges = down ? scene.outgoing[from] : scene.incoming[from];
  let best = -1;
  for (const edge of edges) {
    const { source, target } = scene.visible.edges[edge];
    const other = down ? target : source;
    if (best < 0 || (down ? other < best : other > best)) {
      best = other;
    }
  }
  return best;
}

function beside(scene: Scene, from: number, forward: boolean): number {
  const turned = scene.flow === 'right';
  const [x, width] = turned ? [scene.y, scene.height] : [scene.x, scene.width];
  const [y, height] = turned ? [scene.x, scene.width] : [scene.y, scene.height];
  const middleX = x[from] + width[from] / 2;
  const middleY = y[from] + height[from] / 2;
  let best = -1;
  let least = Infinity;
  for (let index = 0; index < x.length; index++) {
    if (index === from || scene.visible.parents[index] !== scene.visible.parents[from]) {
      continue;
    }
    const dx = (x[index] + width[index] / 2 - middleX) * (forward ? 1 : -1);
    const top = y[index];
    const dy = middleY < top ? top - middleY : Math.max(0, middleY - top - height[index]);
    if (dx > 4 && dy < 40 && dx + 3 * dy < least) {
      least = dx + 3 * dy;
      best = index;
    }
  }
  return best;
}

/** The box to select next; the same one where there is none. Without a selection, the first. */
export function neighbor(scene: Scene, from: number, direction: Direction): number {
  const count = scene.x.length;
  if (count === 0 || from < 0) {
    return count === 0 ? -1 : 0;
  }
  // Along the flow the keys follow lines, across it they step to the box beside.
  const isAlong = (direction === 'left' || direction === 'right') === (scene.flow === 'right');
  const forward = direction === 'right' || direction === 'down';
  if (!isAlong) {
    const found = beside(scene, from, forward);
    return found >= 0 ? found : from;
  }
  const down = forward;
  // Forward enters an open group; its first box stands right after it.
  if (down && scene.visible.kinds[from] === 'open' && scene.visible.parents[from + 1] === from) {
    return from + 1;
  }
  const found = along(scene, from, down);
  if (found >= 0) {
    return found;
  }
  return Math.max(0, Math.min(count - 1, from + (down ? 1 : -1)));
}

const ARROWS: [string, Direction][] = [
  ['ArrowUp', 'up'],
  ['ArrowDown', 'down'],
  ['ArrowLeft', 'left'],
  ['ArrowRight', 'right'],
];

export function keyboardFeature(view: View): void {
  const { keys, stage, tree } = view;
  const step = (index: number): void => {
    if (view.scene !== null && index >= 0) {
      view.select(view.scene.visible.elements[index]);
      stage.reveal(index);
    }
  };
  for (const [key, direction] of ARROWS) {
    keys.bind({
      keys: [key],
      run: () => step(view.scene === null ? -1 : neighbor(view.scene, view.selectedIndex, direction)),
      ...(direction === 'up' ? { help: ['↑ ↓', strings.helpAlongEdges()] } : {}),
      ...(direction === 'left' ? { help: ['← →', strings.helpBeside()] } : {}),
    });
  }
  keys.bind({
    keys: ['Shift+ArrowDown'],
    help: ['Shift ↑ ↓', strings.helpPorts()],
    run: () => void tree.stepPort(true),
  });
  keys.bind({ keys: ['Shift+ArrowUp'], run: () => void tree.stepPort(false) });
  keys.bind({ keys: ['Home'], help: ['Home  End', strings.helpFirstLast()], run: () => step(0) });
  keys.bind({ keys: ['End'], run: () => step((view.scene?.x.length ?? 0) - 1) });
  view.frame.root.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) {
      return;
    }
    // What is typed into a field is text.
    const typing = event.target instanceof HTMLInputElement && event.key !== 'Escape';
    if (!typing && keys.press(event, event.target === tree.node)) {
      event.preventDefault();
    }
    event.stopPropagation();
  });
  tree.node.addEventListener('focus', () => stage.mark({ focused: tree.node.matches(':focus-visible') }));
  tree.node.addEventListener('blur', () => stage.mark({ focused: false }));
  tree.node.addEventListener('keydown', () => stage.mark({ focused: true }));
}
