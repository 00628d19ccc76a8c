// @vitest-environment happy-dom
import { expect, it } from 'vitest';
import { paintScene } from '../../src/explorer/canvas/paint/draw';
import { createSvgContext } from '../../src/explorer/canvas/paint/svgcontext';
import { buildScene, createMeasure, layoutInput } from '../../src/explorer/canvas/scene';
import { PRINT } from '../../src/explorer/ui/theme';
import { layout } from '../../src/layout/layout';
import { buildHierarchy, groupElement } from '../../src/model/hierarchy';
import { allScopes } from '../../src/model/openstate';
import { visibleFor } from '../../src/model/visible';
import { resnet18 } from '../fixtures/models';

it('writes the sizes on the border of a selected group over its outline', () => {
  const h = buildHierarchy(resnet18());
  const visible = visibleFor(h, allScopes(h));
  const measure = createMeasure();
  const { input, labels } = layoutInput(h, visible, measure, 'any', false, 'down');
  const scene = buildScene(visible, labels, input, layout(input));
  const context = createSvgContext();
  const [width, height] = [scene.bounds.width, scene.bounds.height];
  paintScene({
    ...{ context, h, scene, measure, width, height },
    theme: { ...PRINT, selected: '#abcdef' },
    camera: { x: -scene.bounds.x, y: -scene.bounds.y, scale: 1 },
    density: 1,
    selected: visible.indexOf.get(groupElement(h, h.paths.indexOf('layer1')))!,
    hovered: -1,
    focused: false,
    matches: new Set(),
    highlighted: null,
    widthBySize: false,
    isPrint: true,
    progress: 1,
    before: () => null,
    layers: [],
  });
  const drawn = context.toSvg(width, height, 'ResNet');
  expect(drawn).toContain('#abcdef');
  expect(drawn.indexOf('#abcdef')).toBeLessThan(drawn.search(/>\d+(×\d+)+</));
});
