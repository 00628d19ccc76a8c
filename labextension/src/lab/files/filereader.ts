/** What a graph file holds: from the server where the file holds its picture, else from a kernel started for it. */

import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection, type KernelSpec, type ServiceManager } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import { ANSWER_TYPE, FILE_FORMAT, type ImportedFile } from '../../protocol/panelmessages';

/** A kernel that imports torch on a busy machine. */
const PATIENCE_MS = 120_000;

export interface FileTexts {
  noServer: string;
  gone: string;
  failed: (status: string) => string;
  noKernel: string;
  old: (kernel: string) => string;
  late: string;
  died: string;
  asking: string;
}

/** A document; or one sentence why there is none. `tag` changes when the file does. */
export type Read =
  { kind: 'document'; document: unknown; tag: string } | { kind: 'error'; text: string; tag: string };

interface Services {
  kernelspecs: ServiceManager.IManager['kernelspecs'];
  sessions: ServiceManager.IManager['sessions'];
  serverSettings: ServerConnection.ISettings;
}

function address(services: Services, path: string): string {
  return URLExt.join(services.serverSettings.baseUrl, 'tracelab/view', URLExt.encodeParts(path));
}

/** The tag of the file as it lies there now; null: it does not, '': the server does not say. */
export async function etagOf(services: Services, path: string): Promise<string | null> {
  try {
    // No HEAD: browsers report one that fails as an error of the page, and so they would a 404.
    const url = `${address(services, path)}?tag=1`;
    const response = await ServerConnection.makeRequest(url, {}, services.serverSettings);
    const said = (await response.json()) as { tag?: string | null };
    return response.ok && said.tag !== undefined ? said.tag : '';
  } catch {
    return '';
  }
}

/** Reads a file; never rejects. `say` hears what takes longer. */
export async function readFile(
  services: Services,
  path: string,
  texts: FileTexts,
  say: (text: string) => void,
): Promise<Read> {
  const failure = (text: string, tag = ''): Read => ({ kind: 'error', text, tag });
  let response: Response;
  let content: { format?: string; error?: string; kind?: string; message?: string } | null;
  try {
    response = await ServerConnection.makeRequest(address(services, path), {}, services.serverSettings);
    // A server without our part answers with a page of its own.
    content = (await response.json().catch(() => null)) as typeof content;
  } catch (error) {
    return failure(texts.failed(error instanceof Error ? error.message : String(error)));
  }
  const tag = response.headers.get('Etag') ?? '';
  if (response.status === 404) {
    return failure(content === null ? texts.noServer : texts.gone);
  }
  if (!response.ok) {
    return failure(texts.failed(content?.message ?? String(response.status)));
  }
  if (content?.format !== FILE_FORMAT) {
    return { kind: 'document', document: content, tag };
  }
  if (content.error !== undefined) {
    return failure(content.error, tag);
  }
  say(texts.asking);
  const answer = await importFile(services, path, texts);
  return 'document' in answer
    ? { kind: 'document', document: answer.document, tag }
    : failure(answer.error, tag);
}

/** Asks a kernel that lives only for this, in the file's folder, without a history or a name of anybody's. */
async function importFile(services: Services, path: string, texts: FileTexts): Promise<ImportedFile> {
  await services.kernelspecs.ready;
  const kernel = pythonKernel(services.kernelspecs.specs);
  if (kernel === null) {
    return { error: texts.noKernel };
  }
  const slash = path.lastIndexOf('/') + 1;
  let session;
  try {
    session = await services.sessions.startNew({
      // A session of its own, wherever else the file is open.
      path: `${path.slice(0, slash)}.tracelab-${UUID.uuid4()}`,
      name: path.slice(slash),
      type: 'tracelab',
      kernel: { name: kernel },
    });
  } catch (error) {
    return { error: texts.failed(error instanceof Error ? error.message : String(error)) };
  }
  let timer = 0;
  try {
    const connection = session.kernel;
    if (connection === null) {
      return { error: texts.died };
    }
    // JSON's strings are Python's too.
    const name = JSON.stringify(`./${path.slice(slash)}`);
    const asked = connection.requestExecute({
      code: '',
      silent: true,
      store_history: false,
      allow_stdin: false,
      user_expressions: {
        tracelab: `__import__('tracelab.jupyter.panel.file_kernel', fromlist=['document_of']).document_of(${name})`,
      },
    });
    const late = new Promise<ImportedFile>((resolve) => {
      timer = window.setTimeout(() => resolve({ error: texts.late }), PATIENCE_MS);
    });
    const died = new Promise<ImportedFile>((resolve) => {
      connection.statusChanged.connect((_, status) => {
        if (status === 'dead' || status === 'autorestarting') {
          resolve({ error: texts.died });
        }
      });
    });
    const done = asked.done.then((reply): ImportedFile => {
      const content = reply!.content;
      const found = content.status === 'ok' ? content.user_expressions.tracelab : undefined;
      const said = found as
        { status: string; ename?: string; evalue?: string; data?: Record<string, ImportedFile> } | undefined;
      if (said?.status === 'ok' && said.data?.[ANSWER_TYPE] !== undefined) {
        return said.data[ANSWER_TYPE];
      }
      const missing = said?.ename === 'ModuleNotFoundError' || said?.ename === 'ImportError';
      return { error: missing ? texts.old(kernel) : `${said?.ename ?? '?'}: ${said?.evalue ?? ''}` };
    });
    return await Promise.race([done, late, died]);
  } catch {
    return { error: texts.died };
  } finally {
    window.clearTimeout(timer);
    // Whatever happened, nothing is left running.
    await session.shutdown().catch(() => undefined);
    session.dispose();
  }
}

function pythonKernel(specs: KernelSpec.ISpecModels | null): string | null {
  if (specs === null) {
    return null;
  }
  const isPython = (name: string): boolean => specs.kernelspecs[name]?.language.toLowerCase() === 'python';
  return isPython(specs.default) ? specs.default : (Object.keys(specs.kernelspecs).find(isPython) ?? null);
}
