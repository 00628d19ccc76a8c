/** Running the graph: the bar with device, inputs, Run and Stop, and what follows from it in picture and panel. */

import * as runStrings from '../../i18n/runstrings';
import { elementText } from '../../model/elementdetails';
import { kindOf } from '../../model/hierarchy';
import { secondsText } from '../../model/run/metrics';
import { button, element } from '../ui/dom';
import { hotSpotsFeature } from './hotspots';
import { overlayFeature } from './overlay';
import { createRunState, type RunState } from './runstate';
import { stripFeature } from './strip';
import { valuesFeature } from './values';
import type { View } from '../core/view';

export function runFeature(view: View): void {
  const state = createRunState(view, view.options.kernel);
  overlayFeature(view, state);
  hotSpotsFeature(view, state);
  stripFeature(view, state);
  valuesFeature(view, state);
  if (view.options.kernel !== undefined) {
    runBar(view, state);
  }
}

function runBar(view: View, state: RunState): void {
  const devices = element('select', {
    class: 'select',
    attributes: { 'aria-label': runStrings.deviceLabel() },
  });
  const fields = element('span', { class: 'fields' });
  const status = element('span', { class: 'status', attributes: { role: 'status' } });
  const texts = new Map<string, string>();

  const start = (until: number): void => {
    if (state.connected && !state.running) {
      const inputs = state.inputs.map(({ name }) => texts.get(name) ?? '');
      setStatus(runStrings.starting());
      state.send({ type: 'run.start', device: devices.value, inputs, until });
    }
  };
  const here = (): number =>
    view.graph !== null && view.selected >= 0 && kindOf(view.graph, view.selected) === 'op'
      ? view.selected
      : -1;
  const toHere = (): void => {
    if (here() >= 0) {
      start(here());
    } else if (state.connected) {
      view.notify(runStrings.selectToRunTo());
    }
  };
  const run = button(runStrings.runLabel(), runStrings.runFace(), () => start(-1));
  const runTo = button(runStrings.runTo(), runStrings.runToHere(), toHere);
  const stop = button(runStrings.stop(), runStrings.stopFace(), () => state.send({ type: 'run.stop' }));
  const bar = element(
    'div',
    { class: 'runbar', attributes: { role: 'toolbar', 'aria-label': runStrings.run() } },
    run,
    runTo,
    stop,
    devices,
    fields,
    status,
  );
  bar.hidden = true;

  function setStatus(text: string, bad = false): void {
    status.textContent = text;
    status.title = text;
    status.classList.toggle('error', bad);
  }

  const fillBar = (): void => {
    bar.hidden = !state.connected && state.disconnectedReason === '';
    const wanted = devices.value;
    devices.replaceChildren(
      ...state.devices.map((name) =>
        element('option', {
          text: name === 'meta' ? runStrings.metaDevice() : name,
          attributes: { value: name },
        }),
      ),
    );
    devices.value = state.devices.includes(wanted) ? wanted : (state.devices[0] ?? '');
    fields.replaceChildren(
      ...state.inputs.map(({ name, type, kept }) => {
        const field = element('input', {
          title: kept ? runStrings.tracedInputHelp(name, type) : runStrings.randomInputHelp(name, type),
          attributes: {
            'aria-label': runStrings.inputLabel(name),
            placeholder: kept ? runStrings.tracedInput(name) : runStrings.randomInput(name),
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
    if (state.disconnectedReason !== '') {
      setStatus(state.disconnectedReason, true);
    }
  };
  const enable = (): void => {
    const idle = state.connected && !state.running;
    run.disabled = !idle;
    runTo.disabled = !idle || here() < 0;
    stop.disabled = !state.running;
    devices.disabled = !state.connected;
  };

  state.events.on('link', fillBar);
  state.events.on('error', (message) => setStatus(message, true));
  state.events.on('progress', () => {
    enable();
    setStatus(...progressText(view, state));
  });
  view.events.on('select', enable);
  view.events.on('graph', () => {
    view.toolbar.node.after(bar);
    setStatus('');
  });
  view.keys.bind({ keys: ['r'], help: ['r', runStrings.helpRun()], run: () => start(-1) });
  view.keys.bind({ keys: ['t'], help: ['t', runStrings.helpRunTo()], run: toHere });
  view.keys.bind({
    keys: ['.'],
    help: ['.', runStrings.helpStop()],
    anywhere: true,
    run: () => state.running && state.send({ type: 'run.stop' }),
  });
  view.actions.push({
    label: runStrings.runToHere(),
    available: (at) => state.connected && view.graph !== null && kindOf(view.graph, at) === 'op',
    run: (at) => start(at),
  });
}

/** How far it came, or how it ended. */
function progressText(view: View, state: RunState): [text: string, bad: boolean] {
  const { run } = state;
  const h = view.graph;
  if (state.disconnectedReason !== '') {
    return [state.disconnectedReason, true];
  }
  if (run === null || h === null) {
    return ['', false];
  }
  if (run.end === null) {
    return [runStrings.progress(run.count, h.nodes), false];
  }
  const { state: how, message, nan = -1, nonfinite = -1, device = '', stopped = -1 } = run.end;
  if (how === 'failed') {
    return [runStrings.failed(message), true];
  }
  const total = run.seconds.reduce((sum, each) => sum + (Number.isNaN(each) ? 0 : each), 0);
  const parts = [runStrings.ran(run.count, device)];
  if (total > 0) {
    parts.push(secondsText(total));
  }
  if (how !== 'finished') {
    const where = stopped >= 0 ? elementText(h, stopped) : runStrings.theEnd();
    parts.push(how === 'stopped' ? runStrings.stoppedBefore(where) : runStrings.cancelledBefore(where));
  }
  if (nan >= 0) {
    parts.push(runStrings.firstNan(elementText(h, nan)));
  } else if (nonfinite >= 0) {
    parts.push(runStrings.firstInfinity(elementText(h, nonfinite)));
  }
  return [parts.join(' · '), nan >= 0];
}
