/**
 * A standalone page, which holds its document in a data block beside its script. The view that is shown stands in the
 * page's address, so that a copied address restores it.
 */

import { createExplorer } from './explorer';
import { unpacked } from './unpacked';

/** Shows the document of the page that `page.html` makes. */
export async function startPage(): Promise<void> {
  const place = document.getElementById('tracelab')!;
  const data = await unpacked(document.getElementById('tracelab-document')?.textContent ?? '');
  place.replaceChildren();
  const explorer = createExplorer(place, data, {
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
