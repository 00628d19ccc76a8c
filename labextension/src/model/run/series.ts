/** What an overlay says of each operator, in the order in which they ran: the points of a plot. No DOM. */

import { kindOf, scopeOf, type Element, type Hierarchy } from '../hierarchy';
import { isWithin } from '../openstate';
import { magnitude, type Metric } from './metrics';

export interface Series {
  /** The operators of which a value is known. */
  nodes: number[];
  /** The value of each; NaN and infinities too. */
  values: number[];
  /** The ends of the scale; zero is on it, but of memory, of which most is held all the time. */
  low: number;
  high: number;
  /** Heights go by the root, as on the boxes, so that one slow operator does not hide the others. */
  isRoot: boolean;
}

/** How high a value stands, from 0 to 1. */
export function heightIn({ low, high, isRoot }: Series, value: number): number {
  const part = high > low ? Math.max(0, (value - low) / (high - low)) : 0;
  return isRoot ? Math.sqrt(part) : part;
}

/** The value at half the height. */
export const middleOf = ({ low, high, isRoot }: Series): number => low + (high - low) / (isRoot ? 4 : 2);

export function seriesOf({ id, values: known, categories, most, isAdditive }: Metric): Series {
  const nodes: number[] = [];
  const values: number[] = [];
  let [low, high] = [id === 'memory' ? most : 0, categories === null ? 0 : most];
  known.forEach((value, node) => {
    if (value !== null) {
      nodes.push(node);
      values.push(value);
      if (Number.isFinite(value)) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  });
  // The least that was held still is a bar to be seen.
  return {
    nodes,
    values,
    low: id === 'memory' ? Math.max(0, low - (high - low) / 5) : low,
    high,
    isRoot: isAdditive && low === 0,
  };
}

/** The places from `first` up to `end` that one column of pixels shows: one, or several where there are more than pixels. */
export function placesIn(count: number, column: number, columns: number): [first: number, end: number] {
  const first = Math.min(count - 1, Math.floor((column * count) / columns));
  return [first, Math.max(first + 1, Math.floor(((column + 1) * count) / columns))];
}

/** The place of the point that stands out of a column: the largest, whatever its sign. */
export function outstandingIn({ values }: Series, [first, end]: [number, number]): number {
  let best = first;
  for (let place = first + 1; place < end; place++) {
    if (magnitude(values[place]) > magnitude(values[best])) {
      best = place;
    }
  }
  return best;
}

/** The places of an operator, or of all that is in a group; null where it has none. */
export function placesOf(h: Hierarchy, { nodes }: Series, at: Element): [first: number, end: number] | null {
  const kind = at < 0 ? null : kindOf(h, at);
  if (kind === null || kind === 'input' || kind === 'output') {
    return null;
  }
  let [first, last] = [-1, -1];
  nodes.forEach((node, place) => {
    if (kind === 'op' ? node === at : isWithin(h, node, scopeOf(h, at))) {
      first = first < 0 ? place : first;
      last = place;
    }
  });
  return first < 0 ? null : [first, last + 1];
}
