/** Icons as paths: glyphs of symbol fonts are missing on many machines. */

const PATHS: Record<string, string> = {
  minus: 'M4 8h8',
  plus: 'M4 8h8M8 4v8',
  fit: 'M3 6V3h3M10 3h3v3M13 10v3h-3M6 13H3v-3',
  expand: 'M3 3h10v10H3zM8 5.5v5M5.5 8h5',
  collapse: 'M3 3h10v10H3zM5.5 8h5',
  repeats: 'M4.5 2.5h9v9M2.5 4.5h9v9h-9zM5 7l4 4M9 7l-4 4',
  story: 'M3 4h10M3 8h5M10 8h.5M12.5 8h.5M3 12h10',
  back: 'M9.5 3.5L5 8l4.5 4.5',
  forward: 'M6.5 3.5L11 8l-4.5 4.5',
  plot: 'M2.5 13.5h11M4 11V8M7 11V3M10 11V6M13 11V9',
  save: 'M8 2.5v8M4.5 7.5L8 11l3.5-3.5M3 13.5h10',
  details: 'M2.5 3h11v10h-11zM9.5 3v10M11 6h1M11 8.5h1',
};

const NAMESPACE = 'http://www.w3.org/2000/svg';

export function icon(name: string): SVGElement {
  const svg = document.createElementNS(NAMESPACE, 'svg');
  const path = document.createElementNS(NAMESPACE, 'path');
  for (const [key, value] of Object.entries({
    width: '16',
    height: '16',
    viewBox: '0 0 16 16',
    'aria-hidden': 'true',
  })) {
    svg.setAttribute(key, value);
  }
  for (const [key, value] of Object.entries({
    d: PATHS[name],
    fill: 'none',
    stroke: 'currentColor',
    'stroke-width': '1.5',
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
  })) {
    path.setAttribute(key, value);
  }
  svg.append(path);
  return svg;
}
