// @vitest-environment happy-dom
import { beforeEach, describe, expect, it } from 'vitest';
import { firstView } from '../../src/explorer/canvas/camera';
import {
  anchorsAbove,
  buildScene,
  createMeasure,
  layoutInput,
  toggleBox,
  wrapIn,
  type Scene,
} from '../../src/explorer/canvas/scene';
import { edgeGeometryOf } from '../../src/explorer/canvas/edgegeometry';
import { transitionBetween } from '../../src/explorer/canvas/transition';
import { flowThatFits } from '../../src/explorer/core/firstpicture';
import { rememberedFlow, rememberFlow } from '../../src/explorer/core/remembered';
import { neighbor } from '../../src/explorer/features/input/keyboard';
import { layout } from '../../src/layout/layout';
import type { Flow, Wrap } from '../../src/layout/types';
import { buildHierarchy, groupElement, scopeOf, type Hierarchy } from '../../src/model/hierarchy';
import { openScope } from '../../src/model/openstate';
import { visibleFor, type Visible } from '../../src/model/visible';
import { resnet18 } from '../fixtures/models';

function sceneOf(h: Hierarchy, opened: ReadonlySet<number>, old?: Scene, anchor = -1): Scene {
  const visible = visibleFor(h, opened);
  const { input, labels } = layoutInput(h, visible, createMeasure(), 'any', false, 'right');
  const anchors = old === undefined ? undefined : anchorsAbove(old, visible, anchor);
  return buildScene(visible, labels, input, layout(anchors === undefined ? input : { ...input, anchors }));
}

describe('a picture from left to right', () => {
  const h = buildHierarchy(resnet18());
  const closed = sceneOf(h, new Set());
  const groups = closed.visible.kinds.flatMap((kind, at) => (kind === 'closed' ? [at] : []));

  it('is wider than high where the same from top to bottom is higher than wide', () => {
    expect(groups.length).toBeGreaterThan(1);
    expect(closed.bounds.width).toBeGreaterThan(closed.bounds.height);
  });

  it.each(groups)('keeps all that is before group %i in place when it opens', (at) => {
    const group = closed.visible.elements[at];
    const next = sceneOf(h, openScope(h, new Set(), scopeOf(h, group)), closed, group);
    const { x, y } = transitionBetween(closed, next, group);
    closed.visible.elements.forEach((element, index) => {
      if (closed.x[index] + closed.width[index] <= closed.x[at]) {
        const to = next.visible.indexOf.get(element)!;
        expect(next.x[to] + x).toBeCloseTo(closed.x[index], 5);
        expect(next.y[to] + y).toBeCloseTo(closed.y[index], 5);
      }
    });
    expect(next.x[next.visible.indexOf.get(groupElement(h, scopeOf(h, group)))!] + x).toBeCloseTo(
      closed.x[at],
      5,
    );
  });

  it.each(groups)('keeps the square of group %i under the pointer when it opens', (at) => {
    const group = closed.visible.elements[at];
    const next = sceneOf(h, openScope(h, new Set(), scopeOf(h, group)), closed, group);
    const { x, y } = transitionBetween(closed, next, group);
    const [from, to] = [toggleBox(closed, at), toggleBox(next, next.visible.indexOf.get(group)!)];
    expect(to.x + x).toBeCloseTo(from.x, 5);
    expect(to.y + y).toBeCloseTo(from.y, 5);
  });

  it('is walked by the keys as it is seen', () => {
    const [source, target] = [closed.visible.edges[0].source, closed.visible.edges[0].target];
    expect(neighbor(closed, source, 'right')).toBe(target);
    expect(neighbor(closed, target, 'left')).toBe(source);
  });

  it('has arrowheads at the left borders of boxes', () => {
    const { heads } = edgeGeometryOf(closed);
    const lefts = closed.x.map((x) => x.toFixed(2));
    for (let head = 0; head < heads.length; head += 2) {
      expect(lefts).toContain(heads[head].toFixed(2));
    }
  });

  it('is looked at from its left end where it is too long', () => {
    const bounds = { x: 0, y: 0, width: 9000, height: 100 };
    const { x, scale } = firstView(bounds, { x: 0, y: 30, width: 80, height: 40 }, 1200, 600, 'right');
    expect(x).toBeGreaterThan(0);
    expect(x).toBeLessThan(60);
    expect(scale).toBeGreaterThan(0.55);
  });
});

