/** What the parts of running share: the link, the last run, the numbers laid over the picture, and who listens. */

import * as runStrings from '../../i18n/runstrings';
import { addBatch, emptyRun, type RunData } from '../../model/run/rundata';
import { METRICS, metricOf, type Metric, type NamedNumbers } from '../../model/run/metrics';
import {
  doubles,
  floats,
  type Heatmap,
  type KernelLink,
  type KernelMessage,
  type RunInput,
} from '../../protocol/runmessages';
import { createEvents, type Events } from '../ui/events';
import type { View } from '../core/view';

export interface DrawnHeatmap extends Heatmap {
  cells: Float32Array;
}

interface RunEvents {
  /** The kernel answered, or is gone. */
  link: [];
  /** More of a run is known. */
  progress: [];
  /** Something else is laid over the picture. */
  metric: [];
  heatmap: [heatmap: DrawnHeatmap];
  /** One sentence from the kernel. */
  error: [message: string];
}

export interface RunState {
  readonly events: Events<RunEvents>;
  readonly live: boolean;
  /** Why nothing can be run any more; empty while it can, and where it never could. */
  readonly gone: string;
  readonly devices: readonly string[];
  readonly inputs: readonly RunInput[];
  readonly running: boolean;
  readonly run: RunData | null;
  readonly metric: Metric | null;
  readonly chosen: string;
  /** What can be laid over the picture now: id, label, and whether there is something to see. */
  choices(): [id: string, label: string, there: boolean][];
  choose(id: string): void;
  send(content: Record<string, unknown>): void;
}

/** A kernel that is asked something and says nothing for so long is taken for busy or gone. */
const PATIENCE_MS = 8000;

export const createRunState = (view: View, link: KernelLink | undefined): RunState => {
  const events = createEvents<RunEvents>();
  const named = new Map<string, NamedNumbers>();
  let live = false;
  let gone = '';
  let devices: string[] = [];
  let inputs: RunInput[] = [];
  let run: RunData | null = null;
  let running = false;
  let chosen = '';
  let metric: Metric | null = null;
  let waiting = 0;
  let clock = 0;

  const refresh = (): void => {
    const h = view.graph;
    metric = h === null || chosen === '' ? null : metricOf(h, run, named, chosen);
    events.emit('metric');
    view.stage.repaint();
  };
  const lose = (why: string): void => {
    if (live || running) {
      live = false;
      running = false;
      gone = why;
      view.notify(why);
      events.emit('link');
      events.emit('progress');
    }
  };
  const heard = (): void => {
    window.clearTimeout(waiting);
    waiting = 0;
    if (running) {
      waiting = window.setTimeout(ping, PATIENCE_MS / 2);
    }
  };
  const expectAnswer = (patience: number): void => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => lose(runStrings.kernelSilent()), patience);
  };
  const send = (content: Record<string, unknown>, patience = PATIENCE_MS): void => {
    try {
      link?.send(content);
      expectAnswer(patience);
    } catch {
      lose(runStrings.connectionLost());
    }
  };
  /** A node that takes long is no reason to think the kernel gone: it still answers. */
  const ping = (): void => send({ type: 'run.ping' });

  const take = (message: KernelMessage, buffers: DataView[]): void => {
    const h = view.graph;
    heard();
    switch (message.type) {
      case 'run.ready':
        ({ devices, inputs } = message);
        live = true;
        gone = '';
        events.emit('link');
        break;
      case 'run.begin':
        run = view.lastRun = emptyRun(h?.nodes ?? 0);
        running = true;
        chosen ||= 'time';
        heard();
        events.emit('progress');
        refresh();
        break;
      case 'run.progress':
        if (run !== null) {
          addBatch(run, message, buffers);
          events.emit('progress');
          soon();
        }
        break;
      case 'run.end':
        running = false;
        heard();
        if (run !== null) {
          run.end = message;
        }
        if (message.device === 'meta' && chosen === 'time') {
          chosen = 'memory';
        }
        events.emit('progress');
        refresh();
        break;
      case 'run.overlay':
        named.set(message.name, { name: message.name, unit: message.unit, values: doubles(buffers[0]) });
        if (message.name !== 'FLOPs') {
          chosen = message.name;
        }
        refresh();
        break;
      case 'run.heatmap':
        events.emit('heatmap', { ...message, cells: buffers[0] ? floats(buffers[0]) : new Float32Array() });
        break;
      case 'run.error':
        events.emit('error', message.message);
        break;
      default:
        // It was only busy.
        if (gone !== '') {
          live = true;
          gone = '';
          events.emit('link');
        }
    }
  };
  /** Numbers are added up again at most once a frame. */
  const soon = (): void => {
    if (clock === 0) {
      clock = requestAnimationFrame(() => {
        clock = 0;
        refresh();
      });
    }
  };

  link?.onMessage((message, buffers) => {
    if (typeof message?.type === 'string' && message.type.startsWith('run.')) {
      take(message, buffers);
    }
  });
  link?.onGone(() => lose(runStrings.kernelGone()));
  link?.onDoubt(() => live && send({ type: 'run.ping' }, PATIENCE_MS / 4));
  view.events.on('graph', () => {
    run = view.lastRun = null;
    running = false;
    named.clear();
    chosen = '';
    refresh();
    try {
      // No answer, no run bar: that is how a page without a kernel looks.
      link?.send({ type: 'run.hello' });
    } catch {
      // There is no kernel.
    }
  });
  view.events.on('destroy', () => {
    window.clearTimeout(waiting);
    cancelAnimationFrame(clock);
  });

  return {
    events,
    get live() {
      return live;
    },
    get gone() {
      return gone;
    },
    get devices() {
      return devices;
    },
    get inputs() {
      return inputs;
    },
    get running() {
      return running;
    },
    get run() {
      return run;
    },
    get metric() {
      return metric;
    },
    get chosen() {
      return chosen;
    },
    choices() {
      const fixed = METRICS.map(([id, label, needsRun]): [string, string, boolean] => [
        id,
        label(),
        !needsRun || run !== null,
      ]);
      fixed.splice(2, 0, ['FLOPs', runStrings.flops(), named.has('FLOPs') || live]);
      const others = [...named.keys()].filter((name) => !fixed.some(([id]) => id === name));
      return [...fixed, ...others.map((name): [string, string, boolean] => [name, name, true])];
    },
    choose(id) {
      chosen = id;
      if (id === 'FLOPs' && !named.has(id)) {
        send({ type: 'run.flops' });
      }
      refresh();
    },
    send,
  };
};
