/** Colours for the canvas and the panels, light and dark, following the page we are embedded in. */

import type { Category } from './category';

export interface Theme {
  dark: boolean;
  background: string;
  text: string;
  faint: string;
  box: string;
  boxBorder: string;
  closed: string;
  closedBorder: string;
  /** Backgrounds of open groups, by depth. */
  depths: string[];
  groupBorder: string;
  input: string;
  inputBorder: string;
  output: string;
  outputBorder: string;
  edge: string;
  edgeLabel: string;
  incoming: string;
  outgoing: string;
  selected: string;
  match: string;
  warning: string;
  warningInk: string;
  error: string;
  shadow: string;
  categories: Record<Category, string>;
  font: string;
}

const LIGHT: Omit<Theme, 'font'> = {
  dark: false,
  background: '#fcfcfd',
  text: '#1d2433',
  faint: '#667085',
  box: '#ffffff',
  boxBorder: '#cfd5e1',
  closed: '#eef3fc',
  closedBorder: '#a9bbdd',
  depths: ['#f5f7fb', '#edf1f8', '#e5ebf5', '#dde5f1'],
  groupBorder: '#c9d3e5',
  input: '#e3f4ec',
  inputBorder: '#6db594',
  output: '#f0e9fa',
  outputBorder: '#a78bcf',
  edge: '#8e99ae',
  edgeLabel: '#667085',
  incoming: '#1669d3',
  outgoing: '#c2570c',
  selected: '#1f5fd0',
  match: '#e0a100',
  warning: '#f2b21b',
  warningInk: '#3d2c00',
  error: '#d0302b',
  shadow: 'rgba(30, 45, 80, 0.10)',
  categories: {
    compute: '#3b78d8',
    norm: '#2f9e83',
    activation: '#dc7a2a',
    pool: '#8a63c9',
    shape: '#9aa5b8',
    region: '#c2457f',
    other: '#c3cad6',
  },
};

const DARK: Omit<Theme, 'font'> = {
  dark: true,
  background: '#15181d',
  text: '#e6e9ef',
  faint: '#98a2b3',
  box: '#262b34',
  boxBorder: '#444c5a',
  closed: '#25324a',
  closedBorder: '#4d648f',
  depths: ['#1b1f26', '#20252e', '#262c37', '#2c3340'],
  groupBorder: '#3a4455',
  input: '#1c3a2f',
  inputBorder: '#4f9c7a',
  output: '#33284a',
  outputBorder: '#8e72bd',
  edge: '#69758a',
  edgeLabel: '#98a2b3',
  incoming: '#62a8ff',
  outgoing: '#ff9a52',
  selected: '#7db4ff',
  match: '#ffd04d',
  warning: '#f5bd3a',
  warningInk: '#2b1f00',
  error: '#ff6b62',
  shadow: 'rgba(0, 0, 0, 0.35)',
  categories: {
    compute: '#5b97f0',
    norm: '#45b99c',
    activation: '#ee9450',
    pool: '#a784e0',
    shape: '#6f7a8d',
    region: '#e069a0',
    other: '#4d5665',
  },
};

/** Each place that embeds us says in its own way whether it is dark. */
export function isDark(page: Document = document): boolean {
  const { body, documentElement: root } = page;
  const jupyter = body.getAttribute('data-jp-theme-light');
  if (jupyter !== null) {
    return jupyter === 'false';
  }
  if (body.classList.contains('vscode-light') || body.classList.contains('vscode-high-contrast-light')) {
    return false;
  }
  if (body.classList.contains('vscode-dark') || body.classList.contains('vscode-high-contrast')) {
    return true;
  }
  for (const place of [root, body]) {
    if (place.getAttribute('theme') === 'dark' || place.classList.contains('dark')) {
      return true;
    }
    if (place.getAttribute('theme') === 'light' || place.classList.contains('light')) {
      return false;
    }
  }
  return page.defaultView?.matchMedia?.('(prefers-color-scheme: dark)').matches ?? false;
}

const SYSTEM_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export function readTheme(host: HTMLElement): Theme {
  const dark = isDark(host.ownerDocument);
  const styles = getComputedStyle(host);
  const first = (...names: string[]): string =>
    names.map((name) => styles.getPropertyValue(name).trim()).find((value) => value !== '') ?? '';
  const base = dark ? DARK : LIGHT;
  return {
    ...base,
    background: first('--jp-layout-color0', '--vscode-editor-background') || base.background,
    font: first('--jp-ui-font-family', '--vscode-font-family') || SYSTEM_FONT,
  };
}

/** Calls back when any of the signs that `isDark` reads may have changed. */
export function watchTheme(onChange: () => void): () => void {
  const observer = new MutationObserver(onChange);
  for (const place of [document.documentElement, document.body]) {
    observer.observe(place, {
      attributes: true,
      attributeFilter: ['class', 'theme', 'data-jp-theme-light', 'data-jp-theme-name'],
    });
  }
  const media = window.matchMedia?.('(prefers-color-scheme: dark)');
  media?.addEventListener?.('change', onChange);
  return () => {
    observer.disconnect();
    media?.removeEventListener?.('change', onChange);
  };
}

/** The panels' colours, as CSS variables of the root element. */
export function cssVariables(theme: Theme): Record<string, string> {
  return {
    '--tl-background': theme.background,
    '--tl-surface': theme.dark ? '#1d2129' : '#ffffff',
    '--tl-raised': theme.depths[1],
    '--tl-text': theme.text,
    '--tl-faint': theme.faint,
    '--tl-border': theme.dark ? '#343b48' : '#dde2ea',
    '--tl-accent': theme.selected,
    '--tl-incoming': theme.incoming,
    '--tl-outgoing': theme.outgoing,
    '--tl-warning': theme.warning,
    '--tl-warning-ink': theme.warningInk,
    '--tl-error': theme.error,
    '--tl-match': theme.match,
    '--tl-mark': theme.dark ? '#3a3420' : '#fff6d6',
    '--tl-font': theme.font,
  };
}
