/** What an overlay shows: a number or a category for each operator and for each group of them. */

import * as runStrings from '../../i18n/runstrings';
import { string } from '../describe';
import { Role } from '../../protocol/viewdocument';
import type { Hierarchy } from '../hierarchy';
import { Nonfinite, type RunData, type Statistics } from './rundata';

/** Numbers that came from the kernel under a name of their own. */
export interface NamedNumbers {
  name: string;
  unit: string;
  values: Float64Array;
}

export interface Metric {
  id: string;
  label: string;
  /** By node; null: nothing is known of it. Of words: their place in `words`. */
  values: (number | null)[];
  /** By scope: what its operators come to together. */
  groups: (number | null)[];
  /** The largest of the operators, whatever its sign; 0 where there is none. */
  most: number;
  /** Groups add up, and shares of the whole make sense. */
  isAdditive: boolean;
  categories: string[] | null;
  text(value: number): string;
}

/** Whether its values are more or less of something, so that they can be plotted and ranked. */
export const isRanked = (metric: Metric | null): metric is Metric =>
  metric !== null && (metric.categories === null || metric.id === 'nonfinite');

type Combine = (old: number, value: number) => number;

const sum: Combine = (old, value) => old + value;
/** How much there is of a number, whatever its sign; NaN outranks all. */
export const magnitude = (value: number): number => (Number.isNaN(value) ? Infinity : Math.abs(value));
const largest: Combine = (old, value) =>
  Number.isNaN(old) || magnitude(old) > magnitude(value) ? old : value;

/** What the operators in and below each scope come to. */
function aggregate(h: Hierarchy, values: readonly (number | null)[], combine: Combine): (number | null)[] {
  const found = new Array<number | null>(h.scopes).fill(null);
  const put = (scope: number, value: number): void => {
    const old = found[scope];
    found[scope] = old === null ? value : combine(old, value);
  };
  values.forEach((value, node) => value !== null && put(h.document.nodes.scope[node], value));
  const { parent } = h.document.scopes;
  for (let scope = parent.length - 1; scope > 0; scope--) {
    const value = found[scope];
    if (value !== null) {
      put(parent[scope], value);
    }
  }
  for (const { scope, members } of h.repeats) {
    for (const member of members) {
      const value = found[member];
      if (value !== null) {
        put(scope, value);
      }
    }
  }
  return found;
}

function scaled(value: number, steps: readonly (readonly [number, string])[]): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? 'inf' : '-inf';
  }
  const size = Math.abs(value);
  const [unit, name] = steps.find(([from]) => size >= from) ?? steps[steps.length - 1];
  const text = Number((value / unit).toPrecision(3)).toString();
  return name === '' ? text : `${text} ${name}`;
}

export const secondsText = (value: number): string =>
  scaled(value, [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
  ]);
export const sizeText = (value: number): string =>
  scaled(value, [
    [1 << 30, 'GiB'],
    [1 << 20, 'MiB'],
    [1 << 10, 'KiB'],
    [1, 'B'],
  ]);
export const countText = (value: number): string =>
  scaled(value, [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
    [1, ''],
  ]);
/** Three digits, whatever the size. */
export function plainText(value: number): string {
  const size = Math.abs(value);
  return !Number.isFinite(value) || value === 0 || (size >= 1e-3 && size < 1e5)
    ? scaled(value, [[1, '']])
    : value.toExponential(2).replace('e+', 'e');
}

function numberMetric(
  h: Hierarchy,
  id: string,
  label: string,
  values: (number | null)[],
  adds: boolean,
  text: (value: number) => string,
): Metric {
  const most = values.reduce<number>(
    (best, value) => (value !== null && Number.isFinite(value) ? Math.max(best, Math.abs(value)) : best),
    0,
  );
  return {
    id,
    label,
    values,
    groups: aggregate(h, values, adds ? sum : largest),
    most,
    isAdditive: adds,
    categories: null,
    text,
  };
}

function categoryMetric(h: Hierarchy, id: string, label: string, wordOf: (node: number) => string): Metric {
  const list: string[] = [];
  const place = (word: string): number => {
    const at = list.indexOf(word);
    return at >= 0 ? at : list.push(word) - 1;
  };
  const values = Array.from({ length: h.nodes }, (_, node) => {
    const word = wordOf(node);
    return word === '' ? null : place(word);
  });
  const groups = aggregate(h, values, (old, value) => (old === value ? old : -1)).map((value) =>
    value === -1 ? place(runStrings.mixed()) : value,
  );
  return {
    id,
    label,
    values,
    groups,
    most: list.length,
    isAdditive: false,
    categories: list,
    text: (at) => list[at],
  };
}

const column = (values: Float64Array): (number | null)[] =>
  [...values].map((value) => (Number.isNaN(value) ? null : value));

type Known = (run: RunData | null) => boolean;

const always: Known = () => true;
const ran: Known = (run) => run !== null;
/** A run without data has none. */
const measured: Known = (run) => run !== null && run.statistics.size > 0;

export const METRICS: readonly (readonly [id: string, label: () => string, isKnown: Known])[] = [
  ['time', runStrings.time, ran],
  ['memory', runStrings.memory, ran],
  ['mean', runStrings.mean, measured],
  ['std', runStrings.std, measured],
  ['zeros', runStrings.zeros, measured],
  ['nonfinite', runStrings.nonfinite, ran],
  ['parameters', runStrings.parameters, always],
  ['dtype', runStrings.dtype, always],
  ['device', runStrings.device, always],
];

