/** Text to the clipboard, also where the page is not served safely and the browser offers none. */

import { element } from './dom';
import type { View } from './view';

export async function copyText(view: View, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element('textarea', { class: 'unseen', text });
    view.frame.root.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
  view.notify('Copied');
}
