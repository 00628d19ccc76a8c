/** The values of the selected element, as the last run saw them: statistics, histogram, a heatmap of a slice. */

import * as runStrings from '../../i18n/runstrings';
import { integerText } from '../../i18n/translation';
import { string } from '../../model/describe';
import { fullType } from '../../model/elementdetails';
import { kindOf, boundaryValue, type Hierarchy } from '../../model/hierarchy';
import { plainText } from '../../model/run/metrics';
import type { RunHeatmapError } from '../../protocol/runmessages';
import { Role } from '../../protocol/viewdocument';
import type { Statistics } from '../../model/run/rundata';
import { detailList, section } from '../panels/sections';
import { element } from '../ui/dom';
import { heatmapView } from './heatmap';
import type { DrawnHeatmap, RunState } from './runstate';
import type { View } from '../core/view';

/** What can be looked at of an element: what an operator makes, then its parameters and inputs. */
function valuesOf(h: Hierarchy, at: number): number[] {
  if (at < 0) {
    return [];
  }
  const kind = kindOf(h, at);
  if (kind === 'op') {
    const { outputs, inputs } = h.document.nodes;
    return [...new Set([...outputs[at], ...inputs[at]])];
  }
  return kind === 'group' ? [] : [boundaryValue(h, at)];
}

export function statisticsFacts(found: Statistics): [string, string][] {
  const share = (count: number): string =>
    count === 0
      ? '0'
      : runStrings.countAndShare(integerText(count), ((100 * count) / found.count).toFixed(1));
  const number = (value: number | null): string => (value === null ? '' : plainText(value));
  return [
    [runStrings.elements(), integerText(found.count)],
    [runStrings.min(), number(found.min)],
    [runStrings.max(), number(found.max)],
    [runStrings.mean(), number(found.mean)],
    [runStrings.std(), number(found.std)],
    [runStrings.zeros(), share(found.zeros)],
    [runStrings.nan(), share(found.nans)],
    [runStrings.infinite(), share(found.infs)],
  ];
}

function histogram(found: Statistics): Node[] {
  const { histogram: bars, min, max } = found;
  if (bars.length === 0 || min === null || max === null) {
    return [];
  }
  const most = Math.max(...bars);
  const space = 'http://www.w3.org/2000/svg';
  const picture = document.createElementNS(space, 'svg');
  const fullest = bars.indexOf(most);
  const width = (max - min) / bars.length;
  const attributes = {
    class: 'histogram',
    viewBox: `0 0 ${bars.length} 100`,
    preserveAspectRatio: 'none',
    role: 'img',
    'aria-label': runStrings.histogram(plainText(min + (fullest + 0.5) * width)),
  };
  Object.entries(attributes).forEach(([name, value]) => picture.setAttribute(name, value));
  bars.forEach((count, at) => {
    const bar = document.createElementNS(space, 'rect');
    // What is there is seen, however little it is.
    const height = count === 0 ? 0 : Math.max(1.5, (100 * count) / most);
    for (const [name, value] of Object.entries({ x: at + 0.06, y: 100 - height, width: 0.88, height })) {
      bar.setAttribute(name, String(value));
    }
    const title = document.createElementNS(space, 'title');
    title.textContent = runStrings.bin(plainText(min + at * width), plainText(min + (at + 1) * width), count);
    bar.append(title);
    picture.append(bar);
  });
  const ends = element(
    'div',
    { class: 'ends' },
    element('span', { text: plainText(min) }),
    element('span', { text: plainText(max) }),
  );
  return [picture, ends];
}

