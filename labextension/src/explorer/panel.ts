/** The side panel: details of what is selected. */

import type { Element, Hierarchy } from '../model/hierarchy';
import { details, type Jump } from './details';
import { button, element } from './dom';

export interface Panel {
  node: HTMLElement;
  readonly shown: boolean;
  show(h: Hierarchy, selected: Element, jump: Jump): void;
  hide(): void;
}

export function createPanel(onClose: () => void): Panel {
  const node = element('aside', { class: 'panel', attributes: { 'aria-label': 'Details', tabindex: '-1' } });
  node.hidden = true;
  const close = button('Close details', '×', onClose);
  close.classList.add('close');
  return {
    node,
    get shown() {
      return !node.hidden;
    },
    show(h, selected, jump) {
      node.hidden = false;
      node.replaceChildren(close, ...details(h, selected, jump));
      node.scrollTop = 0;
    },
    hide() {
      node.hidden = true;
    },
  };
}
