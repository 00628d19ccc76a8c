/** A button with a menu under it, by pointer and by keyboard. */

import { button, element } from './dom';

/** Between a menu and the border of the explorer. */
const GAP = 6;

export interface MenuItem {
  text: string;
  /** Of an item that is on or off; asked each time the menu opens. */
  checked?(): boolean;
  run(): void;
}

export interface Menu {
  node: HTMLElement;
  open(): void;
}

/** In a narrow or low explorer: moves a menu to the right, and lets it scroll, so that none of it is cut off. */
function keepInside(menu: HTMLElement, node: HTMLElement): void {
  const root = node.closest('.root');
  menu.style.right = '0';
  if (root !== null) {
    const frame = root.getBoundingClientRect();
    const { left, top } = menu.getBoundingClientRect();
    menu.style.right = `${Math.min(0, left - frame.left - GAP)}px`;
    menu.style.maxHeight = `${frame.bottom - top - GAP}px`;
  }
}

/** `label` names the button, `name` the menu. */
export function createMenu(label: string, face: Node, name: string, items: readonly MenuItem[]): Menu {
  const menu = element('div', { class: 'menu', attributes: { role: 'menu', 'aria-label': name } });
  menu.hidden = true;
  const opener = button(label, face, () => toggle());
  opener.setAttribute('aria-haspopup', 'menu');
  opener.setAttribute('aria-expanded', 'false');
  const toggle = (shown = menu.hidden, focus = true): void => {
    menu.hidden = !shown;
    opener.setAttribute('aria-expanded', String(shown));
    if (shown) {
      items.forEach(({ checked }, at) => {
        if (checked !== undefined) {
          menu.children[at].setAttribute('aria-checked', String(checked()));
        }
      });
      keepInside(menu, node);
      (menu.firstElementChild as HTMLElement).focus();
    } else if (focus) {
      opener.focus();
    }
  };
  menu.append(
    ...items.map(({ text, checked, run }) =>
      element('button', {
        text,
        attributes: {
          type: 'button',
          role: checked === undefined ? 'menuitem' : 'menuitemcheckbox',
          tabindex: '-1',
        },
        onClick() {
          toggle(false);
          run();
        },
      }),
    ),
  );
  const node = element('div', { class: 'button-group' }, opener, menu);
  node.addEventListener('focusout', (event) => {
    if (!menu.hidden && !node.contains(event.relatedTarget as Node | null)) {
      toggle(false, false);
    }
  });
  menu.addEventListener('keydown', (event) => {
    const entries = [...menu.children] as HTMLElement[];
    const at = entries.indexOf(event.target as HTMLElement);
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (event.key === 'Escape' || event.key === 'Tab') {
      toggle(false);
    } else if (step !== 0) {
      entries[(at + step + entries.length) % entries.length].focus();
    } else if (event.key === 'Home' || event.key === 'End') {
      entries[event.key === 'Home' ? 0 : entries.length - 1].focus();
    } else if (event.key === 'Enter' || event.key === ' ') {
      // The button's own answer to the key.
      event.stopPropagation();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  return { node, open: () => toggle(true) };
}