export function valuesFeature(view: View, state: RunState): void {
  let chosen = -1;
  let drawn: DrawnHeatmap | RunHeatmapError | null = null;
  let asked = false;
  const refresh = (): void => view.panel.refresh('values');
  const ask = (value: number, axes: number[] | null, index: number[] | null): void => {
    asked = true;
    state.send({ type: 'run.view', value, axes, index });
  };

  /** Which dimensions run down and across, and the place in all others. */
  const sliceChoice = (map: DrawnHeatmap): HTMLElement | null => {
    const { shape, axes, index, value } = map;
    if (shape.length < 3) {
      return null;
    }
    const axis = (which: 0 | 1, name: string): HTMLElement => {
      const select = element('select', { class: 'select', attributes: { 'aria-label': name } });
      shape.forEach((extent, dimension) =>
        select.append(
          element('option', {
            text: runStrings.dimension(dimension, extent),
            attributes: { value: String(dimension) },
          }),
        ),
      );
      select.value = String(axes[which]);
      select.addEventListener('change', () => {
        const wanted = Number(select.value);
        const other = axes[1 - which] === wanted ? axes[which] : axes[1 - which];
        ask(value, which === 0 ? [wanted, other] : [other, wanted], index);
      });
      return element('label', { text: `${name} ` }, select);
    };
    const places = shape.map((extent, dimension) => {
      if (axes.includes(dimension)) {
        return null;
      }
      const field = element('input', {
        attributes: {
          type: 'number',
          min: '0',
          max: String(extent - 1),
          value: String(index[dimension]),
          'aria-label': runStrings.indexIn(dimension),
        },
      });
      field.addEventListener('keydown', (event) => event.stopPropagation());
      field.addEventListener('change', () => {
        const next = [...index];
        next[dimension] = Number(field.value);
        ask(value, axes, next);
      });
      return element('label', { text: `${runStrings.dimensionAt(dimension)} ` }, field);
    });
    return element(
      'div',
      { class: 'slice' },
      axis(0, runStrings.rowAxis()),
      axis(1, runStrings.columnAxis()),
      ...places,
    );
  };

  const heatmapSection = (value: number): Node[] => {
    if (drawn?.value === value) {
      return 'message' in drawn
        ? [section(runStrings.heatmap(), element('p', { class: 'failed', text: drawn.message }))]
        : [section(runStrings.heatmap(), sliceChoice(drawn), ...heatmapView(drawn, view.theme))];
    }
    if (!state.connected) {
      return [];
    }
    const draw = element('button', {
      class: 'link-button',
      text: asked ? runStrings.drawing() : runStrings.drawHeatmap(),
      attributes: { type: 'button' },
      onClick() {
        ask(value, null, null);
        refresh();
      },
    });
    draw.disabled = asked || state.running;
    return [section(runStrings.heatmap(), draw)];
  };

  const valueChoice = (h: Hierarchy, values: number[]): HTMLElement => {
    const select = element('select', { class: 'select', attributes: { 'aria-label': runStrings.value() } });
    for (const value of values) {
      const role = h.document.values.role[value];
      const own = string(h.document, h.document.values.name[value]);
      const name =
        role === Role.Parameter
          ? runStrings.parameterNamed(own)
          : role === Role.Buffer
            ? runStrings.bufferNamed(own)
            : own;
      select.append(element('option', { text: name, attributes: { value: String(value) } }));
    }
    select.value = String(chosen);
    select.addEventListener('change', () => {
      chosen = Number(select.value);
      drawn = null;
      asked = false;
      refresh();
    });
    return element('div', { class: 'actions' }, select);
  };

  view.panel.add({
    id: 'values',
    title: runStrings.values(),
    order: 20,
    available: () => state.connected || state.run !== null,
    render() {
      const h = view.graph;
      if (h === null) {
        return [];
      }
      const values = valuesOf(h, view.selected);
      if (values.length === 0) {
        const text = runStrings.selectForValues();
        return [element('h2', { text: runStrings.values() }), element('p', { class: 'muted', text })];
      }
      if (!values.includes(chosen)) {
        chosen = values[0];
        drawn = null;
        asked = false;
      }
      const found = state.run?.statistics.get(chosen);
      const none =
        h.document.values.node[chosen] < 0
          ? ''
          : state.run === null
            ? runStrings.nothingRan()
            : runStrings.noValue();
      return [
        element('h2', { text: `%${string(h.document, h.document.values.name[chosen])}` }),
        values.length > 1 ? valueChoice(h, values) : null,
        element('p', { class: 'muted', text: runStrings.tracedAs(fullType(h, chosen)) }),
        found === undefined
          ? element('p', { class: 'muted', text: none })
          : detailList(statisticsFacts(found)),
        ...(found === undefined ? [] : histogram(found)),
        ...heatmapSection(chosen),
      ].filter((part): part is HTMLElement => part !== null);
    },
  });
  state.events.on('progress', () => {
    if (state.run?.count === 0) {
      // What was drawn is of an earlier run.
      drawn = null;
      asked = false;
    }
    refresh();
  });
  view.events.on('theme', refresh);
  state.events.on('heatmap', (map) => {
    if (map.value === chosen) {
      drawn = map;
      asked = false;
      refresh();
    }
  });
  state.events.on('error', () => {
    asked = false;
    refresh();
  });
}
