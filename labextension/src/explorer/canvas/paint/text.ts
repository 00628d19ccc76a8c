/** Draws the labels of boxes. Labels of one font are drawn together, since changing fonts is slow. */

import type { Box } from '../camera';
import {
  DETAIL_FROM,
  DIMMED,
  isDimmed,
  boxStyleOf,
  overlaps,
  roundedBox,
  type Paint,
  type Placed,
} from './paint';
import { subtitleFont, detailFont, HEADER, PAD, titleFont, TOGGLE } from '../scene';

interface Label {
  text: string;
  x: number;
  y: number;
  most: number | undefined;
  dimmed: boolean;
}

export function drawBoxLabels(paint: Paint, shown: readonly Placed[]): void {
  const { context, theme } = paint;
  const titles: Label[] = [];
  const subtitles: Label[] = [];
  const details: Label[] = [];
  for (const [index, box] of shown) {
    addLabels(paint, index, box, titles, subtitles, details);
  }
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const [labels, font, color] of [
    [titles, titleFont(theme.font), theme.text],
    [subtitles, subtitleFont(theme.font), theme.muted],
    [details, detailFont(theme.font), theme.muted],
  ] as const) {
    context.font = font;
    context.fillStyle = color;
    for (const { text, x, y, most, dimmed } of labels) {
      context.globalAlpha = dimmed ? DIMMED : 1;
      context.fillText(text, x, y, most);
    }
  }
  context.globalAlpha = 1;
}

function addLabels(
  paint: Paint,
  index: number,
  box: Box,
  titles: Label[],
  subtitles: Label[],
  details: Label[],
): void {
  const { context, scene, theme, camera, measure } = paint;
  const label = scene.labels[index];
  const kind = scene.visible.kinds[index];
  const group = kind === 'open' || kind === 'closed';
  const boundary = kind === 'input' || kind === 'output';
  const dimmed = isDimmed(paint, index);
  // To the right, the square of an open group is on the main line, not before its name.
  const after = group && !paint.isPrint && !(kind === 'open' && scene.flow === 'right');
  const left = box.x + scene.header[index] + PAD + (after ? TOGGLE + 9 : 2);
  const titleWidth = measure(label.title, titleFont(theme.font));
  const subtitleWidth = label.subtitle ? 7 + measure(label.subtitle, subtitleFont(theme.font)) : 0;
  const fits = box.width - (left - box.x) - PAD;
  const at = boundary ? box.x + (box.width - titleWidth) / 2 : left;
  const detailRoom = fits - titleWidth - subtitleWidth - 14;
  const detailed =
    label.detail !== '' &&
    camera.scale >= DETAIL_FROM &&
    (kind !== 'open' || measure(label.detail, detailFont(theme.font)) <= detailRoom);
  const middle = box.y + box.height / 2;
  const y = kind === 'open' ? box.y + HEADER / 2 + 0.5 : detailed ? middle - 7.5 : middle + 0.5;
  const detailWidth = detailed ? measure(label.detail, detailFont(theme.font)) : 0;
  if (kind === 'open') {
    // Lines pass under the header: its text keeps a clear ground.
    const width = titleWidth + subtitleWidth + (detailed ? 16 + detailWidth : 0) + 8;
    context.fillStyle = boxStyleOf(paint, index).fill;
    context.fillRect(left - 4, box.y + 5, Math.min(width, fits + 8), HEADER - 9);
  }
  titles.push({ text: label.title, x: at, y, most: fits + 4, dimmed });
  if (label.subtitle) {
    subtitles.push({ text: label.subtitle, x: at + titleWidth + 7, y, most: undefined, dimmed });
  }
  if (detailed) {
    const x =
      kind === 'open'
        ? at + titleWidth + subtitleWidth + 14
        : boundary
          ? box.x + (box.width - detailWidth) / 2
          : left;
    details.push({
      text: label.detail,
      x,
      y: kind === 'open' ? y + 0.5 : middle + 9,
      most: undefined,
      dimmed,
    });
  }
}

/** Size of a group's name on the screen, once its own text is too small. */
const NAME = 12;
const MOST_NAMES = 80;

/** From afar a group that is large enough says its name at a size that can be read. */
export function drawGroupNames(paint: Paint, shown: readonly Placed[]): void {
  const { context, scene, theme, camera, measure } = paint;
  const { scale } = camera;
  const font = `600 ${NAME / scale}px ${theme.font}`;
  const taken: Box[] = [];
  context.font = font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  for (const [index, box] of shown) {
    const kind = scene.visible.kinds[index];
    if (taken.length >= MOST_NAMES || kind === 'op' || isDimmed(paint, index)) {
      continue;
    }
    // Measured at the size of titles, whose widths are known already.
    const text = scene.labels[index].title;
    const width = (measure(text, titleFont(theme.font)) * NAME) / 13 / scale;
    const height = (NAME + 4) / scale;
    const inside = { x: box.x + 4 / scale, y: box.y + 3 / scale, width: width + 8 / scale, height };
    if (inside.width > box.width || height * (kind === 'open' ? 2.5 : 1.1) > box.height) {
      continue;
    }
    if (kind !== 'open') {
      inside.x = box.x + (box.width - inside.width) / 2;
      inside.y = box.y + (box.height - height) / 2;
    }
    if (taken.some((other) => overlaps(inside, other))) {
      continue;
    }
    taken.push(inside);
    if (kind === 'open') {
      context.fillStyle = boxStyleOf(paint, index).fill;
      roundedBox(context, inside, 3 / scale);
      context.fill();
    }
    context.fillStyle = theme.text;
    context.fillText(text, inside.x + 4 / scale, inside.y + height / 2);
  }
}
