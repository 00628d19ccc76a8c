/** The elements around the picture, in a shadow root: toolbar, body, resize handle; or an error message. */

import { EXPLORER_STYLE } from '../../generated/explorerstyle';
import { element } from './dom';
import { clampHeight, createResizeHandle } from './resizehandle';
import { cssVariables, readTheme, watchTheme, type Theme } from './theme';

/** Narrower than this, the bar has more rows. */
const NARROW = 720;
/** Narrower than this, the panel is below the picture instead of beside it. */
const PHONE = 480;
/** Narrower than this, a bar with a list of recordings has two rows. */
const COMPACT = 1200;

export interface Frame {
  readonly shadow: ShadowRoot;
  readonly root: HTMLElement;
  readonly height: number;
  setHeight(height: number): void;
  /** Takes the host's height from now on. */
  fillHost(): void;
  /** Shows the picture with its bars. */
  fill(...children: Node[]): void;
  /** Shows an error instead of the picture. */
  showError(text: string): void;
  /** Announces something to screen readers. */
  announce(text: string): void;
  /** Shows a message for a moment, and announces it. */
  notify(text: string): void;
  /** Calls back when a part of it has another size. */
  observe(part: HTMLElement, onResize: () => void): void;
  /** Reads the theme of the page and hands it on. */
  applyTheme(): void;
  /** Puts the classes right that go with the width. */
  resized(): void;
  destroy(): void;
}

export interface FrameEvents {
  onTheme(theme: Theme): void;
  onResize(): void;
  /** Dragged by the person to its new height. */
  onHeight(height: number): void;
}

export function createFrame(host: HTMLElement, firstHeight: number, events: FrameEvents): Frame {
  const home = element('div', {
    class: 'tracelab',
    // JupyterLab's own shortcuts (d d deletes a cell!) stay out of here.
    attributes: { 'data-lm-suppress-shortcuts': 'true' },
  });
  const shadow = home.attachShadow({ mode: 'open' });
  const root = element('div', { class: 'root' });
  shadow.append(element('style', { text: EXPLORER_STYLE }), root);
  host.append(home);
  let height = clampHeight(firstHeight);
  const live = element('div', { class: 'visually-hidden', attributes: { role: 'status' } });
  const toast = element('div', { class: 'toast', attributes: { 'aria-hidden': 'true' } });
  let timer = 0;
  let filling = false;
  const setHeight = (to: number): void => {
    height = clampHeight(to);
    home.style.height = filling ? '100%' : `${height}px`;
    handle.setAttribute('aria-valuenow', String(height));
  };
  const handle = createResizeHandle(
    () => height,
    (to, final) => {
      setHeight(to);
      if (final) {
        events.onHeight(height);
      }
    },
  );
  const applyTheme = (): void => {
    const theme = readTheme(host);
    for (const [name, value] of Object.entries(cssVariables(theme))) {
      root.style.setProperty(name, value);
    }
    root.dataset.theme = theme.dark ? 'dark' : 'light';
    events.onTheme(theme);
  };
  const observers: ResizeObserver[] = [];
  const observe = (part: HTMLElement, onResize: () => void): void => {
    if (typeof ResizeObserver !== 'undefined') {
      const observer = new ResizeObserver(onResize);
      observer.observe(part);
      observers.push(observer);
    }
  };
  observe(home, events.onResize);
  const unwatch = watchTheme(applyTheme);
  setHeight(height);

  return {
    shadow,
    root,
    get height() {
      return height;
    },
    setHeight,
    fillHost() {
      filling = true;
      handle.hidden = true;
      root.classList.add('filling');
      setHeight(height);
    },
    fill(...children) {
      const wanted = [...children, handle, toast, live];
      if (!wanted.every((child) => child.parentNode === root)) {
        // Only then: an element that is put in again loses the focus.
        root.replaceChildren(...wanted);
      }
      setHeight(height);
    },
    showError(text) {
      root.replaceChildren(element('p', { class: 'message', text, attributes: { role: 'alert' } }));
      home.style.height = 'auto';
    },
    announce(text) {
      live.textContent = text;
    },
    notify(text) {
      live.textContent = text;
      toast.textContent = text;
      toast.classList.add('shown');
      clearTimeout(timer);
      timer = window.setTimeout(() => toast.classList.remove('shown'), 1800);
    },
    observe,
    applyTheme,
    resized() {
      root.classList.toggle('narrow', root.clientWidth < NARROW);
      root.classList.toggle('phone', root.clientWidth < PHONE);
      root.classList.toggle('compact', root.clientWidth < COMPACT);
    },
    destroy() {
      clearTimeout(timer);
      observers.forEach((observer) => observer.disconnect());
      unwatch();
      home.remove();
    },
  };
}
