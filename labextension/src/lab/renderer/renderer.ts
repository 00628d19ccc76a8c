/**
 * The MIME renderer. An output of ours holds the live widget's view and the view document. Where the kernel is
 * alive the widget is shown; in a saved notebook, which has no models, the explorer is drawn from the document.
 */

import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry, type IRenderMime } from '@jupyterlab/rendermime';
import { ITranslator } from '@jupyterlab/translation';
import { Panel, Widget } from '@lumino/widgets';
import type { Explorer } from '../../explorer/explorer';
import { setTranslation } from '../../i18n/translation';
import { MIME_TYPE } from '../../protocol/viewdocument';
import { labExplorer } from '../shell';

const WIDGET_VIEW = 'application/vnd.jupyter.widget-view+json';

/** JupyterLab's own renderer of widgets is a panel that holds the widget's view once its model is found. */
function holdsView(renderer: Widget): boolean {
  return renderer instanceof Panel
    ? renderer.widgets.length > 0
    : // Another copy of Lumino may have made it.
      ((renderer as Widget & { widgets?: readonly unknown[] }).widgets?.length ?? 0) > 0;
}

export class TracelabRenderer extends Panel implements IRenderMime.IRenderer {
  private explorer: Explorer | null = null;
  private shown: unknown = null;
  private live: IRenderMime.IRenderer | null = null;
  private watcher: MutationObserver | null = null;
  private readonly host = new Widget();

  /** `registry` is that of the notebook, which knows the notebook's widget manager. */
  constructor(private readonly registry: IRenderMimeRegistry | null) {
    super();
    this.addClass('tracelab-output');
    this.addWidget(this.host);
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this.drawDocument(model.data[MIME_TYPE]);
    // A widget runs code that the notebook names: only for notebooks that the person trusts.
    if (this.live === null && model.trusted && model.data[WIDGET_VIEW] !== undefined) {
      this.awaitWidget(model);
    }
  }

  private drawDocument(document: unknown): void {
    if (this.live !== null && holdsView(this.live)) {
      return;
    }
    if (this.explorer === null) {
      this.explorer = labExplorer(this.host.node, document);
    } else if (document !== this.shown) {
      this.explorer.setDocument(document);
    }
    this.shown = document;
  }

  /** Renders the widget out of sight; it stays so until its model is found, which may be never. */
  private awaitWidget(model: IRenderMime.IMimeModel): void {
    let live: IRenderMime.IRenderer;
    try {
      live = this.registry!.createRenderer(WIDGET_VIEW);
    } catch {
      // No registry, or no widget manager is installed.
      return;
    }
    this.live = live;
    live.hide();
    this.addWidget(live);
    const look = (): void => {
      if (!this.isDisposed && holdsView(live)) {
        this.watcher?.disconnect();
        this.handOver(live);
      }
    };
    this.watcher = new MutationObserver(look);
    this.watcher.observe(live.node, { childList: true });
    live.renderModel(model).then(look, () => undefined);
  }

  private handOver(live: Widget): void {
    this.explorer?.destroy();
    this.explorer = null;
    this.host.hide();
    live.show();
  }

  override dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.watcher?.disconnect();
    this.explorer?.destroy();
    this.explorer = null;
    super.dispose();
  }
}

/** Before the widget view, whose rank is -10. */
const RANK = -20;

function rendererFactory(registry: IRenderMimeRegistry | null): IRenderMime.IRendererFactory {
  return {
    // All text goes in as text: a document cannot bring markup or code.
    safe: true,
    mimeTypes: [MIME_TYPE],
    createRenderer: () => new TracelabRenderer(registry),
  };
}

export const renderer: JupyterFrontEndPlugin<void> = {
  id: 'tracelab:renderer',
  description: 'Shows traced graphs in outputs.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [INotebookTracker, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    registry: IRenderMimeRegistry,
    tracker: INotebookTracker | null,
    translator: ITranslator | null,
  ) => {
    // Explorers and widgets of this page speak its language.
    setTranslation(translator?.load('tracelab'));
    // Consoles and other places without a notebook of their own.
    registry.addFactory(rendererFactory(registry), RANK);
    // Each notebook has its own registry, in which its widget manager is found.
    const adopt = (panel: NotebookPanel): void => {
      const own = panel.content.rendermime;
      own.removeMimeType(MIME_TYPE);
      own.addFactory(rendererFactory(own), RANK);
    };
    tracker?.forEach(adopt);
    tracker?.widgetAdded.connect((_, panel) => adopt(panel));
  },
};
