/**
 * The entry of a standalone page, which holds its document in a data block beside this script. The view that is
 * shown stands in the page's address, so that a copied address restores it.
 */

import { createExplorer } from './explorer/explorer';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Does nothing where there is no such page around it: in a notebook. */
export function startPage(): void {
  const place = document.getElementById('tracelab');
  const data = document.getElementById('tracelab-document');
  if (place === null || data === null) {
    return;
  }
  place.replaceChildren();
  const explorer = createExplorer(place, parse(data.textContent ?? ''), {
    fill: true,
    pageScript: () => document.querySelector('script[type=module]')?.textContent ?? null,
    linkTo: (view) => `${location.href.replace(/#.*/s, '')}#${view}`,
  });
  const restore = (): void => explorer.restore(location.hash.slice(1));
  window.addEventListener('hashchange', restore);
  if (location.hash.length > 1) {
    restore();
  }
}

startPage();
