/** A trace in a tab of its own: the live widget beside its notebook, and a snapshot when the kernel is gone. */

import { MimeModel } from '@jupyterlab/rendermime';
import type { Kernel } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';
import type { Explorer } from '../../explorer/explorer';
import { MIME_TYPE } from '../../protocol/viewdocument';
import { TracelabRenderer } from '../renderer/renderer';
import { ask } from './kernelrequests';
import { kernelStatus } from './model';
import type { SessionHost } from './sessionhost';

/** What it takes to open the tab again after a reload. */
export interface TabArgs {
  path: string;
  key: string;
  /** The second of a comparison. */
  other?: string;
  title: string;
}

const SMALLEST = 120;

export class TraceTab extends Panel {
  private readonly banner = new Widget();
  private readonly watcher: MutationObserver;
  private picture: TracelabRenderer | null = null;
  private document: unknown = null;
  private current: SessionHost | null = null;
  /** The kernel and widget of the picture; null where there is none, or it is gone. */
  private live: { kernel: Kernel.IKernelConnection; explorer: string } | null = null;
  private asking = false;
  /** The kernel has said that there is no such trace. */
  private gone = false;

  constructor(
    readonly args: TabArgs,
    private readonly trans: TranslationBundle,
  ) {
    super();
    this.addClass('tracelab-tab');
    this.banner.addClass('tracelab-tab-banner');
    this.banner.node.setAttribute('role', 'status');
    this.addWidget(this.banner);
    this.watcher = new MutationObserver(() => this.fill());
    this.showBanner(trans.__('Waiting for %1 and its kernel…', args.path));
  }

  get host(): SessionHost | null {
    return this.current;
  }

  /** Follows the kernel of a notebook or console. */
  attach(place: SessionHost): void {
    this.detach();
    this.current = place;
    const { session, widget } = place;
    session.statusChanged.connect(this.onStatus, this);
    session.kernelChanged.connect(this.onStatus, this);
    session.connectionStatusChanged.connect(this.onStatus, this);
    widget.disposed.connect(this.onClosed, this);
    void session.ready.then(() => this.onStatus());
    this.onStatus();
  }

  /** Its notebook is not open: what there is to say while nothing can be shown. */
  showNotOpen(): void {
    if (this.current === null) {
      this.showBanner(this.trans.__('%1 is not open. Open it to show the trace here again.', this.args.path));
    }
  }

  private detach(): void {
    if (this.current !== null) {
      const { session, widget } = this.current;
      session.statusChanged.disconnect(this.onStatus, this);
      session.kernelChanged.disconnect(this.onStatus, this);
      session.connectionStatusChanged.disconnect(this.onStatus, this);
      widget.disposed.disconnect(this.onClosed, this);
      this.current = null;
    }
  }

  private onClosed(): void {
    this.detach();
    this.showSnapshot();
    this.showBanner(this.trans.__('%1 was closed. Open it to make the trace live again.', this.args.path));
  }

  private onStatus(): void {
    const place = this.current;
    if (place === null || this.isDisposed) {
      return;
    }
    const kernel = place.session.session?.kernel ?? null;
    if (this.live !== null) {
      const ended = ['restarting', 'autorestarting', 'dead', 'terminating'].includes(
        kernel?.status ?? 'dead',
      );
      if (kernel === this.live.kernel && !ended) {
        return;
      }
      this.gone = true;
      this.showSnapshot();
      this.showBanner(
        this.trans.__('The kernel was restarted or shut down. This is a snapshot of a discarded trace. ') +
          this.trans.__('Run its cell again, and open the new trace from the list of traces.'),
      );
      return;
    }
    if (this.gone || this.asking) {
      return;
    }
    const sentence = kernelStatus(place, this.trans);
    if (sentence !== null) {
      this.showBanner(sentence);
    } else if (kernel!.status !== 'idle') {
      this.showBanner(this.trans.__('A cell is running. The trace opens when it finishes.'));
    } else {
      this.asking = true;
      void this.open(place, kernel!).finally(() => (this.asking = false));
    }
  }

  private async open(place: SessionHost, kernel: Kernel.IKernelConnection): Promise<void> {
    const { key, other, title } = this.args;
    this.showBanner(this.trans.__('Opening %1…', title));
    const reply = await (other === undefined
      ? ask(kernel, 'open', { key })
      : ask(kernel, 'compare', { first: key, second: other }));
    if (reply.kind !== 'answer') {
      this.gone = reply.kind !== 'gone';
      this.showBanner(
        reply.kind === 'error'
          ? this.trans.__('%1 cannot be shown: %2.', title, reply.text)
          : reply.kind === 'gone'
            ? (kernelStatus(place, this.trans) ?? this.trans.__('The kernel did not respond.'))
            : this.trans.__(
                '%1 cannot be shown because the kernel was restarted. Run its cell again.',
                title,
              ),
      );
      return;
    }
    const { bundle, explorer } = reply.content;
    if (bundle === undefined || explorer === undefined) {
      this.gone = true;
      this.showBanner((reply.content as { same?: string }).same ?? '');
      return;
    }
    if (this.isDisposed || this.current?.widget !== place.widget) {
      void ask(kernel, 'release', { explorer });
      return;
    }
    this.live = { kernel, explorer };
    this.document = bundle[MIME_TYPE];
    this.showBanner('');
    this.draw(new TracelabRenderer(place.rendermime), bundle as Record<string, never>);
  }

  /** Replaces the widget by its last picture, which needs no kernel. */
  private showSnapshot(): void {
    this.live = null;
    if (this.document !== null && this.document !== undefined) {
      this.draw(new TracelabRenderer(null), { [MIME_TYPE]: this.document as never });
    } else {
      this.picture?.dispose();
      this.picture = null;
    }
  }

  private draw(picture: TracelabRenderer, data: Record<string, never>): void {
    this.watcher.disconnect();
    this.picture?.dispose();
    this.picture = picture;
    this.addWidget(picture);
    this.watcher.observe(picture.node, { childList: true, subtree: true });
    void picture.renderModel(new MimeModel({ data, trusted: true })).then(() => this.fill());
  }

  private showBanner(text: string): void {
    this.banner.node.textContent = text;
    this.banner.setHidden(text === '');
    this.fill();
  }

  protected override onResize(message: Widget.ResizeMessage): void {
    super.onResize(message);
    this.fill();
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.fill();
  }

  /** The picture is as high as the tab. */
  private fill(): void {
    if (!this.isVisible || this.picture === null) {
      return;
    }
    const height = this.node.clientHeight - (this.banner.isHidden ? 0 : this.banner.node.offsetHeight) - 16;
    for (const host of this.picture.node.querySelectorAll<HTMLElement & { tracelab?: Explorer }>(
      '[data-tracelab-ready]',
    )) {
      if (host.tracelab !== undefined && Math.abs(host.offsetHeight - height) > 1 && height >= SMALLEST) {
        host.tracelab.setHeight(height);
      }
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.watcher.disconnect();
    if (this.live !== null && !this.live.kernel.isDisposed) {
      // The widget in the kernel ends with its tab.
      void ask(this.live.kernel, 'release', { explorer: this.live.explorer });
    }
    this.detach();
    super.dispose();
  }
}
