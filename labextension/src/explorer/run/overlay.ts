/** The overlay: a gauge and a pill on each box for a number or a category, the legend, and the choice of overlay. */

import * as runStrings from '../../i18n/runstrings';
import { kindOf, scopeOf } from '../../model/hierarchy';
import type { Metric } from '../../model/run/metrics';
import { element } from '../ui/dom';
import { roundedBox, TEXT_FROM, type Layer } from '../canvas/paint/paint';
import type { RunState } from './runstate';
import { drawPill } from '../canvas/paint/badges';
import type { Theme } from '../ui/theme';
import type { View } from '../core/view';

const LIGHT = ['#fdf1cf', '#fbd283', '#f5a24a', '#e2682b', '#b8371f', '#7f1222'];
const DARK = ['#3b3526', '#5f4b22', '#93661f', '#c98529', '#eeae4e', '#ffe0a0'];
const WORDS_LIGHT = ['#7fb2e5', '#f0b55a', '#8ccf9b', '#d79be0', '#e58f86', '#b7bcc8'];
const WORDS_DARK = ['#3f78b5', '#a9741c', '#3f8a55', '#8f55a0', '#a9493f', '#616a7c'];

export const STEPS = LIGHT.length;

/** How much of the most it is, from 0 to 1: the root, so that small ones can be told apart too. */
export const level = (value: number, most: number): number =>
  most > 0 ? Math.min(1, Math.sqrt(Math.abs(value) / most)) : 0;

export const stepColor = (theme: Theme, step: number): string => (theme.dark ? DARK : LIGHT)[step];

export const levelColor = (theme: Theme, at: number): string =>
  stepColor(theme, Math.min(STEPS - 1, Math.floor(at * STEPS)));

export function wordColor(theme: Theme, place: number): string {
  const colors = theme.dark ? WORDS_DARK : WORDS_LIGHT;
  return colors[place % colors.length];
}

const GAUGE = 7;

const metricLayer =
  (state: RunState): Layer =>
  (paint, boxes) => {
    const { metric, run } = state;
    const { context, theme, camera, h, scene } = paint;
    const detailed = camera.scale >= TEXT_FROM;
    for (const [index, box] of boxes) {
      const at = scene.visible.elements[index];
      const kind = scene.visible.kinds[index];
      const isNode = kindOf(h, at) === 'op';
      if (isNode && run?.end?.state === 'failed' && run.end.node === at) {
        context.strokeStyle = theme.error;
        context.lineWidth = Math.max(3, 2 / camera.scale);
        roundedBox(context, { x: box.x - 2, y: box.y - 2, width: box.width + 4, height: box.height + 4 }, 8);
        context.stroke();
        drawPill(paint, box.x + box.width - 4, box.y, runStrings.failedHere(), theme.error);
      }
      const value =
        metric === null
          ? null
          : kind === 'closed'
            ? metric.groups[scopeOf(h, at)]
            : isNode
              ? metric.values[at]
              : null;
      if (metric === null || value === null || value === undefined) {
        continue;
      }
      const color = colorOf(metric, theme, value);
      // The gauge fills up with the value, so that its length tells what its color does.
      const whole = metric.categories !== null || !Number.isFinite(value);
      const part = whole ? 1 : level(value, gaugeMost(metric, kind === 'closed'));
      const width = detailed ? GAUGE : box.width;
      context.fillStyle = theme.background;
      context.fillRect(box.x, box.y, width, box.height);
      context.fillStyle = color;
      context.fillRect(box.x, box.y + box.height * (1 - part), width, box.height * part);
      // The lightest colors are close to the ground: the frame says how long the gauge could be.
      context.strokeStyle = theme.muted;
      context.lineWidth = 1;
      roundedBox(context, { ...box, width }, 0);
      context.stroke();
      if (detailed && !(metric.id === 'nonfinite' && value === 0)) {
        drawPill(paint, box.x + box.width - 4, box.y + box.height + 5, metric.text(value), color);
      }
    }
  };

