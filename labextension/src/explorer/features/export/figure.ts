/** What is on the screen, open or closed, as a figure for a paper: the same bytes whatever else the screen shows. */

import { createRunner } from '../../../layout/runner';
import { buildScene, createMeasure, layoutInput } from '../../canvas/scene';
import { createSvgContext } from '../../canvas/paint/svgcontext';
import { PRINT } from '../../ui/theme';
import type { View } from '../../core/view';
import { wholeOf } from './shot';

const MARGIN = 6;

export function figureSvg(view: View): string {
  const graph = view.graph!;
  const { visible } = view.scene!;
  const { input, labels } = layoutInput(graph, visible, createMeasure(), PRINT.font, true);
  const scene = buildScene(visible, labels, input, createRunner().now(input));
  const { camera, width, height } = wholeOf(scene, MARGIN);
  const context = createSvgContext();
  view.stage.paintOn(context, camera, width, height, 1, {
    scene,
    theme: PRINT,
    isPrint: true,
    selected: -1,
    matches: new Set(),
    highlighted: null,
    widthBySize: false,
    // What a run measured is no part of the graph; what differs between two graphs is.
    ...(graph.document.diff === undefined ? { layers: [] } : {}),
  });
  return context.toSvg(width, height, graph.document.name);
}
