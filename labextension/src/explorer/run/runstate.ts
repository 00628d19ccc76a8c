/** What the run features share: the connection, the last run, the current overlay, and their events. */

import * as runStrings from '../../i18n/runstrings';
import { addBatch, emptyRun, type RunData } from '../../model/run/rundata';
import { METRICS, metricOf, type Metric, type NamedNumbers } from '../../model/run/metrics';
import { doubles, floats, type KernelConnection } from '../../protocol/connection';
import {
  type BrowserMessage,
  type Heatmap,
  type KernelMessage,
  type RunHeatmapError,
  type RunInput,
} from '../../protocol/runmessages';
import { createEvents, type Events } from '../ui/events';
import type { View } from '../core/view';

export interface DrawnHeatmap extends Heatmap {
  cells: Float32Array;
}

interface RunEvents {
  /** The kernel answered, or was disconnected. */
  link: [];
  /** More of a run is known. */
  progress: [];
  /** Another overlay is shown. */
  metric: [];
  heatmap: [heatmap: DrawnHeatmap | RunHeatmapError];
  /** One sentence from the kernel. */
  error: [message: string];
}

export interface RunState {
  readonly events: Events<RunEvents>;
  readonly connected: boolean;
  /** Why nothing can be run any more; empty while the kernel is connected, and where it never was. */
  readonly disconnectedReason: string;
  readonly devices: readonly string[];
  readonly inputs: readonly RunInput[];
  readonly running: boolean;
  readonly run: RunData | null;
  readonly metric: Metric | null;
  readonly overlay: string;
  /** The overlays: id, label, and whether there is something to show. */
  overlays(): [id: string, label: string, there: boolean][];
  setOverlay(id: string): void;
  send(content: BrowserMessage): void;
}

/** A kernel that does not answer for so long is taken for busy or gone. */
const PATIENCE_MS = 8000;

export const createRunState = (view: View, link: KernelConnection | undefined): RunState => {
  const events = createEvents<RunEvents>();
  const named = new Map<string, NamedNumbers>();
  let connected = false;
  let disconnectedReason = '';
  let devices: string[] = [];
  let inputs: RunInput[] = [];
  let run: RunData | null = null;
  let running = false;
  let overlay = '';
  let metric: Metric | null = null;
  let waiting = 0;
  let clock = 0;

  const refresh = (): void => {
    const h = view.graph;
    metric = h === null || overlay === '' ? null : metricOf(h, run, named, overlay);
    events.emit('metric');
    view.stage.repaint();
  };
  const disconnect = (why: string): void => {
    if (connected || running) {
      connected = false;
      running = false;
      disconnectedReason = why;
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
    waiting = window.setTimeout(() => disconnect(runStrings.kernelSilent()), patience);
  };
  const send = (content: BrowserMessage, patience = PATIENCE_MS): void => {
    try {
      link?.send(content);
      expectAnswer(patience);
    } catch {
      disconnect(runStrings.connectionLost());
    }
  };
  /** While a slow node runs, the kernel still answers. */
  const ping = (): void => send({ type: 'run.ping' });

  const take = (message: KernelMessage, buffers: DataView[]): void => {
    const h = view.graph;
    heard();
    switch (message.type) {
      case 'run.ready':
        ({ devices, inputs } = message);
        connected = true;
        disconnectedReason = '';
        events.emit('link');
        break;
      case 'run.begin':
        run = view.lastRun = emptyRun(h?.nodes ?? 0);
        running = true;
        overlay ||= 'time';
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
        if (message.device === 'meta' && overlay === 'time') {
          overlay = 'memory';
        }
        events.emit('progress');
        refresh();
        break;
      case 'run.overlay':
        named.set(message.name, { name: message.name, unit: message.unit, values: doubles(buffers[0]) });
        if (message.name !== 'FLOPs') {
          overlay = message.name;
        }
        refresh();
        break;
      case 'run.heatmap':
        events.emit('heatmap', { ...message, cells: floats(buffers[0]) });
        break;
      case 'run.heatmap_error':
        events.emit('heatmap', message);
        break;
      case 'run.error':
        events.emit('error', message.message);
        break;
      default:
        // It was only busy.
        if (disconnectedReason !== '') {
          connected = true;
          disconnectedReason = '';
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
  link?.onDisconnect(() => disconnect(runStrings.kernelGone()));
  link?.onConnectionChange(() => connected && send({ type: 'run.ping' }, PATIENCE_MS / 4));
  view.events.on('graph', () => {
    run = view.lastRun = null;
    running = false;
    named.clear();
    overlay = '';
    refresh();
    try {
      // Without an answer there is no run bar, as on a page without a kernel.
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
    get connected() {
      return connected;
    },
    get disconnectedReason() {
      return disconnectedReason;
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
    get overlay() {
      return overlay;
    },
    overlays() {
      const fixed = METRICS.map(([id, label, isKnown]): [string, string, boolean] => [
        id,
        label(),
        isKnown(run),
      ]);
      fixed.splice(2, 0, ['FLOPs', runStrings.flops(), named.has('FLOPs') || connected]);
      const others = [...named.keys()].filter((name) => !fixed.some(([id]) => id === name));
      return [...fixed, ...others.map((name): [string, string, boolean] => [name, name, true])];
    },
    setOverlay(id) {
      overlay = id;
      if (id === 'FLOPs' && !named.has(id)) {
        send({ type: 'run.flops' });
      }
      refresh();
    },
    send,
  };
};
