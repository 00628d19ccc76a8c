/** Building elements, in which text only ever goes in as text; and text to the clipboard. */

export interface Properties {
  class?: string;
  text?: string;
  title?: string;
  attributes?: Record<string, string>;
  onClick?: (event: MouseEvent) => void;
}

export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: (Node | null)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (properties.class) {
    made.className = properties.class;
  }
  if (properties.text !== undefined) {
    made.textContent = properties.text;
  }
  if (properties.title) {
    made.title = properties.title;
  }
  for (const [name, value] of Object.entries(properties.attributes ?? {})) {
    made.setAttribute(name, value);
  }
  if (properties.onClick) {
    made.addEventListener('click', properties.onClick as EventListener);
  }
  made.append(...children.filter((child): child is Node => child !== null));
  return made;
}

export function button(label: string, face: string | Node, onClick: () => void): HTMLButtonElement {
  return element(
    'button',
    { class: 'button', title: label, attributes: { type: 'button', 'aria-label': label }, onClick },
    typeof face === 'string' ? document.createTextNode(face) : face,
  );
}

/** Copies text, also on a page that is not served safely, where the browser offers no clipboard. */
export async function copyText(root: HTMLElement, text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = element('textarea', { class: 'visually-hidden', text });
    root.append(field);
    field.select();
    document.execCommand('copy');
    field.remove();
  }
}
