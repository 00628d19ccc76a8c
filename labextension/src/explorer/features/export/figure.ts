/** What is on the screen, open or closed, as a figure for a paper: the same bytes whatever else the screen shows. */

import { scopeOf } from '../../../model/hierarchy';
import { documentScopes } from '../../../model/openstate';
import { repeatOf } from '../../../model/repeats';
import type { FigureAsk } from '../../../protocol/runmessages';
import { createRunner } from '../../../layout/runner';
import { buildScene, createMeasure, layoutInput, wrapIn } from '../../canvas/scene';
import { createSvgContext } from '../../canvas/paint/svgcontext';
import { PRINT } from '../../ui/theme';
import type { View } from '../../core/view';
import { wholeOf } from './shot';

const MARGIN = 6;

/** What the kernel is asked, which draws the same view as other kinds of files. */
export function figureAsk(view: View, form: FigureAsk['form']): FigureAsk {
  const h = view.graph!;
  const { elements, kinds } = view.scene!.visible;
  return {
    type: 'figure.ask',
    form,
    opened: documentScopes(h, view.opened),
    inlined: [...h.isFunction.keys()].filter((scope) => h.isFunction[scope] && h.inlined[scope]),
    repeats: elements.some(
      (at, index) => kinds[index] === 'closed' && repeatOf(h, scopeOf(h, at)) !== undefined,
    ),
    symbolic: h.sizeNames.size > 0,
    horizontal: view.flow === 'right',
  };
}

export function figureSvg(view: View): string {
  const graph = view.graph!;
  const { visible, flow, columns } = view.scene!;
  const wrap = columns === null ? undefined : wrapIn(visible, columns);
  const { input, labels } = layoutInput(graph, visible, createMeasure(), PRINT.font, true, flow, wrap);
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
