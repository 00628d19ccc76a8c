/** The first picture, which is laid out to see how much of the graph one screen holds. */

import type { LayoutInput, LayoutResult } from '../../layout/types';
import { firstOpened } from '../../model/firstview';
import type { Hierarchy } from '../../model/hierarchy';
import { visibleFor } from '../../model/visible';
import { fit } from '../canvas/camera';
import { buildScene, layoutInput, type Measure } from '../canvas/scene';

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
