/** Small words on the canvas, at the border of a box: counts, numbers, marks. */

import type { Paint } from './paint';
import { detailFont } from './scene';

const HEIGHT = 15;

/** Draws `text` on a ground of `colour`, its right end at `x` and its middle at `y`. */
export function drawTag(paint: Paint, x: number, y: number, text: string, colour: string): void {
  const { context, theme, measure } = paint;
  const font = detailFont(theme.font);
  const width = measure(text, font) + 10;
  context.fillStyle = theme.background;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  context.beginPath();
  context.roundRect(x - width, y - HEIGHT / 2, width, HEIGHT, HEIGHT / 2);
  context.fill();
  context.stroke();
  context.fillStyle = theme.text;
  context.font = font;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.fillText(text, x - width + 5, y + 0.5);
}
