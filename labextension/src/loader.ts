/**
 * The module that anywidget loads, from a Blob URL: the script of `widget.ts`, packed. The text of a widget travels from
 * the kernel to the page with every instance; packed it is half as long. All widgets of a page share one copy.
 */

import type { createWidget, Widget } from './widget';

/** The script, packed by gzip, in base64; it defines `tracelab`: see `build/bundles.mjs`. */
declare const PACKED: string;
/** Tells this version of it from others. */
declare const VERSION: string;

async function load(): Promise<Widget> {
  const packed = Uint8Array.from(atob(PACKED), (character) => character.charCodeAt(0));
  const unpacked = new Blob([packed]).stream().pipeThrough(new DecompressionStream('gzip'));
  const script = await new Response(unpacked).text();
  const module = new Blob([script, 'export default tracelab;'], { type: 'text/javascript' });
  // A page that allows the Blob of this module allows another.
  const { default: tracelab } = (await import(URL.createObjectURL(module))) as {
    default: { createWidget: typeof createWidget };
  };
  return tracelab.createWidget(() => `${script}tracelab.startPage();`);
}

const shared = globalThis as unknown as Record<symbol, Promise<Widget> | undefined>;

export default await (shared[Symbol.for(`tracelab ${VERSION}`)] ??= load());