/** Of the first tensor that each operator made; whole numbers (positions, masks) only where there are no others. */
function statisticMetric(
  h: Hierarchy,
  run: RunData,
  id: string,
  label: string,
  pick: (found: Statistics) => number | null,
  text = plainText,
): Metric {
  const { nodes, values } = h.document;
  const isReal = (value: number): boolean =>
    /^(b?float|complex)/.test(string(h.document, values.dtype[value]));
  const some = [...run.statistics.keys()].some(isReal);
  const numbers = nodes.outputs.map((outputs) => {
    const value = outputs.find((each) => run.statistics.has(each) && (!some || isReal(each)));
    return value === undefined ? null : pick(run.statistics.get(value)!);
  });
  return numberMetric(h, id, label, numbers, false, text);
}

const shareText = (share: number): string => runStrings.percent((100 * share).toFixed(1));

/** The metric of that name; null where what it shows is not known. */
export function metricOf(
  h: Hierarchy,
  run: RunData | null,
  named: ReadonlyMap<string, NamedNumbers>,
  id: string,
): Metric | null {
  const { nodes, values } = h.document;
  const made = (node: number, list: number[]): string => {
    const value = nodes.outputs[node].find((output) => list[output] >= 0);
    return value === undefined ? '' : string(h.document, list[value]);
  };
  switch (id) {
    case 'time':
      return run && numberMetric(h, id, runStrings.time(), column(run.seconds), true, secondsText);
    case 'memory':
      return run && numberMetric(h, id, runStrings.peakMemory(), column(run.peak), false, sizeText);
    case 'mean':
      return run && statisticMetric(h, run, id, runStrings.mean(), ({ mean }) => mean);
    case 'std':
      return run && statisticMetric(h, run, id, runStrings.std(), ({ std }) => std);
    case 'zeros':
      return (
        run &&
        statisticMetric(
          h,
          run,
          id,
          runStrings.zeros(),
          ({ zeros, count }) => (count > 0 ? zeros / count : null),
          shareText,
        )
      );
    case 'nonfinite':
      return run && nonfiniteMetric(h, run);
    case 'parameters': {
      const metric = numberMetric(
        h,
        id,
        runStrings.parameters(),
        nodes.inputs.map((inputs) => parametersOf(h, inputs)),
        true,
        countText,
      );
      // Shared ones count once in a group.
      return { ...metric, groups: [...h.parameterCount].map((count) => (count > 0 ? count : null)) };
    }
    case 'dtype':
      return categoryMetric(h, id, runStrings.dtype(), (node) => made(node, values.dtype));
    case 'device':
      return categoryMetric(h, id, runStrings.device(), (node) => made(node, values.device));
    default: {
      const found = named.get(id);
      return found === undefined ? null : namedMetric(h, found);
    }
  }
}

function namedMetric(h: Hierarchy, { name, unit, values }: NamedNumbers): Metric {
  const padded = new Float64Array(h.nodes).fill(NaN);
  padded.set(values.subarray(0, h.nodes));
  const adds = unit === 'flops' || unit === 's';
  return numberMetric(
    h,
    name,
    name,
    column(padded),
    adds,
    unit === 's' ? secondsText : unit === 'flops' ? countText : plainText,
  );
}

function nonfiniteMetric(h: Hierarchy, run: RunData): Metric {
  const list = [runStrings.finite(), runStrings.infinity(), runStrings.nan()];
  const values = Array.from({ length: h.nodes }, (_, node) => (run.done[node] ? run.nonfinite[node] : null));
  const groups = aggregate(h, values, largest);
  return {
    id: 'nonfinite',
    label: runStrings.nonfinite(),
    values,
    groups,
    most: Nonfinite.Nan,
    isAdditive: false,
    categories: list,
    text: (at) => list[at],
  };
}

function parametersOf(h: Hierarchy, inputs: readonly number[]): number | null {
  const { values, shapes } = h.document;
  let found: number | null = null;
  for (const value of new Set(inputs)) {
    if (values.role[value] === Role.Parameter && values.shape[value] >= 0) {
      found = (found ?? 0) + shapes[values.shape[value]].reduce((count, extent) => count * extent, 1);
    }
  }
  return found;
}

export interface HotSpot {
  /** Node row, or scope row where `group`. */
  at: number;
  group: boolean;
  value: number;
  /** Of the whole; null where adding up makes no sense. */
  share: number | null;
}

/** The operators, or module calls, with the largest values, largest first. */
export function hotSpots(h: Hierarchy, metric: Metric, group: boolean, most: number): HotSpot[] {
  const list = group ? metric.groups : metric.values;
  const whole = metric.isAdditive ? metric.groups[0] : null;
  return list
    .map((value, at) => ({ value, at }))
    .filter(
      (row): row is { value: number; at: number } =>
        row.value !== null &&
        (!group || (row.at > 0 && row.at < h.document.scopes.parent.length && h.opCount[row.at] > 0)) &&
        row.value !== 0,
    )
    .sort((a, b) => magnitude(b.value) - magnitude(a.value) || a.at - b.at)
    .slice(0, most)
    .map(({ value, at }) => ({ at, group, value, share: whole ? value / whole : null }));
}
