import { describe, expect, it } from 'vitest';
import { groupElement, buildHierarchy, inputElement } from '../../src/model/hierarchy';
import { pathText } from '../../src/model/elementdetails';
import { hotSpots, metricOf, type Metric } from '../../src/model/run/metrics';
import { emptyRun, type RunData, type Statistics } from '../../src/model/run/rundata';
import { heightIn, middleOf, outstandingIn, placesIn, placesOf, seriesOf } from '../../src/model/run/series';
import { DocumentBuilder } from '../fixtures/builder';
import { mlp, resnet18 } from '../fixtures/models';

const metric = (values: (number | null)[], id = 'time'): Metric => ({
  id,
  label: id,
  values,
  groups: [],
  most: Math.max(0, ...values.filter((value): value is number => Number.isFinite(value))),
  isAdditive: true,
  categories: null,
  text: String,
});

describe('a series', () => {
  it('leaves out what did not run, and has zero on its scale', () => {
    expect(seriesOf(metric([null, 2, null, -3, 1]))).toEqual({
      nodes: [1, 3, 4],
      values: [2, -3, 1],
      low: -3,
      high: 2,
      isRoot: false,
    });
    expect(seriesOf(metric([4, 5]))).toMatchObject({ low: 0, high: 5 });
  });

  it('keeps what is not finite, off its scale', () => {
    expect(seriesOf(metric([1, NaN, Infinity]))).toMatchObject({ values: [1, NaN, Infinity], high: 1 });
  });

  it('of what adds up goes by the root, which its middle says', () => {
    const time = seriesOf(metric([1, 100]));
    expect([heightIn(time, 100), heightIn(time, 25), heightIn(time, 1), middleOf(time)]).toEqual([
      1, 0.5, 0.1, 25,
    ]);
    const mean = seriesOf({ ...metric([1, -1]), isAdditive: false });
    expect([heightIn(mean, 1), heightIn(mean, 0), heightIn(mean, -1), middleOf(mean)]).toEqual([
      1, 0.5, 0, 0,
    ]);
    const zero = seriesOf(metric([0, 0]));
    expect(heightIn(zero, 0)).toBe(0);
  });

  it('of memory begins below the least, so that the weights do not hide the rest', () => {
    expect(seriesOf(metric([100, 110], 'memory'))).toMatchObject({ low: 98, high: 110 });
    expect(seriesOf(metric([1, 110], 'memory'))).toMatchObject({ low: 0 });
  });

  it('of NaN and infinities has a scale where there are none', () => {
    const run = emptyRun(3);
    run.done.fill(1);
    const b = new DocumentBuilder('three');
    const x = b.input('x', [1]);
    for (let step = 0; step < 3; step++) {
      b.op('relu', [x], [1]);
    }
    const found = metricOf(buildHierarchy(b.document), run, new Map(), 'nonfinite')!;
    expect(seriesOf(found)).toMatchObject({ values: [0, 0, 0], low: 0, high: 2 });
    expect(found.text(2)).toBe('NaN');
  });
});

describe('a column of pixels', () => {
  it('shows one point where there are more pixels, and each point has one', () => {
    const places = Array.from({ length: 7 }, (_, column) => placesIn(3, column, 7));
    expect(places.every(([first, end]) => end === first + 1)).toBe(true);
    expect(new Set(places.map(([first]) => first))).toEqual(new Set([0, 1, 2]));
  });

  it('shares the points with the others where there are fewer pixels', () => {
    const columns = Array.from({ length: 800 }, (_, column) => placesIn(100_000, column, 800));
    expect(columns[0][0]).toBe(0);
    columns.slice(1).forEach(([first], at) => expect(first).toBe(columns[at][1]));
    expect(columns[799][1]).toBe(100_000);
  });

  it('stands for what stands out of it: a NaN before all, then the largest of either sign', () => {
    const series = seriesOf(metric([1, -5, 2, NaN, 9]));
    expect(outstandingIn(series, [0, 3])).toBe(1);
    expect(outstandingIn(series, [0, 5])).toBe(3);
  });
});

