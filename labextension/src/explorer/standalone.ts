/**
 * A standalone page, which holds its document in a data block beside its script. The view that is shown stands in the
 * page's address, so that a copied address restores it.
 */

import { createExplorer } from './explorer';

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Shows the document of the page that `page.html` makes. */
export function startPage(): void {
  const place = document.getElementById('tracelab')!;
  const data = document.getElementById('tracelab-document');
  place.replaceChildren();
  const explorer = createExplorer(place, parse(data?.textContent ?? ''), {
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
