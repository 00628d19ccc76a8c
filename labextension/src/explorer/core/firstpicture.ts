/** The first picture, which is laid out to see how much of the graph one screen holds. */

import type { Flow, LayoutInput, LayoutResult } from '../../layout/types';
import { firstOpened, READABLE } from '../../model/firstview';
import type { Hierarchy } from '../../model/hierarchy';
import { visibleFor } from '../../model/visible';
import { fit, LEAST_READABLE } from '../canvas/camera';
import { buildScene, layoutInput, type Measure, type Scene } from '../canvas/scene';

/** The screen that it is made for; in a smaller one the same groups are open, so that a link means the same everywhere. */
const WIDTH = 1200;
const HEIGHT = 560;

/** Letters of one width: what is open must not depend on the fonts of the machine. */
const measure: Measure = (text, font) => text.length * parseInt(font.replace(/^\d+ /, ''), 10) * 0.56;

export const firstPicture = (h: Hierarchy, layout: (input: LayoutInput) => LayoutResult): Set<number> =>
  firstOpened(h, (opened) => {
    const visible = visibleFor(h, opened);
    // Nor on whether the names of sizes are known by then.
    const { input, labels } = layoutInput({ ...h, sizeNames: new Map() }, visible, measure, 'sans-serif');
    const { bounds } = buildScene(visible, labels, input, layout(input));
    return fit(bounds, WIDTH, HEIGHT).scale;
  });

/** More boxes than this are no first picture: it would take long to lay them out twice. */
const MOST_TURNED = 80;
/** As much larger is a picture worth turning. */
const GAIN = 1.15;

/** Down where all of the picture can be read so; else to the right, where all of it shows, clearly larger. */
export function flowThatFits(
  { width, height }: { width: number; height: number },
  drawn: (flow: Flow) => Scene,
  boxes: number,
): Flow {
  const zoom = (flow: Flow): number => fit(drawn(flow).bounds, width, height).scale;
  const down = boxes > MOST_TURNED ? READABLE : zoom('down');
  return down < READABLE && zoom('right') > Math.max(LEAST_READABLE, GAIN * down) ? 'right' : 'down';
}