describe('the places of an element', () => {
  const h = buildHierarchy(resnet18());
  const series = seriesOf(metric(Array.from({ length: h.nodes }, (_, node) => (node % 2 ? node : null))));

  it('are its own, among those of which something is known', () => {
    expect(placesOf(h, series, 7)).toEqual([3, 4]);
    expect(placesOf(h, series, 6)).toBeNull();
  });

  it('of a group are those of all that is in it', () => {
    const scope = h.paths.indexOf('layer2');
    const inside = series.nodes.filter((node) => h.paths[h.document.nodes.scope[node]].startsWith('layer2'));
    const [first, end] = placesOf(h, series, groupElement(h, scope))!;
    expect(series.nodes.slice(first, end)).toEqual(inside);
  });

  it('of an input are none', () => {
    expect(placesOf(h, series, inputElement(h, 0))).toBeNull();
    expect(placesOf(h, series, -1)).toBeNull();
  });
});

it('100,000 operators are in a series, and found in it, within a frame or two', () => {
  const count = 100_000;
  const found = metric(Array.from({ length: count }, (_, node) => Math.sin(node)));
  const start = performance.now();
  const series = seriesOf(found);
  for (let column = 0; column < 1000; column++) {
    outstandingIn(series, placesIn(count, column, 1000));
  }
  expect(series.nodes).toHaveLength(count);
  expect(performance.now() - start).toBeLessThan(500);
});

describe('statistics as an overlay', () => {
  const h = buildHierarchy(mlp());
  const statistics = (mean: number | null, std: number, zeros: number): Statistics => ({
    count: 4,
    min: -1,
    max: 1,
    mean,
    std,
    zeros,
    nans: 0,
    infs: 0,
    histogram: [],
  });
  const run = (of: Record<number, Statistics>): RunData => {
    const made = emptyRun(h.nodes);
    Object.entries(of).forEach(([node, each]) =>
      made.statistics.set(h.document.nodes.outputs[Number(node)][0], each),
    );
    return made;
  };
  const shown = (data: RunData, id: string): Metric => metricOf(h, data, new Map(), id)!;

  it('are those of what each operator made', () => {
    const data = run({ 0: statistics(-2, 0.5, 1), 1: statistics(1, 3, 4) });
    expect(shown(data, 'mean').values.slice(0, 3)).toEqual([-2, 1, null]);
    expect(shown(data, 'std').values.slice(0, 3)).toEqual([0.5, 3, null]);
    expect(
      shown(data, 'zeros')
        .values.slice(0, 2)
        .map((share) => shown(data, 'zeros').text(share!)),
    ).toEqual(['25.0 %', '100.0 %']);
  });

  it('of a mean weigh by size, whatever the sign', () => {
    const data = run({ 0: statistics(-2, 0, 0), 1: statistics(1, 0, 0) });
    const mean = shown(data, 'mean');
    expect([mean.most, mean.groups[0]]).toEqual([2, -2]);
    expect(hotSpots(h, mean, false, 9).map(({ at }) => at)).toEqual([0, 1]);
  });

  it('have no mean where nothing is finite', () => {
    expect(shown(run({ 0: statistics(null, 0, 0) }), 'mean').values[0]).toBeNull();
  });

  it('leave out whole numbers where there are others', () => {
    const data = run({ 0: statistics(5, 0, 0), 1: statistics(1, 0, 0) });
    const { values, strings } = h.document;
    const dtype = values.dtype[h.document.nodes.outputs[0][0]];
    values.dtype[h.document.nodes.outputs[0][0]] = strings.push('int64') - 1;
    expect(shown(data, 'mean').values.slice(0, 2)).toEqual([null, 1]);
    expect(shown(run({ 0: statistics(5, 0, 0) }), 'mean').values[0]).toBe(5);
    values.dtype[h.document.nodes.outputs[0][0]] = dtype;
  });
});

it('an operator is named with the path of its module', () => {
  const h = buildHierarchy(resnet18());
  const node = h.document.nodes.scope.findIndex((scope) => h.paths[scope] === 'layer2.1.conv2');
  expect(pathText(h, node)).toBe('layer2.1.conv2: conv2d');
  expect(pathText(h, groupElement(h, h.paths.indexOf('layer2.1')))).toBe('layer2.1');
});