describe('a picture in columns', () => {
  const h = buildHierarchy(resnet18());
  const drawn = (opened: ReadonlySet<number>, wrapOf: (visible: Visible) => Wrap, anchor = -1): Scene => {
    const visible = visibleFor(h, opened);
    const { input, labels } = layoutInput(
      h,
      visible,
      createMeasure(),
      'any',
      false,
      'columns',
      wrapOf(visible),
    );
    const anchors = anchor < 0 ? undefined : anchorsAbove(closed, visible, anchor);
    return buildScene(visible, labels, input, layout(anchors === undefined ? input : { ...input, anchors }));
  };
  const closed = drawn(new Set(), () => ({ group: -1, columns: 3 }));
  const groups = closed.visible.kinds.flatMap((kind, at) => (kind === 'closed' ? [at] : []));

  /** The picture in which one of them is open, and how far it lies from the one before. */
  const opening = (at: number) => {
    const group = closed.visible.elements[at];
    const next = drawn(
      openScope(h, new Set(), scopeOf(h, group)),
      (visible) => wrapIn(visible, closed.columns!),
      group,
    );
    return { group, next, ...transitionBetween(closed, next, group) };
  };

  it('is less high than the same in one column', () => {
    expect(closed.columns!.breaks).toHaveLength(2);
    expect(closed.bounds.height).toBeLessThan(
      drawn(new Set(), () => ({ group: -1, columns: 1 })).bounds.height / 2,
    );
  });

  it.each(groups)('keeps its columns, and what stands above group %i, when it opens', (at) => {
    const { next, x, y } = opening(at);
    expect(next.columns).toEqual(closed.columns);
    closed.visible.elements.forEach((element, index) => {
      const isAbove =
        closed.y[index] + closed.height[index] <= closed.y[at] &&
        Math.abs(closed.axis[index] - closed.axis[at]) < closed.width[at];
      if (isAbove) {
        const to = next.visible.indexOf.get(element)!;
        expect(next.x[to] + x).toBeCloseTo(closed.x[index], 5);
        expect(next.y[to] + y).toBeCloseTo(closed.y[index], 5);
      }
    });
  });

  it.each(groups)('keeps the square of group %i under the pointer when it opens', (at) => {
    const { group, next, x, y } = opening(at);
    const [from, to] = [toggleBox(closed, at), toggleBox(next, next.visible.indexOf.get(group)!)];
    expect(Math.abs(to.x + x - from.x)).toBeLessThan(1);
    // In the header, which is lower than the closed box.
    expect(Math.abs(to.y + y - from.y)).toBeLessThan(8);
  });
});

describe('the flow that fits', () => {
  /** A chain, of which columns are as high as they hold boxes. */
  const drawn =
    (count: number) =>
    (flow: Flow, { columns }: { columns: number } = { columns: 1 }) => {
      const rows = Math.ceil(count / columns);
      const [width, height] = flow === 'right' ? [150 * count, 60] : [170 * columns, 70 * rows];
      const visible = { parents: [], kinds: [], elements: [] as number[] };
      return { bounds: { x: 0, y: 0, width, height }, visible } as unknown as Scene;
    };
  const fitting = (width: number, height: number, count: number, chosen: Flow | null = null) =>
    flowThatFits({ width, height }, drawn(count), count, chosen);

  it('is down where all can be read so', () => {
    expect(fitting(1200, 560, 8).flow).toBe('down');
  });

  it('is to the right where a wide canvas shows all of a chain so', () => {
    expect(fitting(1800, 220, 12).flow).toBe('right');
  });

  it('is in columns where they show all of a long chain', () => {
    expect(fitting(1200, 560, 24)).toMatchObject({ flow: 'columns', group: -1, columns: 4 });
  });

  it('is down on a high canvas', () => {
    expect(fitting(300, 1300, 20).flow).toBe('down');
  });

  it('is down where nothing shows all of it', () => {
    expect(fitting(400, 300, 60).flow).toBe('down');
  });

  it('is down for a large graph', () => {
    expect(fitting(1600, 360, 100).flow).toBe('down');
  });

  it('is as it was chosen, with the columns that fit', () => {
    expect(fitting(1200, 560, 8, 'columns')).toMatchObject({ flow: 'columns', group: -1, columns: 2 });
    expect(fitting(1200, 560, 24, 'down').flow).toBe('down');
    expect(fitting(300, 900, 8, 'right').flow).toBe('right');
  });
});

describe('the chosen flow', () => {
  beforeEach(() => window.localStorage.clear());

  it('is as the graph fits until one is chosen', () => {
    expect(rememberedFlow()).toBeNull();
  });

  it('is remembered, and forgotten again', () => {
    rememberFlow('right');
    expect(rememberedFlow()).toBe('right');
    rememberFlow('columns');
    expect(rememberedFlow()).toBe('columns');
    rememberFlow(null);
    expect(rememberedFlow()).toBeNull();
    rememberFlow('down');
    expect(rememberedFlow()).toBe('down');
  });
});
