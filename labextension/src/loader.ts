/**
 * The module that anywidget loads, from a Blob URL: `widget.ts` and all it needs, packed. The text of a widget travels
 * from the kernel to the page with every instance; packed it is half as long. All widgets of a page share one copy.
 *
 * What is packed (`build/bundles.mjs`) are two scripts. The core shows a picture and walks it; it is a script that
 * defines `tracelab`. The deferred part is a CommonJS module (`explorer/deferred.ts`) that requires modules of the core.
 * A browser reads it when the first picture is up. A page that is saved from the toolbar holds both in one script.
 */

import type { DeferredFeatures } from './explorer/core/view';
import type { Widget, WidgetParts } from './widget';

/** Both scripts as JSON, packed by gzip, in base64. */
declare const PACKED: string;
/** Tells this version of them from others. */
declare const VERSION: string;

/** A CommonJS module: the body of a function. */
type Factory = (require: unknown, module: { exports: unknown }, exports: unknown) => void;

/** What the core defines: see `build/bundles.mjs`. */
interface Core {
  createWidget(parts: WidgetParts): Widget;
  deferredFrom(factory: Factory): DeferredFeatures;
}

/** A script as a module; a page that shows this one allows another Blob, too. */
const importText = (...text: string[]): Promise<{ default: unknown }> =>
  import(URL.createObjectURL(new Blob(text, { type: 'text/javascript' })));

async function load(): Promise<Widget> {
  const packed = Uint8Array.from(atob(PACKED), (character) => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const [core, deferred] = JSON.parse(await new Response(unpacked).text()) as [string, string];
  const factory = `(require,module,exports)=>{${deferred}}`;
  const { createWidget, deferredFrom } = (await importText(core, 'export default tracelab;')).default as Core;
  let features: Promise<DeferredFeatures> | undefined;
  return createWidget({
    deferred: () =>
      (features ??= importText('export default ', factory).then((part) =>
        deferredFrom(part.default as Factory),
      )),
    pageScript: () => `${core}tracelab.startPage(async()=>tracelab.deferredFrom(${factory}));`,
  });
}

const shared = globalThis as unknown as Record<symbol, Promise<Widget> | undefined>;

export default await (shared[Symbol.for(`tracelab ${VERSION}`)] ??= load());
