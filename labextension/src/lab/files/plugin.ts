/** The plugin for files: `.tlab`, torch.export, TorchScript and ONNX files open by double-click. */

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import {
  ABCWidgetFactory,
  DocumentModel,
  DocumentWidget,
  type DocumentRegistry,
} from '@jupyterlab/docregistry';
import type { ServiceManager } from '@jupyterlab/services';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { readFile, etagOf, type FileTexts } from './filereader';
import { FileViewer, type ViewerTexts } from './fileviewer';
import { traceIcon } from '../shell';

const FACTORY = 'Traced graph';
const MODEL = 'tracelab-file';

type Texts = FileTexts & ViewerTexts;

function textsIn(trans: TranslationBundle): Texts {
  return {
    opening: trans.__('Opening…'),
    asking: trans.__('No embedded preview; starting a kernel to read the file…'),
    changed: trans.__('The file has changed on disk. The graph shows its previous content.'),
    removed: trans.__('The file was moved or deleted. The graph shows its last content.'),
    reload: trans.__('Reload'),
    gone: trans.__('The file does not exist, or this server does not allow reading it.'),
    noServer: trans.__(
      'The Jupyter server does not have the tracelab server extension. Install tracelab where the server runs, and restart the server.',
    ),
    failed: (status) => trans.__('The file cannot be read: %1', status),
    noKernel: trans.__('Reading this file needs a Python kernel, but this server has none.'),
    old: (kernel) =>
      trans.__(
        'The kernel "%1" has no tracelab, or an older version. Install tracelab there to read this file.',
        kernel,
      ),
    late: trans.__('The kernel did not respond within two minutes.'),
    died: trans.__(
      'The kernel died while it read the file. The file may be too large for the available memory.',
    ),
  };
}

/**
 * Holds nothing: the server must not send the file itself, which may have gigabytes. "Collaborative" says that the
 * document manager never saves it, so that it makes no checkpoint, a copy of those gigabytes, either.
 */
const modelFactory: DocumentRegistry.IModelFactory<DocumentRegistry.IModel> = {
  name: MODEL,
  contentType: 'file',
  fileFormat: null,
  isDisposed: false,
  dispose: () => undefined,
  preferredLanguage: () => '',
  createNew: () => new DocumentModel({ collaborationEnabled: true }),
};

class FileFactory extends ABCWidgetFactory<DocumentWidget<FileViewer>, DocumentRegistry.IModel> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<DocumentWidget<FileViewer>>,
    private readonly services: ServiceManager.IManager,
    private readonly texts: Texts,
  ) {
    super(options);
  }

  protected createNewWidget(context: DocumentRegistry.Context): DocumentWidget<FileViewer> {
    const { services, texts } = this;
    // The path may change while the file is open.
    const path = (): string => services.contents.localPath(context.path);
    const content = new FileViewer(
      context,
      { read: (say) => readFile(services, path(), texts, say), etag: () => etagOf(services, path()) },
      texts,
    );
    const widget = new DocumentWidget({ content, context });
    widget.title.icon = traceIcon;
    return widget;
  }
}

export const files: JupyterFrontEndPlugin<void> = {
  id: 'tracelab:files',
  description: 'Opens files that hold a graph.',
  autoStart: true,
  optional: [ILayoutRestorer, ITranslator],
  activate: (app: JupyterFrontEnd, restorer: ILayoutRestorer | null, translator: ITranslator | null) => {
    const trans = (translator ?? nullTranslator).load('tracelab');
    const { docRegistry } = app;
    const types: [string, string, string][] = [
      ['tracelab', '.tlab', trans.__('Traced graph')],
      ['torch-export', '.pt2', trans.__('torch.export program')],
      ['torchscript', '.pt', trans.__('TorchScript')],
      ['onnx', '.onnx', trans.__('ONNX model')],
    ];
    for (const [name, extension, displayName] of types) {
      docRegistry.addFileType({
        name,
        displayName,
        extensions: [extension],
        mimeTypes: ['application/octet-stream'],
        contentType: 'file',
        fileFormat: 'base64',
        icon: traceIcon,
      });
    }
    docRegistry.addModelFactory(modelFactory);
    const names = types.map(([name]) => name);
    const factory = new FileFactory(
      {
        name: FACTORY,
        label: trans.__('Traced graph'),
        modelName: MODEL,
        fileTypes: names,
        defaultFor: names,
        readOnly: true,
      },
      app.serviceManager,
      textsIn(trans),
    );
    docRegistry.addWidgetFactory(factory as unknown as DocumentRegistry.WidgetFactory);
    const tracker = new WidgetTracker<DocumentWidget<FileViewer>>({ namespace: 'tracelab-files' });
    factory.widgetCreated.connect((_, widget) => {
      void tracker.add(widget);
      widget.context.pathChanged.connect(() => void tracker.save(widget));
    });
    void restorer?.restore(tracker, {
      command: 'docmanager:open',
      args: (widget) => ({ path: widget.context.path, factory: FACTORY }),
      name: (widget) => widget.context.path,
    });
  },
};
