import { describe, expect, it } from 'vitest';
import { buildScene, holdAbove, layoutInput, toggleBox, type Scene } from '../src/explorer/scene';
import { layout } from '../src/layout/layout';
import { buildHierarchy, groupElement, type Hierarchy } from '../src/model/hierarchy';
import { closeScope, openScope } from '../src/model/opening';
import { visibleFor } from '../src/model/visible';
import { gpt, resnet18 } from './fixtures/models';

const measure = (text: string): number => text.length * 7;

function sceneOf(h: Hierarchy, opened: ReadonlySet<number>, old?: Scene, anchor = -1): Scene {
  const visible = visibleFor(h, opened);
  const { input, labels } = layoutInput(h, visible, measure, 'any');
  const hold = old === undefined ? undefined : holdAbove(old, visible, anchor);
  return buildScene(visible, labels, input, layout(hold === undefined ? input : { ...input, hold }));
}

/** How far the boxes above a group move on the screen when it opens: its axis and its upper edge stay. */
function moved(h: Hierarchy, opened: ReadonlySet<number>, scope: number): number[] {
  const before = sceneOf(h, opened);
  const group = groupElement(h, scope);
  const after = sceneOf(h, openScope(h, opened, scope), before, group);
  const from = before.visible.indexOf.get(group)!;
  const now = after.visible.indexOf.get(group)!;
  const found: number[] = [];
  before.visible.elements.forEach((element, index) => {
    const to = after.visible.indexOf.get(element)!;
    if (before.y[index] + before.height[index] <= before.y[from] && before.visible.kinds[index] !== 'open') {
      const dx = after.x[to] - after.axis[now] - (before.x[index] - before.axis[from]);
      const dy = after.y[to] - after.y[now] - (before.y[index] - before.y[from]);
      found.push(Math.max(Math.abs(dx), Math.abs(dy)));
    }
  });
  return found;
}

describe('opening a group', () => {
  it.each([
    ['ResNet-18', resnet18()],
    ['GPT', gpt()],
  ])('moves nothing above it in %s', (_, document) => {
    const h = buildHierarchy(document);
    const top = new Set<number>();
    for (let scope = 1; scope < h.scopes; scope++) {
      if (h.folded[scope] || h.parent[groupElement(h, scope)] !== 0) {
        continue;
      }
      expect(Math.max(0, ...moved(h, top, scope))).toBeLessThanOrEqual(1);
    }
  });

  it('moves nothing above it inside an open group', () => {
    const h = buildHierarchy(gpt());
    const outer = h.paths.indexOf('transformer');
    const opened = openScope(h, new Set(), outer);
    for (const path of ['transformer.h.0', 'transformer.h.5', 'transformer.h.11']) {
      expect(Math.max(0, ...moved(h, opened, h.paths.indexOf(path)))).toBeLessThanOrEqual(1);
    }
  });

  it('keeps its square under the pointer', () => {
    const h = buildHierarchy(resnet18());
    const scope = h.paths.indexOf('layer2');
    const group = groupElement(h, scope);
    const before = sceneOf(h, new Set());
    const after = sceneOf(h, openScope(h, new Set(), scope), before, group);
    const [from, to] = [before, after].map((scene) => scene.visible.indexOf.get(group)!);
    const was = toggleBox(before, from);
    const is = toggleBox(after, to);
    expect(Math.abs(is.x - after.axis[to] - (was.x - before.axis[from]))).toBeLessThanOrEqual(1);
    expect(Math.abs(is.y - after.y[to] - (was.y - before.y[from]))).toBeLessThan(is.height / 2);
  });

  it('and closing it again gives the picture there was', () => {
    const h = buildHierarchy(gpt());
    const opened = openScope(h, new Set(), h.paths.indexOf('transformer'));
    const scope = h.paths.indexOf('transformer.h.3');
    const again = closeScope(h, openScope(h, opened, scope), scope);
    expect(sceneOf(h, again)).toEqual(sceneOf(h, opened));
  });
});
