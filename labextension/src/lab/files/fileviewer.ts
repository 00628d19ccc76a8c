/** A graph file in a tab: the explorer, or one sentence; and what became of the file since. */

import type { DocumentRegistry } from '@jupyterlab/docregistry';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import type { Explorer } from '../../explorer/explorer';
import { labExplorer } from '../shell';
import type { Read } from './filereader';

export interface ViewerTexts {
  opening: string;
  changed: string;
  removed: string;
  reload: string;
}

export interface FileSource {
  read(say: (text: string) => void): Promise<Read>;
  /** null: the file is gone, '': not known. */
  etag(): Promise<string | null>;
}

export class FileViewer extends Widget {
  private explorer: Explorer | null = null;
  private etag = '';
  private turn = 0;
  private readonly host = document.createElement('div');
  private readonly notice = document.createElement('div');

  constructor(
    context: DocumentRegistry.Context,
    private readonly source: FileSource,
    private readonly texts: ViewerTexts,
  ) {
    super();
    this.addClass('tracelab-file');
    this.host.className = 'tracelab-file-host';
    this.notice.className = 'tracelab-file-notice';
    this.notice.setAttribute('role', 'status');
    this.node.append(this.notice, this.host);
    this.showNotice(texts.opening);
    window.addEventListener('focus', this.checkFile);
    void context.ready.then(() => {
      // What "Reload from disk" ends in, too.
      context.fileChanged.connect(() => void this.reload(), this);
      return this.reload();
    });
  }

  /** Reads the file anew; what was shown stays until there is something better. */
  async reload(): Promise<void> {
    const turn = ++this.turn;
    const read = await this.source.read((text) => this.showNotice(text));
    if (this.isDisposed || turn !== this.turn) {
      return;
    }
    this.etag = read.tag;
    if (read.kind === 'error') {
      this.node.dataset.tracelabError = read.text;
      this.showNotice(read.text, true);
      return;
    }
    delete this.node.dataset.tracelabError;
    this.showNotice('');
    if (this.explorer !== null) {
      this.explorer.setDocument(read.document);
      return;
    }
    this.explorer = labExplorer(this.host, read.document, { fill: true });
  }

  /** Whether the file is still what is shown. */
  private readonly checkFile = async (): Promise<void> => {
    if (this.etag === '' || !this.isVisible) {
      return;
    }
    const tag = await this.source.etag();
    if (this.isDisposed || tag === '' || tag === this.etag) {
      return;
    }
    this.showNotice(tag === null ? this.texts.removed : this.texts.changed, true);
  };

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    void this.checkFile();
  }

  protected override onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    if (this.explorer !== null) {
      this.explorer.focus();
    } else {
      this.node.tabIndex = -1;
      this.node.focus();
    }
    void this.checkFile();
  }

  private showNotice(text: string, again = false): void {
    this.notice.replaceChildren(text);
    this.notice.hidden = text === '';
    if (again) {
      const button = document.createElement('button');
      button.className = 'jp-mod-styled jp-mod-minimal';
      button.textContent = this.texts.reload;
      button.addEventListener('click', () => void this.reload());
      this.notice.append(' ', button);
    }
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    window.removeEventListener('focus', this.checkFile);
    this.explorer?.destroy();
    this.explorer = null;
    super.dispose();
  }
}
