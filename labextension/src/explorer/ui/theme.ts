/** Colors for the canvas and the panels, light and dark, following the page we are embedded in. */

import type { Category } from '../../model/category';

export interface Theme {
  dark: boolean;
  /** The person asked for high contrast. */
  contrast: boolean;
  background: string;
  text: string;
  muted: string;
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

type Colors = Omit<Theme, 'font' | 'contrast'>;

const LIGHT: Colors = {
  dark: false,
  background: '#fcfcfd',
  text: '#1d2433',
  muted: '#566074',
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
  edge: '#7d889e',
  edgeLabel: '#566074',
  incoming: '#1669d3',
  outgoing: '#c2570c',
  selected: '#1f5fd0',
  match: '#b07d00',
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

const DARK: Colors = {
  dark: true,
  background: '#15181d',
  text: '#e6e9ef',
  muted: '#98a2b3',
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

/** Figures look the same wherever they are made: as those of `traced.figure`, their fonts are named. */
export const PRINT: Theme = {
  ...LIGHT,
  contrast: false,
  background: '#ffffff',
  shadow: 'transparent',
  font: "Helvetica, Arial, 'DejaVu Sans', sans-serif",
};

/** Ink on paper: every border and line as dark as the text, every ground as light as the page. */
function highContrast(base: Colors): Colors {
  const paper = base.dark ? '#000000' : '#ffffff';
  const ink = base.dark ? '#ffffff' : '#000000';
  const [incoming, outgoing, selected] = base.dark
    ? ['#7fc4ff', '#ffb87a', '#ffe14d']
    : ['#00439c', '#8a3500', '#00439c'];
  return {
    ...base,
    background: paper,
    text: ink,
    muted: ink,
    box: paper,
    boxBorder: ink,
    closed: paper,
    closedBorder: ink,
    depths: [paper, paper, paper, paper],
    groupBorder: ink,
    input: paper,
    inputBorder: ink,
    output: paper,
    outputBorder: ink,
    edge: ink,
    edgeLabel: ink,
    incoming,
    outgoing,
    selected,
    match: base.dark ? '#ff8cf5' : '#8a007c',
    warning: base.dark ? '#ffd54a' : '#ffc400',
    warningInk: '#000000',
    error: base.dark ? '#ff8a80' : '#b00014',
    shadow: 'transparent',
  };
}

/** Whether the system, or the page that embeds us, is set to high contrast. */
export function isHighContrast(page: Document = document): boolean {
  const { body } = page;
  const asks = (query: string): boolean => page.defaultView?.matchMedia?.(query).matches ?? false;
  return (
    body.classList.contains('vscode-high-contrast') ||
    body.classList.contains('vscode-high-contrast-light') ||
    /high.?contrast/i.test(body.getAttribute('data-jp-theme-name') ?? '') ||
    asks('(forced-colors: active)') ||
    asks('(prefers-contrast: more)')
  );
}

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
  const contrast = isHighContrast(host.ownerDocument);
  const base = contrast ? highContrast(dark ? DARK : LIGHT) : dark ? DARK : LIGHT;
  return {
    ...base,
    contrast,
    background:
      (contrast ? '' : first('--jp-layout-color0', '--vscode-editor-background')) || base.background,
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
  const queries = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)', '(forced-colors: active)'];
  const media = queries.map((query) => window.matchMedia?.(query));
  media.forEach((each) => each?.addEventListener?.('change', onChange));
  return () => {
    observer.disconnect();
    media.forEach((each) => each?.removeEventListener?.('change', onChange));
  };
}

/** The panels' colors, as CSS variables of the root element. */
export function cssVariables(theme: Theme): Record<string, string> {
  return {
    '--tl-background': theme.background,
    '--tl-surface': theme.contrast ? theme.background : theme.dark ? '#1d2129' : '#ffffff',
    '--tl-raised': theme.depths[1],
    '--tl-text': theme.text,
    '--tl-muted': theme.muted,
    '--tl-border': theme.contrast ? theme.text : theme.dark ? '#343b48' : '#dde2ea',
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
