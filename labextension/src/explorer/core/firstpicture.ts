/** The first picture, which is laid out to see how much of the graph one screen holds. */

import type { Flow, LayoutInput, LayoutResult, Wrap } from '../../layout/types';
import { firstOpened, READABLE } from '../../model/firstview';
import type { Element, Hierarchy } from '../../model/hierarchy';
import { visibleFor } from '../../model/visible';
import { fit, LEAST_READABLE } from '../canvas/camera';
import { buildScene, layoutInput, type Measure, type Scene } from '../canvas/scene';

/**
 * The screen that it is made for, and the least one in which a picture with more open groups is whole; in any other the
 * same groups are open, so that a link means the same everywhere.
 */
const SCREEN = { width: 1200, height: 560 };
const SMALL = { width: 900, height: 440 };

/** Letters of one width: what is open must not depend on the fonts of the machine. */
const measure: Measure = (text, font) => text.length * parseInt(font.replace(/^\d+ /, ''), 10) * 0.56;

export function firstPicture(h: Hierarchy, layout: (input: LayoutInput) => LayoutResult): Set<number> {
  // Nor on whether the names of sizes are known by then.
  const plain = { ...h, sizeNames: new Map() };
  return firstOpened(h, (opened, isNeeded) => {
    const visible = visibleFor(h, opened);
    const laidOut = (flow: Flow, wrap?: Wrap): Scene => {
      const { input, labels } = layoutInput(plain, visible, measure, 'sans-serif', false, flow, wrap);
      return buildScene(visible, labels, input, layout(input));
    };
    const down = laidOut('down');
    const { scale } = fit(down.bounds, SCREEN.width, SCREEN.height);
    const drawn: typeof laidOut = (flow, wrap) => (flow === 'down' ? down : laidOut(flow, wrap));
    const turned = (): number =>
      flowThatFits(isNeeded ? SCREEN : SMALL, drawn, visible.elements.length, null).zoom;
    return scale < READABLE ? Math.max(scale, turned()) : scale;
  });
}

/** More boxes than this are no first picture: it would take long to lay them out again and again. */
const MOST_TURNED = 80;
/** As much larger is a picture worth turning. */
const GAIN = 1.15;
/** A group of so large a part of the picture's height is what stands in columns. */
const MAIN = 0.6;

export interface Fitting {
  flow: Flow;
  /** Of columns: what stands in them (-1: all), and how many there are. */
  group: Element;
  columns: number;
  /** At which all of the picture shows. */
  zoom: number;
}

/** Of a graph that was not drawn yet. */
export const fittingAs = (chosen: Flow | null): Fitting => ({
  flow: chosen ?? 'down',
  group: -1,
  columns: 1,
  zoom: 0,
});

/** The innermost group that holds most of the picture's height. */
function mainGroup({ visible, height, bounds }: Scene): number {
  let group = -1;
  let most = bounds.height;
  visible.parents.forEach((parent, box) => {
    if (parent === group && visible.kinds[box] === 'open' && height[box] > MAIN * most) {
      [group, most] = [box, height[box]];
    }
  });
  return group;
}

/**
 * As it was chosen, else down where all of the picture can be read so; else to the right or in columns, where all of it
 * shows, clearly larger.
 */
export function flowThatFits(
  { width, height }: { width: number; height: number },
  drawn: (flow: Flow, wrap?: Wrap) => Scene,
  boxes: number,
  chosen: Flow | null,
): Fitting {
  if (chosen === null ? boxes > MOST_TURNED : chosen !== 'columns') {
    return fittingAs(chosen);
  }
  const fitting = (flow: Flow, scene = drawn(flow)): Fitting => ({
    ...fittingAs(flow),
    zoom: fit(scene.bounds, width, height).scale,
  });
  const picture = drawn('down');
  const { bounds, visible } = picture;
  const down = fitting('down', picture);
  if (chosen === null && down.zoom >= READABLE) {
    return down;
  }
  const group = mainGroup(picture);
  const inColumns = (columns: number): Fitting => ({
    ...fitting('columns', drawn('columns', { group, columns })),
    group: visible.elements[group] ?? -1,
    columns,
  });
  // Of as many columns, all are about as wide as high as the canvas.
  const even = Math.sqrt((width * bounds.height) / (height * bounds.width));
  const few = Math.max(2, Math.floor(even));
  const columns = (boxes > MOST_TURNED ? [few] : [few, few + 1])
    .map(inColumns)
    .reduce((one, other) => (other.zoom > one.zoom ? other : one));
  if (chosen !== null) {
    return columns;
  }
  const right = fitting('right');
  const turned = GAIN * right.zoom > columns.zoom ? right : columns;
  return turned.zoom > Math.max(LEAST_READABLE, GAIN * down.zoom) ? turned : down;
}
