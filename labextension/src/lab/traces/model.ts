/** The traces of the kernel of one notebook or console, asked again when they may have changed and are looked at. */

import type { Kernel, KernelMessage } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { MIME_TYPE } from '../../protocol/viewdocument';
import type { Answers } from '../../protocol/panelmessages';
import { ask } from './kernelrequests';
import type { SessionHost } from './sessionhost';

/** A kernel that is busy for less than this is not reported. */
const BUSY_DELAY_MS = 400;

export const EMPTY: Answers['summary'] = { traces: [], warnings: [], more_warnings: 0, folder: '' };

/** Why a kernel cannot be asked; null for one that can. */
export function kernelStatus(place: SessionHost | null, trans: TranslationBundle): string | null {
  if (place === null) {
    return trans.__('Open a notebook or a console to list the traces of its kernel.');
  }
  const { session } = place;
  const kernel = session.session?.kernel;
  if (kernel === undefined || kernel === null) {
    return session.isReady || session.hasNoKernel
      ? trans.__('%1 has no kernel. Start a kernel to see its traces.', session.name)
      : trans.__('The kernel is starting.');
  }
  if (kernel.connectionStatus === 'disconnected') {
    return trans.__('The connection to the kernel was lost.');
  }
  switch (kernel.status) {
    case 'starting':
      return trans.__('The kernel is starting.');
    case 'restarting':
    case 'autorestarting':
      return trans.__('The kernel is restarting. Its traces were discarded.');
    case 'terminating':
    case 'dead':
      return trans.__('The kernel was shut down, and its traces were discarded. Restart it to trace again.');
    default:
      return null;
  }
}

/** The language of a kernel; what it runs is known before it answers. */
export async function languageOf(place: SessionHost, kernel: Kernel.IKernelConnection): Promise<string> {
  const spec = place.session.specsManager.specs?.kernelspecs[kernel.name];
  return spec?.language ?? (await kernel.info).language_info.name;
}

export class TracesModel {
  /** Shown in place of the list. */
  status: string | null = null;
  /** Shown beside the list, which is the last that is known. */
  waiting = false;
  content = EMPTY;
  readonly changed = new Signal<this, void>(this);
  private current: SessionHost | null = null;
  private stale = true;
  private asking = false;
  private isShown = false;
  private timer = 0;

  constructor(
    private readonly root: string,
    private readonly trans: TranslationBundle,
  ) {
    this.status = kernelStatus(null, trans);
  }

  get host(): SessionHost | null {
    return this.current;
  }

  set host(place: SessionHost | null) {
    if (place?.widget === this.current?.widget) {
      return;
    }
    if (this.current !== null) {
      this.current.session.iopubMessage.disconnect(this.onMessage, this);
      this.current.session.statusChanged.disconnect(this.onStatus, this);
      this.current.session.connectionStatusChanged.disconnect(this.onStatus, this);
      this.current.session.kernelChanged.disconnect(this.onKernel, this);
      this.current.session.sessionChanged.disconnect(this.onKernel, this);
      this.current.widget.disposed.disconnect(this.onDisposed, this);
    }
    this.current = place;
    if (place !== null) {
      place.session.iopubMessage.connect(this.onMessage, this);
      place.session.statusChanged.connect(this.onStatus, this);
      place.session.connectionStatusChanged.connect(this.onStatus, this);
      place.session.kernelChanged.connect(this.onKernel, this);
      place.session.sessionChanged.connect(this.onKernel, this);
      place.widget.disposed.connect(this.onDisposed, this);
      void place.session.ready.then(() => this.update());
    }
    this.onKernel();
  }

  get kernel(): Kernel.IKernelConnection | null {
    return this.current?.session.session?.kernel ?? null;
  }

  /** While nobody looks, nothing is asked. */
  set shown(shown: boolean) {
    this.isShown = shown;
    this.update();
  }

  refresh(): void {
    this.stale = true;
    this.update();
  }

  private onMessage(_: unknown, message: KernelMessage.IMessage): void {
    const data = (message.content as { data?: Record<string, unknown> }).data;
    // Any cell can bind or delete a trace; ours are silent and give no such message.
    if (message.header.msg_type === 'execute_input' || data?.[MIME_TYPE] !== undefined) {
      this.stale = true;
      this.update();
    }
  }

  private onStatus(): void {
    if (kernelStatus(this.current, this.trans) !== null) {
      this.stale = true;
      this.content = EMPTY;
    }
    this.update();
  }

  private onKernel(): void {
    this.content = EMPTY;
    this.refresh();
  }

  private onDisposed(): void {
    this.host = null;
  }

  private update(): void {
    const sentence = kernelStatus(this.current, this.trans);
    if (sentence !== null) {
      this.setStatus(sentence);
      return;
    }
    if (!this.isShown || !this.stale || this.asking) {
      return;
    }
    const kernel = this.kernel!;
    if (kernel.status !== 'idle') {
      // Asked when it is idle: what was asked now would wait in its queue, and more behind it.
      this.wait();
      return;
    }
    this.stale = false;
    this.asking = true;
    void this.askKernel(this.current!, kernel).finally(() => {
      this.asking = false;
      this.update();
    });
  }

  private async askKernel(place: SessionHost, kernel: Kernel.IKernelConnection): Promise<void> {
    const language = await languageOf(place, kernel).catch(() => '');
    if (language.toLowerCase() !== 'python') {
      this.content = EMPTY;
      this.setStatus(this.trans.__('Only Python kernels can trace. This kernel runs %1.', language || '?'));
      return;
    }
    const reply = await ask(kernel, 'summary', { root: this.root });
    if (kernel !== this.kernel) {
      this.stale = true;
      return;
    }
    if (reply.kind === 'answer') {
      this.content = reply.content;
      this.setStatus(null);
      return;
    }
    this.content = EMPTY;
    switch (reply.kind) {
      case 'not imported':
        this.setStatus(null);
        break;
      case 'not installed':
        this.setStatus(
          this.trans.__(
            'tracelab is not installed in this kernel. Run %1 in a cell.',
            '%pip install tracelab',
          ),
        );
        break;
      case 'older':
        this.setStatus(
          this.trans.__(
            'The kernel has an older version of tracelab than the JupyterLab extension. Update tracelab in the kernel.',
          ),
        );
        break;
      case 'error':
        this.setStatus(this.trans.__('The kernel could not list its traces: %1', reply.text));
        break;
      case 'gone':
        this.stale = true;
        this.setStatus(kernelStatus(this.current, this.trans));
    }
  }

  private wait(): void {
    if (this.timer === 0 && !this.waiting) {
      this.timer = window.setTimeout(() => {
        this.timer = 0;
        this.waiting = this.kernel !== null && this.kernel.status !== 'idle';
        this.status = kernelStatus(this.current, this.trans);
        this.changed.emit();
      }, BUSY_DELAY_MS);
    }
  }

  private setStatus(sentence: string | null): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.waiting = false;
    this.status = sentence;
    this.changed.emit();
  }
}
