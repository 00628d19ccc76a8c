/** The strip under the picture: the current overlay plotted along the run. Its points are the operators. */

import * as runStrings from '../../i18n/runstrings';
import { pathText } from '../../model/elementdetails';
import { kindOf, scopeOf, type Element } from '../../model/hierarchy';
import { isRanked } from '../../model/run/metrics';
import {
  heightIn,
  middleOf,
  outstandingIn,
  placesIn,
  placesOf,
  seriesOf,
  type Series,
} from '../../model/run/series';
import { remember, remembered } from '../core/remembered';
import type { View } from '../core/view';
import { element } from '../ui/dom';
import { icon } from '../ui/icons';
import { ORDER } from '../ui/toolbar';
import { stepColor } from './overlay';
import type { RunState } from './runstate';

const KEY = 'plot';
const HIDDEN = 'hidden';
/** Above and below the bars. */
const EDGE = 3;
/** Of few operators, bars are no towers. */
const WIDEST = 16;

export function stripFeature(view: View, state: RunState): void {
  const { events, keys, toolbar } = view;
  const title = element('strong', {});
  const reading = element('span', { class: 'reading' });
  const [top, middle, bottom] = [element('span', {}), element('span', {}), element('span', {})];
  const canvas = element('canvas', {});
  const plot = element(
    'div',
    { class: 'plot', attributes: { role: 'slider', tabindex: '0', 'aria-valuemin': '1' } },
    canvas,
  );
  const strip = element(
    'div',
    { class: 'strip', attributes: { role: 'group' } },
    element('div', { class: 'strip-head' }, title, reading),
    element(
      'div',
      { class: 'strip-body' },
      element('div', { class: 'scale', attributes: { 'aria-hidden': 'true' } }, top, middle, bottom),
      plot,
    ),
  );
  strip.hidden = true;
  let isWanted = remembered(KEY) !== HIDDEN;
  let series: Series = { nodes: [], values: [], low: 0, high: 0, isRoot: false };
  /** The place of the cursor. */
  let at = 0;
  let hovered: Element = -1;
  let frame = 0;

  const button = toolbar.add({
    label: runStrings.plot(),
    face: icon('plot'),
    order: ORDER.panel - 1,
    run: () => show(!isWanted),
  });

  function paint(): void {
    frame = 0;
    const density = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = plot;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    const context = canvas.getContext?.('2d');
    const { theme, graph } = view;
    const { nodes, values } = series;
    const count = nodes.length;
    if (!context || graph === null || count === 0) {
      return;
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    const y = (value: number): number => height - EDGE - heightIn(series, value) * (height - 2 * EDGE);
    const columns = Math.min(count, Math.max(1, Math.floor(width)));
    const step = width / columns;
    const wide = Math.max(1, Math.min(WIDEST, step > 4 ? step - 1 : step));
    const bar = (color: string, left: number, from: number, to: number): void => {
      context.fillStyle = color;
      context.fillRect(left + (step - wide) / 2, from, wide, Math.max(1.5, to - from));
    };
    const mark = (marked: Element, color: string): void => {
      const places = placesOf(graph, series, marked);
      if (places === null) {
        return;
      }
      const left = (places[0] / count) * width;
      const length = ((places[1] - places[0]) / count) * width;
      context.fillStyle = color;
      context.globalAlpha = 0.22;
      context.fillRect(left, 0, Math.max(2, length), height);
      context.globalAlpha = 1;
      // The ends of a single point are wider than it is.
      const end = Math.max(6, length);
      context.fillRect(left + (length - end) / 2, 0, end, EDGE);
      context.fillRect(left + (length - end) / 2, height - EDGE, end, EDGE);
    };
    mark(view.selected, theme.selected);
    mark(hovered, theme.text);
    const ground = y(0);
    context.fillStyle = theme.muted;
    context.fillRect(0, ground - 0.5, width, 1);
    context.fillStyle = theme.groupBorder;
    context.fillRect(0, height / 2, width, 1);
    for (let column = 0; column < columns; column++) {
      const [first, end] = placesIn(count, column, columns);
      let [least, most, isFinite] = [Infinity, -Infinity, true];
      for (let place = first; place < end; place++) {
        const value = values[place];
        isFinite &&= Number.isFinite(value);
        least = Math.min(least, value);
        most = Math.max(most, value);
      }
      if (isFinite) {
        bar(stepColor(theme, 3), column * step, Math.min(ground, y(most)), Math.max(ground, y(least)));
      } else {
        bar(theme.error, column * step, 0, height);
      }
    }
  }
  const repaint = (): void => {
    if (!strip.hidden && frame === 0) {
      frame = requestAnimationFrame(paint);
    }
  };

  /** What is said of an operator or a group; empty where nothing is known. */
  const said = (of: Element): string => {
    const { graph } = view;
    const { metric } = state;
    if (graph === null || metric === null || of < 0) {
      return '';
    }
    const kind = kindOf(graph, of);
    const value =
      kind === 'op' ? metric.values[of] : kind === 'group' ? metric.groups[scopeOf(graph, of)] : null;
    return value === null || value === undefined
      ? ''
      : runStrings.pointOf(pathText(graph, of), metric.text(value));
  };
  const tell = (): void => {
    reading.textContent = said(hovered) || said(view.selected);
    plot.setAttribute('aria-valuenow', String(at + 1));
    plot.setAttribute('aria-valuetext', said(series.nodes[at]));
    repaint();
  };

  /** After another overlay, more of a run, or another choice. */
  const refresh = (): void => {
    const { metric } = state;
    const isPlottable = isRanked(metric);
    series = isPlottable ? seriesOf(metric) : { ...series, nodes: [] };
    const count = series.nodes.length;
    button.hidden = count === 0;
    button.setAttribute('aria-pressed', String(isWanted));
    strip.hidden = count === 0 || !isWanted;
    if (!isPlottable || strip.hidden) {
      return;
    }
    at = Math.min(at, count - 1);
    const name = runStrings.plotOf(metric.label);
    strip.setAttribute('aria-label', name);
    plot.setAttribute('aria-label', name);
    plot.setAttribute('aria-valuemax', String(count));
    title.textContent = metric.label;
    const isFlat = series.low === series.high;
    top.textContent = isFlat ? '' : metric.text(series.high);
    middle.textContent = isFlat ? '' : metric.text(middleOf(series));
    bottom.textContent = metric.text(series.low);
    tell();
  };

  function show(isShown: boolean): void {
    isWanted = isShown;
    remember(KEY, isWanted ? '' : HIDDEN);
    refresh();
    view.notify(isWanted ? runStrings.plotShown() : runStrings.plotHidden());
  }

  const under = (event: MouseEvent): number => {
    const { left, width } = plot.getBoundingClientRect();
    const columns = Math.min(series.nodes.length, Math.max(1, Math.floor(width)));
    const column = Math.floor(((event.clientX - left) / width) * columns);
    return outstandingIn(
      series,
      placesIn(series.nodes.length, Math.max(0, Math.min(columns - 1, column)), columns),
    );
  };
  plot.addEventListener('pointermove', (event) => view.hover(series.nodes[under(event)]));
  plot.addEventListener('pointerleave', () => view.hover(-1));
  plot.addEventListener('blur', () => view.hover(-1));
  plot.addEventListener('click', (event) => {
    at = under(event);
    void view.goTo(series.nodes[at]);
  });
  plot.addEventListener('keydown', (event) => {
    const last = series.nodes.length - 1;
    const far = Math.ceil(last / 10);
    const places: Record<string, number> = {
      ArrowLeft: at - 1,
      ArrowDown: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at + 1,
      PageDown: at - far,
      PageUp: at + far,
      Home: 0,
      End: last,
      Enter: at,
    };
    const to = places[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    at = Math.max(0, Math.min(last, to));
    if (event.key === 'Enter') {
      void view.goTo(series.nodes[at]);
    } else {
      view.hover(series.nodes[at]);
      tell();
    }
    event.preventDefault();
    event.stopPropagation();
  });

  view.frame.observe(plot, repaint);
  state.events.on('metric', refresh);
  events.on('hover', (to) => {
    hovered = to;
    tell();
  });
  events.on('select', (to) => {
    const places = view.graph === null ? null : placesOf(view.graph, series, to);
    at = places?.[0] ?? at;
    tell();
  });
  events.on('graph', () => {
    hovered = -1;
    at = 0;
    view.stage.node.parentElement!.after(strip);
  });
  events.on('theme', repaint);
  events.on('destroy', () => cancelAnimationFrame(frame));
  keys.bind({
    keys: ['u'],
    help: ['u', runStrings.helpPlot()],
    anywhere: true,
    run: () => (series.nodes.length === 0 ? view.notify(runStrings.nothingToPlot()) : show(!isWanted)),
  });
}
