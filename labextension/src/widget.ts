/**
 * The anywidget. Traits of the Python class `GraphExplorer`:
 *
 * - `_document`  Bytes: the view document as UTF-8 JSON; a large one compressed by gzip.
 * - `case`       Int: the recording that is shown, of several. Both ways; where it is missing there is one.
 * - `selected`   Int: the selected node's index, -1 for none. Both ways.
 * - `selected_module`  Unicode: the path of the selected module, '' for none; it counts before `selected`. Both ways.
 * - `opened`     List[Int]: scopes whose groups are open. Both ways.
 * - `opened_default`  Bool: while true, `opened` says nothing and the view chooses what is open at first. The
 *   view sets it to false together with `opened` when the person opens or closes a group; Python sets both to
 *   prescribe a view. Where the trait is missing, an empty `opened` means the default.
 * - `height`     Int: pixels. Both ways.
 * - `_restored`  Unicode: a link to a view (`model/link.ts`), shown when it changes and is not empty.
 */

import { createExplorer, DEFAULT_HEIGHT } from './explorer/explorer';
import type { KernelConnection } from './protocol/connection';
import type { KernelMessage } from './protocol/runmessages';

interface Model {
  get(name: string): unknown;
  set(name: string, value: unknown): void;
  save_changes(): void;
  on(event: string, callback: Listener): void;
  off(event: string, callback: Listener): void;
  send?(content: unknown): void;
}

// What an event brings along is a matter of the event.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Listener = (...given: any[]) => void;

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** What the kernel sent, read; a promise only where it must be unpacked first. Null: it cannot be read. */
export function parseBytes(raw: unknown): unknown {
  const bytes =
    raw instanceof DataView
      ? new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength)
      : raw instanceof ArrayBuffer
        ? new Uint8Array(raw)
        : raw;
  if (!(bytes instanceof Uint8Array)) {
    return null;
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) {
    return parse(new TextDecoder().decode(bytes));
  }
  try {
    const unpacked = new Blob([bytes as BlobPart]).stream().pipeThrough(new DecompressionStream('gzip'));
    return new Response(unpacked).text().then(parse, () => null);
  } catch {
    return null;
  }
}

function openedOf(model: Model): number[] | null {
  const opened = model.get('opened');
  const list = Array.isArray(opened) ? (opened as number[]) : [];
  const byDefault = model.get('opened_default');
  return (byDefault === undefined ? list.length === 0 : byDefault === true) ? null : list;
}

function heightOf(model: Model): number {
  const height = model.get('height');
  return typeof height === 'number' && height > 0 ? height : DEFAULT_HEIGHT;
}

/** Tells the kernel; with the kernel gone the picture goes on alone. */
function tell(model: Model, changes: Record<string, unknown>): void {
  try {
    for (const [name, value] of Object.entries(changes)) {
      model.set(name, value);
    }
    model.save_changes();
  } catch {
    // Nobody listens.
  }
}

/** The way to the kernel for runs; `close` ends listening. */
function linkOf(model: Model): KernelConnection & { close(): void } {
  const heard: [string, Listener][] = [];
  const on = (event: string, listener: Listener): void => {
    heard.push([event, listener]);
    model.on(event, listener);
  };
  return {
    send(content) {
      if (model.send === undefined) {
        throw new Error('no kernel');
      }
      model.send(content);
    },
    onMessage: (listener) =>
      on('msg:custom', (message: KernelMessage, buffers?: DataView[]) => listener(message, buffers ?? [])),
    onDisconnect(listener) {
      on('comm:close', listener);
      on('destroy', listener);
    },
    onConnectionChange: (listener) => on('comm_live_update', listener),
    close: () => heard.forEach(([event, listener]) => model.off(event, listener)),
  };
}

interface Place {
  model: Model;
  el: HTMLElement;
}

export interface Widget {
  render(place: Place): (() => void) | Promise<() => void>;
}

/** The widget definition that anywidget looks for. `pageScript` gives the script of a standalone page. */
export function createWidget(pageScript: () => string): Widget {
  return {
    render(place) {
      const document = parseBytes(place.model.get('_document'));
      return document instanceof Promise
        ? document.then((unpacked) => start(place, unpacked, pageScript))
        : start(place, document, pageScript);
    },
  };
}

function start({ model, el }: Place, first: unknown, pageScript: () => string): () => void {
  const host = document.createElement('div');
  host.className = 'tracelab-widget';
  el.append(host);
  const kernel = linkOf(model);
  /** The model passes on at once what it is told: an input that is selected would be none, to hear of it. */
  let telling = false;
  const explorer = createExplorer(host, first, {
    kernel,
    state: { opened: openedOf(model), height: heightOf(model) },
    pageScript,
    linkTo: (view) => `explorer.restore(${JSON.stringify(view)})`,
    onSelect(node, module) {
      telling = true;
      // What counts comes first: another view of the model hears of one after the other.
      tell(
        model,
        node === null
          ? { selected_module: module, selected: -1 }
          : { selected: node, selected_module: module },
      );
      telling = false;
    },
    onCase: (index) => tell(model, { case: index }),
    onState(state) {
      const { opened, height } = state;
      const known = model.get('opened_default');
      const byDefault = known === undefined ? {} : { opened_default: false };
      // What was open of another recording is not open of this one.
      const asAtFirst = known === false ? { opened: [], opened_default: true } : {};
      tell(model, { ...(opened === null ? asAtFirst : { opened, ...byDefault }), height });
    },
  });
  const select = (): void => {
    if (telling) {
      return;
    }
    const module = model.get('selected_module');
    const selected = model.get('selected');
    explorer.select(
      typeof module === 'string' && module !== '' ? module : typeof selected === 'number' ? selected : -1,
    );
  };
  const showCase = (): void => {
    const index = model.get('case');
    if (typeof index === 'number') {
      explorer.showCase(index);
    }
  };
  const restore = (): void => {
    const link = model.get('_restored');
    if (typeof link === 'string' && link !== '') {
      explorer.restore(link);
    }
  };
  let latest: unknown = null;
  const replace = async (): Promise<void> => {
    const raw = model.get('_document');
    latest = raw;
    const document = await parseBytes(raw);
    if (raw === latest) {
      explorer.setDocument(document);
      showCase();
    }
  };
  const listeners: Record<string, () => void> = {
    'change:_document': () => void replace(),
    'change:case': showCase,
    'change:selected': select,
    'change:selected_module': select,
    'change:opened': () => explorer.setOpened(openedOf(model)),
    'change:opened_default': () => explorer.setOpened(openedOf(model)),
    'change:_restored': restore,
    'change:height': () => explorer.setHeight(heightOf(model)),
  };
  for (const [event, listener] of Object.entries(listeners)) {
    model.on(event, listener);
  }
  showCase();
  select();
  restore();
  return () => {
    for (const [event, listener] of Object.entries(listeners)) {
      model.off(event, listener);
    }
    kernel.close();
    explorer.destroy();
  };
}

// The same script starts a page that is saved from the toolbar.
export { startPage } from './explorer/standalone';
