/** The side panel: tabs, each of which a feature fills. */

import * as strings from '../../i18n/strings';
import { button, element } from './dom';

export interface PanelTab {
  id: string;
  title: string;
  /** Tabs stand in this order. */
  order: number;
  /** Whether there is anything to show; absent: always. */
  available?(): boolean;
  /** What the tab shows now. */
  render(): Node[];
}

export interface Panel {
  node: HTMLElement;
  readonly shown: boolean;
  /** The id of the tab that is open or would be. */
  readonly current: string;
  add(tab: PanelTab): void;
  show(id?: string): void;
  /** Fills the open tab again, if it is the one named, or whichever it is. */
  refresh(id?: string): void;
  hide(): void;
}

export function createPanel(onClose: () => void): Panel {
  const tabs: PanelTab[] = [];
  let current = '';
  const close = button(strings.closeDetails(), '×', onClose);
  close.classList.add('close');
  const strip = element('div', {
    class: 'tabs',
    attributes: { role: 'tablist', 'aria-label': strings.panel() },
  });
  const content = element('div', { class: 'content', attributes: { id: 'panel-content' } });
  const node = element(
    'aside',
    { class: 'panel', attributes: { 'aria-label': strings.details(), tabindex: '-1' } },
    close,
    strip,
    content,
  );
  node.hidden = true;

  const available = (): PanelTab[] => tabs.filter((tab) => tab.available?.() ?? true);
  const fillStrip = (shown: PanelTab[]): void => {
    strip.hidden = shown.length < 2;
    content.toggleAttribute('role', false);
    if (strip.hidden) {
      strip.replaceChildren();
      return;
    }
    content.setAttribute('role', 'tabpanel');
    content.setAttribute('aria-labelledby', `tab-${current}`);
    strip.replaceChildren(
      ...shown.map((tab) =>
        element('button', {
          class: 'tab',
          text: tab.title,
          attributes: {
            type: 'button',
            role: 'tab',
            id: `tab-${tab.id}`,
            'aria-selected': String(tab.id === current),
            'aria-controls': 'panel-content',
            tabindex: tab.id === current ? '0' : '-1',
          },
          onClick: () => panel.show(tab.id),
        }),
      ),
    );
  };
  strip.addEventListener('keydown', (event) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
    if (step !== 0) {
      const shown = available();
      const at = shown.findIndex((tab) => tab.id === current);
      panel.show(shown[(at + step + shown.length) % shown.length].id);
      strip.querySelector<HTMLElement>('[aria-selected=true]')?.focus();
      event.preventDefault();
      event.stopPropagation();
    }
  });

  const panel: Panel = {
    node,
    get shown() {
      return !node.hidden;
    },
    get current() {
      return current;
    },
    add(tab) {
      tabs.push(tab);
      tabs.sort((a, b) => a.order - b.order);
    },
    show(id = current) {
      const shown = available();
      const tab = shown.find((each) => each.id === id) ?? shown[0];
      if (tab === undefined) {
        return;
      }
      current = tab.id;
      node.hidden = false;
      fillStrip(shown);
      content.replaceChildren(...tab.render());
      node.scrollTop = 0;
    },
    refresh(id = current) {
      if (!node.hidden && id === current) {
        const { scrollTop } = node;
        panel.show();
        node.scrollTop = scrollTop;
      }
    },
    hide() {
      node.hidden = true;
    },
  };
  return panel;
}