/** Sums of groups are compared with the total, single operators with the largest of them. */
const gaugeMost = (metric: Metric, group: boolean): number =>
  group && metric.isAdditive ? (metric.groups[0] ?? metric.most) : metric.most;

function colorOf(metric: Metric, theme: Theme, value: number): string {
  if (metric.id === 'nonfinite') {
    return value === 0 ? theme.edge : value === 1 ? theme.warning : theme.error;
  }
  if (metric.categories !== null) {
    return wordColor(theme, value);
  }
  return Number.isFinite(value) ? levelColor(theme, level(value, metric.most)) : theme.error;
}

export function overlayFeature(view: View, state: RunState): void {
  const select = element('select', { class: 'select', attributes: { 'aria-label': runStrings.overlay() } });
  const key = element('div', {});
  const label = element('label', { text: `${runStrings.overlay()} ` });
  label.append(select);
  const legend = element(
    'div',
    { class: 'overlay-legend', attributes: { role: 'group', 'aria-label': runStrings.overlay() } },
    label,
    key,
  );
  legend.hidden = true;
  view.stage.node.append(legend);
  view.stage.addLayer(metricLayer(state));
  for (const name of ['pointerdown', 'wheel', 'dblclick', 'keydown'] as const) {
    legend.addEventListener(name, (event) => event.stopPropagation());
  }

  const fill = (): void => {
    const choices = state.overlays();
    legend.hidden = !state.connected && state.run === null && state.overlay === '';
    select.replaceChildren(
      element('option', { text: runStrings.none(), attributes: { value: '' } }),
      ...choices.map(([id, text, there]) => {
        const option = element('option', {
          text: there ? text : runStrings.runFirst(text),
          attributes: { value: id },
        });
        option.disabled = !there;
        return option;
      }),
    );
    select.value = state.overlay;
    key.replaceChildren(...(state.metric === null ? [] : keyOf(view, state.metric)));
  };
  select.addEventListener('change', () => state.setOverlay(select.value));
  state.events.on('metric', fill);
  state.events.on('link', fill);
  view.events.on('theme', () => state.metric !== null && fill());
  view.keys.bind({
    keys: ['v'],
    help: ['v', runStrings.helpOverlay()],
    run() {
      const there = ['', ...state.overlays().flatMap(([id, , usable]) => (usable ? [id] : []))];
      const next = there[(there.indexOf(state.overlay) + 1) % there.length];
      state.setOverlay(next);
      view.notify(runStrings.overlayIs(next === '' ? runStrings.none() : (state.metric?.label ?? next)));
    },
  });
}

function keyOf(view: View, metric: Metric): Node[] {
  const { theme } = view;
  if (metric.categories !== null) {
    const items = metric.categories.map((word, place) => {
      const swatch = element('i', {});
      swatch.style.background = colorOf(metric, theme, place);
      return element('li', {}, swatch, element('span', { text: word }));
    });
    return [element('ul', { class: 'categories' }, ...items)];
  }
  const steps = Array.from({ length: STEPS }, (_, step) => {
    const part = element('span', { class: 'step' });
    part.style.background = stepColor(theme, step);
    return part;
  });
  const whole = metric.groups[0];
  return [
    element('div', { class: 'steps', attributes: { 'aria-hidden': 'true' } }, ...steps),
    element(
      'div',
      { class: 'ends' },
      element('span', { text: '0' }),
      element('span', { text: metric.text(metric.most) }),
    ),
    ...(metric.isAdditive && whole !== null
      ? [element('div', { class: 'muted', text: runStrings.total(metric.text(whole)) })]
      : []),
    element('button', {
      class: 'link-button',
      text: runStrings.showHotSpots(),
      attributes: { type: 'button' },
      onClick: () => view.openPanel('hotspots', true),
    }),
  ];
}
