/** A 2-D slice as a picture: blue below zero, orange above, the nearer to the ground the smaller; NaN is hatched. */

import * as runStrings from '../../i18n/runstrings';
import { plainText } from '../../model/run/metrics';
import { element } from '../ui/dom';
import type { DrawnHeatmap } from './runstate';
import type { Theme } from '../ui/theme';

type Rgb = readonly [number, number, number];

const BELOW: Rgb = [38, 103, 190];
const ABOVE: Rgb = [214, 98, 20];

const mix = (from: Rgb, to: Rgb, part: number): Rgb => [
  Math.round(from[0] + (to[0] - from[0]) * part),
  Math.round(from[1] + (to[1] - from[1]) * part),
  Math.round(from[2] + (to[2] - from[2]) * part),
];

/** Red, green, blue and opacity of each cell; those that are not finite are a chequer of black and white. */
export function heatmapPixels(map: DrawnHeatmap, dark: boolean): Uint8ClampedArray<ArrayBuffer> {
  const ground: Rgb = dark ? [24, 27, 34] : [252, 252, 253];
  const most = Math.max(Math.abs(map.low ?? 0), Math.abs(map.high ?? 0)) || 1;
  const pixels = new Uint8ClampedArray(4 * map.cells.length);
  map.cells.forEach((value, at) => {
    const chequer = (at + Math.floor(at / map.columns)) % 2 === 0 ? 255 : 0;
    const color: Rgb = Number.isFinite(value)
      ? mix(ground, value < 0 ? BELOW : ABOVE, Math.min(1, Math.abs(value) / most))
      : [chequer, 0, chequer];
    pixels.set([...color, 255], 4 * at);
  });
  return pixels;
}

export function heatmapView(map: DrawnHeatmap, theme: Theme): HTMLElement[] {
  const { rows, columns, step, low, high } = map;
  const extremes =
    low === null || high === null ? runStrings.noFinite() : runStrings.range(plainText(low), plainText(high));
  const canvas = element('canvas', {
    class: 'heatmap',
    attributes: {
      role: 'img',
      'aria-label': runStrings.heatmapOf(rows, columns, extremes),
      width: String(Math.max(1, columns)),
      height: String(Math.max(1, rows)),
    },
  });
  const context = canvas.getContext?.('2d');
  if (context && rows > 0 && columns > 0) {
    context.putImageData(new ImageData(heatmapPixels(map, theme.dark), columns, rows), 0, 0);
  }
  const reading = element('span', {
    text: step[0] * step[1] > 1 ? runStrings.cellIsMean(step[0], step[1]) : '',
  });
  canvas.addEventListener('pointermove', (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * columns);
    const row = Math.floor(((event.clientY - box.top) / box.height) * rows);
    const value = map.cells[row * columns + column];
    if (value !== undefined) {
      reading.textContent = `[${row * step[0]}, ${column * step[1]}] ${plainText(value)}`;
    }
  });
  // A row of a few elements would be a line, and a column a tower.
  canvas.style.aspectRatio = String(Math.min(8, Math.max(0.5, columns / Math.max(1, rows))));
  return [canvas, element('div', { class: 'ends' }, element('span', { text: extremes }), reading)];
}
