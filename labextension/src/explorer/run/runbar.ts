/** Running the graph: the bar with device, inputs, Run and Stop, and what follows from it in picture and panel. */

import { plural } from '../../model/describe';
import { elementText } from '../../model/elementdetails';
import { kindOf } from '../../model/hierarchy';
import { secondsText } from '../../model/run/metrics';
import { button, element } from '../ui/dom';
import { heaviestFeature } from './hotspots';
import { metricFeature } from './overlay';
import { createRunState, type RunState } from './runstate';
import { valuesFeature } from './values';
import type { View } from '../core/view';

export function runFeature(view: View): void {
  const state = createRunState(view, view.options.kernel);
  metricFeature(view, state);
  heaviestFeature(view, state);
  valuesFeature(view, state);
  if (view.options.kernel !== undefined) {
    barFeature(view, state);
  }
}

function barFeature(view: View, state: RunState): void {
  const devices = element('select', { class: 'choice', attributes: { 'aria-label': 'Device' } });
  const fields = element('span', { class: 'fields' });
  const status = element('span', { class: 'status', attributes: { role: 'status' } });
  const texts = new Map<string, string>();

  const start = (upto: number): void => {
    if (state.live && !state.running) {
      const inputs = state.inputs.map(({ name }) => texts.get(name) ?? '');
      say('starting …');
      state.send({ type: 'run.start', device: devices.value, inputs, upto });
    }
  };
  const here = (): number =>
    view.graph !== null && view.selected >= 0 && kindOf(view.graph, view.selected) === 'op'
      ? view.selected
      : -1;
  const toHere = (): void => {
    if (here() >= 0) {
      start(here());
    } else if (state.live) {
      view.notify('Select an operator to run to.');
    }
  };
  const run = button('Run (r)', '▶ Run', () => start(-1));
  const runTo = button('Run to the selected operator (t)', 'Run to here', toHere);
  const stop = button('Stop (.)', '■ Stop', () => state.send({ type: 'run.stop' }));
  const bar = element(
    'div',
    { class: 'runbar', attributes: { role: 'toolbar', 'aria-label': 'Run' } },
    run,
    runTo,
    stop,
    devices,
    fields,
    status,
  );
  bar.hidden = true;

  function say(text: string, bad = false): void {
    status.textContent = text;
    status.title = text;
    status.classList.toggle('bad', bad);
  }

  const fillBar = (): void => {
    bar.hidden = !state.live && state.gone === '';
    const wanted = devices.value;
    devices.replaceChildren(
      ...state.devices.map((name) =>
        element('option', {
          text: name === 'meta' ? 'meta (estimate)' : name,
          attributes: { value: name },
        }),
      ),
    );
    devices.value = state.devices.includes(wanted) ? wanted : (state.devices[0] ?? '');
    fields.replaceChildren(
      ...state.inputs.map(({ name, type, kept }) => {
        const field = element('input', {
          title: `${name}: ${type}. Empty: ${kept ? 'as in the trace' : 'random'}. A shape such as 8×3×224×224: random. A name: that variable.`,
          attributes: {
            'aria-label': `Input ${name}`,
            placeholder: `${name}: ${kept ? 'as traced' : 'random'}`,
            spellcheck: 'false',
          },
        });
        field.value = texts.get(name) ?? '';
        field.addEventListener('input', () => texts.set(name, field.value));
        field.addEventListener('keydown', (event) => {
          event.stopPropagation();
          if (event.key === 'Enter') {
            start(-1);
          }
        });
        return field;
      }),
    );
    enable();
    if (state.gone !== '') {
      say(state.gone, true);
    }
  };
  const enable = (): void => {
    const idle = state.live && !state.running;
    run.disabled = !idle;
    runTo.disabled = !idle || here() < 0;
    stop.disabled = !state.running;
    devices.disabled = !state.live;
  };

  state.events.on('link', fillBar);
  state.events.on('error', (message) => say(message, true));
  state.events.on('progress', () => {
    enable();
    say(...progressText(view, state));
  });
  view.events.on('select', enable);
  view.events.on('graph', () => {
    view.toolbar.node.after(bar);
    say('');
  });
  view.keys.bind({ keys: ['r'], help: ['r', 'run the graph'], run: () => start(-1) });
  view.keys.bind({ keys: ['t'], help: ['t', 'run to the selected operator'], run: toHere });
  view.keys.bind({
    keys: ['.'],
    help: ['.', 'stop the run'],
    anywhere: true,
    run: () => state.running && state.send({ type: 'run.stop' }),
  });
  view.actions.push({
    label: 'Run to here',
    available: (at) => state.live && view.graph !== null && kindOf(view.graph, at) === 'op',
    run: (at) => start(at),
  });
}

/** How far it came, or how it ended. */
function progressText(view: View, state: RunState): [text: string, bad: boolean] {
  const { run } = state;
  const h = view.graph;
  if (state.gone !== '') {
    return [state.gone, true];
  }
  if (run === null || h === null) {
    return ['', false];
  }
  if (run.end === null) {
    return [`${run.count} of ${h.nodes} operators`, false];
  }
  const { state: how, message, nan = -1, nonfinite = -1, device = '', stopped = -1 } = run.end;
  if (how === 'failed') {
    return [`✕ ${message}`, true];
  }
  const total = run.seconds.reduce((sum, each) => sum + (Number.isNaN(each) ? 0 : each), 0);
  const parts = [`${plural(run.count, 'operator')} on ${device}`];
  if (total > 0) {
    parts.push(secondsText(total));
  }
  if (how !== 'finished') {
    parts.push(`${how} before ${stopped >= 0 ? elementText(h, stopped) : 'the end'}`);
  }
  if (nan >= 0) {
    parts.push(`first NaN: ${elementText(h, nan)}`);
  } else if (nonfinite >= 0) {
    parts.push(`first infinity: ${elementText(h, nonfinite)}`);
  }
  return [parts.join(' · '), nan >= 0];
}
