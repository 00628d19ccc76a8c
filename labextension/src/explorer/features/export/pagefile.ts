/** One HTML file that holds the explorer and a document; `tracelab.render.page` writes the same. */

import { PAGE_TEMPLATE } from '../../../generated/page';
import type { ViewDocument } from '../../../protocol/viewdocument';

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ESCAPES[character]);

/** A data block ends at the first `</script`: no `<` may stand in it, and JSON has another way to write it. */
export const blockJson = (document: ViewDocument): string =>
  JSON.stringify(document).replace(/</g, '\\u003c');

/** Only this very script may run; pages that are not served safely offer no digest. */
async function policy(script: string): Promise<string> {
  const subtle = globalThis.crypto?.subtle as SubtleCrypto | undefined;
  if (subtle === undefined) {
    return "'unsafe-inline'";
  }
  const digest = new Uint8Array(await subtle.digest('SHA-256', new TextEncoder().encode(script)));
  return `'sha256-${btoa(String.fromCharCode(...digest))}'`;
}

export async function pageFile(document: ViewDocument, script: string): Promise<string> {
  const parts: Record<string, string> = {
    title: escaped(document.name),
    policy: await policy(script),
    document: blockJson(document),
    script,
  };
  // One pass: what stands in the document is never taken for a place to fill.
  return PAGE_TEMPLATE.replace(/\{\{(\w+)\}\}/g, (_, name: string) => parts[name]);
}
