/** Painting a scene. Only what is in view is drawn, and only as finely as can be seen. */

import { isTensor, shortKind, string, valueSummary } from '../model/describe';
import { kindOf, pillValue, scopeOf, type Hierarchy } from '../model/hierarchy';
import { visibleWorld, type Box, type Camera } from './camera';
import { categoryOf } from './category';
import {
  asideFont,
  boxOf,
  detailFont,
  HEADER,
  PAD,
  titleFont,
  TOGGLE,
  type Measure,
  type Scene,
} from './scene';
import type { Pen } from './pen';
import type { Theme } from './theme';

export interface Paint {
  context: Pen;
  h: Hierarchy;
  scene: Scene;
  theme: Theme;
  camera: Camera;
  width: number;
  height: number;
  /** Device pixels per CSS pixel. */
  density: number;
  selected: number;
  hovered: number;
  focused: boolean;
  matches: ReadonlySet<number>;
  /** Elements that stand out while all others fade; null: none fades. */
  lit: ReadonlySet<number> | null;
  measure: Measure;
  /** Boxes on their way to their places: 0 at the start, 1 when there. */
  progress: number;
  /** Where boxes came from. */
  before: (index: number) => Box | null;
  /** Drawn over the boxes, in order. */
  layers: readonly Layer[];
}

/** Draws over the picture, in its own coordinates; `boxes` are those in view, with their places now. */
export type Layer = (paint: Paint, boxes: readonly [index: number, box: Box][]) => void;

/** How much of a box or an edge shows that is not lit. */
const FADED = 0.22;

export const isFaded = (paint: Paint, index: number): boolean =>
  paint.lit !== null &&
  paint.scene.visible.kinds[index] !== 'open' &&
  !paint.lit.has(paint.scene.visible.elements[index]);

const CORNER = 9;
const BEND = 9;
/** Zoom levels below which text, arrowheads and labels are left out. */
const TEXT_FROM = 0.36;
const DETAIL_FROM = 0.5;
const ARROWS_FROM = 0.3;
const LABELS_FROM = 0.85;

function roundedBox(context: Pen, box: Box, radius: number): void {
  context.beginPath();
  context.roundRect(box.x, box.y, box.width, box.height, Math.min(radius, box.height / 2, box.width / 2));
}

function overlaps(box: Box, view: Box): boolean {
  return (
    box.x < view.x + view.width &&
    box.x + box.width > view.x &&
    box.y < view.y + view.height &&
    box.y + box.height > view.y
  );
}

function currentBox(paint: Paint, index: number): Box {
  const box = boxOf(paint.scene, index);
  if (paint.progress >= 1) {
    return box;
  }
  const from = paint.before(index);
  if (from === null) {
    return box;
  }
  const t = paint.progress;
  const mix = (a: number, b: number): number => a + (b - a) * t;
  return {
    x: mix(from.x, box.x),
    y: mix(from.y, box.y),
    width: mix(from.width, box.width),
    height: mix(from.height, box.height),
  };
}

/** A path with round corners, ending short of its last point to leave room for the arrowhead. */
function tracePath(context: Pen, path: number[], short: number): void {
  const last = path.length - 2;
  context.beginPath();
  context.moveTo(path[0], path[1]);
  for (let at = 2; at < last; at += 2) {
    const before = Math.hypot(path[at] - path[at - 2], path[at + 1] - path[at - 1]);
    const after = Math.hypot(path[at + 2] - path[at], path[at + 3] - path[at + 1]);
    context.arcTo(path[at], path[at + 1], path[at + 2], path[at + 3], Math.min(BEND, before / 2, after / 2));
  }
  context.lineTo(path[last], path[last + 1] - short);
}

function arrowhead(context: Pen, x: number, y: number, size: number): void {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size * 0.62, y - size * 1.15);
  context.quadraticCurveTo(x, y - size * 0.8, x + size * 0.62, y - size * 1.15);
  context.closePath();
  context.fill();
}

interface EdgeStyle {
  colour: string;
  width: number;
}

function drawEdges(paint: Paint, view: Box): void {
  const { context, scene, theme, camera, h } = paint;
  const marked = new Map<number, EdgeStyle>();
  for (const [at, width] of [
    [paint.selected, 2],
    [paint.hovered, 2.4],
  ]) {
    if (at >= 0) {
      scene.incoming[at].forEach((edge) => marked.set(edge, { colour: theme.incoming, width }));
      scene.outgoing[at].forEach((edge) => marked.set(edge, { colour: theme.outgoing, width }));
    }
  }
  const shown = Math.max(0, paint.progress * 2 - 1);
  const arrows = camera.scale >= ARROWS_FROM;
  const bounds = scene.pathBounds;
  const draw = (edge: number, style: EdgeStyle): void => {
    const path = scene.paths[edge];
    if (path.length < 4) {
      return;
    }
    const tensor = isTensor(h.document, scene.visible.edges[edge].values[0]);
    context.strokeStyle = style.colour;
    context.fillStyle = style.colour;
    context.lineWidth = Math.max(style.width * (tensor ? 1 : 0.75), 0.8 / camera.scale);
    context.setLineDash(tensor || camera.scale < ARROWS_FROM ? [] : [4, 3]);
    const { source, target } = scene.visible.edges[edge];
    context.globalAlpha = shown * (isFaded(paint, source) || isFaded(paint, target) ? FADED : 1);
    tracePath(context, path, arrows ? 5 : 0);
    context.stroke();
    if (arrows) {
      arrowhead(context, path[path.length - 2], path[path.length - 1], style.width > 1.6 ? 8 : 6.5);
    }
  };
  const inView = (edge: number): boolean =>
    bounds[edge * 4] < view.x + view.width + 10 &&
    bounds[edge * 4 + 2] > view.x - 10 &&
    bounds[edge * 4 + 1] < view.y + view.height + 10 &&
    bounds[edge * 4 + 3] > view.y - 10;
  const plain: EdgeStyle = { colour: theme.edge, width: 1.4 };
  for (let edge = 0; edge < scene.paths.length; edge++) {
    if (!marked.has(edge) && inView(edge)) {
      draw(edge, plain);
    }
  }
  for (const [edge, style] of marked) {
    if (inView(edge)) {
      draw(edge, style);
    }
  }
  context.setLineDash([]);
  context.globalAlpha = shown * (paint.lit === null ? 1 : FADED);
  drawEdgeLabels(paint, marked, inView);
  context.globalAlpha = 1;
}

/** Shapes beside the last stretch of an edge; several edges into one place are labelled once. */
function drawEdgeLabels(
  paint: Paint,
  marked: Map<number, EdgeStyle>,
  inView: (edge: number) => boolean,
): void {
  const { context, scene, theme, camera, h, measure } = paint;
  const taken: Box[] = [];
  const font = detailFont(theme.font);
  context.font = font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const label = (edge: number, style: EdgeStyle | null): void => {
    const path = scene.paths[edge];
    const { values, source } = scene.visible.edges[edge];
    const text = values.length === 1 ? valueSummary(h.document, values[0]) : `${values.length} values`;
    // A shape that the box above shows already is not worth a second mention.
    if (text === '' || (style === null && scene.labels[source].detail.startsWith(text))) {
      return;
    }
    const width = measure(text, font) + 8;
    // A marked line is labelled at its end, which no other shares; others where they start, on the left, as
    // lines that skip boxes leave to the right.
    const end = path.length - 2;
    const { target } = scene.visible.edges[edge];
    const right = style !== null && path[end] > scene.x[target] + scene.width[target] / 2 + 1;
    const x = style === null ? path[0] - width - 2 : right ? path[end] + 5 : path[end] - width - 5;
    const y = style === null ? path[1] + 11 : path[end + 1] - 14;
    const box = { x, y: y - 8, width, height: 16 };
    if (taken.some((other) => overlaps(box, other))) {
      return;
    }
    taken.push(box);
    const around = scene.visible.parents[style === null ? source : target];
    context.fillStyle = around < 0 ? theme.background : fillOf(paint, around).fill;
    roundedBox(context, box, 4);
    context.fill();
    context.fillStyle = style?.colour ?? theme.edgeLabel;
    context.fillText(text, x + 4, y + 0.5);
  };
  if (camera.scale >= DETAIL_FROM) {
    for (const [edge, style] of marked) {
      if (inView(edge)) {
        label(edge, style);
      }
    }
  }
  if (camera.scale >= LABELS_FROM) {
    for (let edge = 0; edge < scene.paths.length; edge++) {
      if (!marked.has(edge) && inView(edge)) {
        label(edge, null);
      }
    }
  }
}

function drawToggle(paint: Paint, box: Box, open: boolean): void {
  const { context, theme } = paint;
  const x = box.x + PAD;
  const y = box.y + (open ? HEADER : box.height) / 2 - TOGGLE / 2;
  context.fillStyle = theme.background;
  context.strokeStyle = theme.closedBorder;
  context.lineWidth = 1;
  roundedBox(context, { x, y, width: TOGGLE, height: TOGGLE }, 4);
  context.fill();
  context.stroke();
  context.strokeStyle = theme.text;
  context.lineWidth = 1.5;
  context.beginPath();
  context.moveTo(x + 3.5, y + TOGGLE / 2);
  context.lineTo(x + TOGGLE - 3.5, y + TOGGLE / 2);
  if (!open) {
    context.moveTo(x + TOGGLE / 2, y + 3.5);
    context.lineTo(x + TOGGLE / 2, y + TOGGLE - 3.5);
  }
  context.stroke();
}

/** A triangle for warnings, a disc with a cross for failure: told apart by shape as well as by colour. */
function drawBadge(paint: Paint, x: number, y: number, kind: 'warning' | 'error'): void {
  const { context, theme } = paint;
  context.lineJoin = 'round';
  context.lineWidth = 2.5;
  context.strokeStyle = context.fillStyle = kind === 'warning' ? theme.warning : theme.error;
  context.beginPath();
  if (kind === 'warning') {
    context.moveTo(x, y - 6.5);
    context.lineTo(x + 7, y + 5);
    context.lineTo(x - 7, y + 5);
    context.closePath();
    context.stroke();
  } else {
    context.arc(x, y, 7.5, 0, 2 * Math.PI);
  }
  context.fill();
  context.strokeStyle = kind === 'warning' ? theme.warningInk : '#ffffff';
  context.lineWidth = 1.7;
  context.lineCap = 'round';
  context.beginPath();
  if (kind === 'warning') {
    context.moveTo(x, y - 3);
    context.lineTo(x, y + 0.8);
    context.moveTo(x, y + 3.6);
    context.lineTo(x, y + 3.7);
  } else {
    context.moveTo(x - 3, y - 3);
    context.lineTo(x + 3, y + 3);
    context.moveTo(x + 3, y - 3);
    context.lineTo(x - 3, y + 3);
  }
  context.stroke();
  context.lineCap = 'butt';
}

function fillOf(paint: Paint, index: number): { fill: string; border: string; radius: number } {
  const { scene, theme } = paint;
  switch (scene.visible.kinds[index]) {
    case 'open':
      return {
        fill: theme.depths[Math.min(scene.depth[index], theme.depths.length - 1)],
        border: theme.groupBorder,
        radius: CORNER + 3,
      };
    case 'closed':
      return { fill: theme.closed, border: theme.closedBorder, radius: CORNER };
    case 'input':
      return { fill: theme.input, border: theme.inputBorder, radius: 99 };
    case 'output':
      return { fill: theme.output, border: theme.outputBorder, radius: 99 };
    default:
      return { fill: theme.box, border: theme.boxBorder, radius: CORNER - 2 };
  }
}

function drawFrame(paint: Paint, index: number, box: Box): void {
  const { context, scene, theme, camera, h } = paint;
  const { fill, border, radius } = fillOf(paint, index);
  const kind = scene.visible.kinds[index];
  const element = scene.visible.elements[index];
  const failed =
    kind === 'op'
      ? h.document.nodes.failed === element
      : kind === 'closed' && !!h.scopeFailed[scopeOf(h, element)];
  if (kind !== 'open' && camera.scale >= TEXT_FROM) {
    context.shadowColor = theme.shadow;
    context.shadowBlur = 5 * camera.scale * paint.density;
    context.shadowOffsetY = 1.5 * camera.scale * paint.density;
  }
  context.fillStyle = fill;
  roundedBox(context, box, radius);
  context.fill();
  context.shadowColor = 'transparent';
  context.strokeStyle = failed ? theme.error : border;
  context.lineWidth = failed ? 2.2 : Math.max(1, 0.7 / camera.scale);
  context.stroke();
  if (kind === 'op') {
    const category = categoryOf(shortKind(string(h.document, h.document.nodes.kind[element])));
    context.save();
    roundedBox(context, box, radius);
    context.clip();
    context.fillStyle = theme.categories[category];
    context.fillRect(box.x, box.y, camera.scale < TEXT_FROM ? box.width : 4.5, box.height);
    context.restore();
  }
  drawRings(paint, index, box, radius);
}

function drawRings(paint: Paint, index: number, box: Box, radius: number): void {
  const { context, theme, camera } = paint;
  const ring = (colour: string, width: number, away: number): void => {
    context.strokeStyle = colour;
    context.lineWidth = Math.max(width, width / camera.scale / 1.5);
    roundedBox(
      context,
      { x: box.x - away, y: box.y - away, width: box.width + 2 * away, height: box.height + 2 * away },
      radius + away,
    );
    context.stroke();
  };
  if (paint.matches.has(paint.scene.visible.elements[index])) {
    // Told from a selection by its dashes, not by its colour alone.
    context.setLineDash([7, 3]);
    ring(theme.match, 3, 1.5);
    context.setLineDash([]);
  }
  if (index === paint.hovered && index !== paint.selected) {
    ring(theme.faint, 1.5, 0);
  }
  if (index === paint.selected) {
    ring(theme.selected, 2.5, 1);
    if (paint.focused) {
      context.setLineDash([3, 3]);
      ring(theme.selected, 1.5, 5);
      context.setLineDash([]);
    }
  }
}

function drawText(paint: Paint, index: number, box: Box): void {
  const { context, scene, theme, camera, measure } = paint;
  const label = scene.labels[index];
  const kind = scene.visible.kinds[index];
  const group = kind === 'open' || kind === 'closed';
  const left = box.x + PAD + (group ? TOGGLE + 9 : 2);
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const title = titleFont(theme.font);
  const titleWidth = measure(label.title, title);
  const asideWidth = label.aside ? 7 + measure(label.aside, asideFont(theme.font)) : 0;
  const pill = kind === 'input' || kind === 'output';
  const fits = box.width - (left - box.x) - PAD;
  const at = pill ? box.x + (box.width - titleWidth) / 2 : left;
  const lines = label.detail !== '' && kind !== 'open' && camera.scale >= DETAIL_FROM;
  const y =
    kind === 'open'
      ? box.y + HEADER / 2 + 0.5
      : lines
        ? box.y + box.height / 2 - 7.5
        : box.y + box.height / 2 + 0.5;
  if (kind === 'open') {
    // Lines pass under the header: its text keeps a clear ground.
    const detail = camera.scale >= DETAIL_FROM ? 16 + measure(label.detail, detailFont(theme.font)) : 0;
    context.fillStyle = fillOf(paint, index).fill;
    context.fillRect(
      left - 4,
      box.y + 6,
      Math.min(titleWidth + asideWidth + detail + 8, fits + 8),
      HEADER - 11,
    );
  }
  context.fillStyle = theme.text;
  context.font = title;
  context.fillText(label.title, at, y, fits + 4);
  if (label.aside) {
    context.font = asideFont(theme.font);
    context.fillStyle = theme.faint;
    context.fillText(label.aside, at + titleWidth + 7, y);
  }
  if (label.detail !== '' && camera.scale >= DETAIL_FROM) {
    context.font = detailFont(theme.font);
    context.fillStyle = theme.faint;
    if (kind === 'open') {
      context.fillText(label.detail, at + titleWidth + asideWidth + 14, y + 0.5);
    } else {
      const width = measure(label.detail, context.font);
      context.fillText(
        label.detail,
        pill ? box.x + (box.width - width) / 2 : left,
        box.y + box.height / 2 + 9,
      );
    }
  }
}

function drawBadges(paint: Paint, index: number, box: Box): void {
  const { scene, h } = paint;
  const element = scene.visible.elements[index];
  const kind = kindOf(h, element);
  const closed = scene.visible.kinds[index] === 'closed';
  const warned =
    kind === 'op'
      ? h.nodeWarnings[element] > 0
      : kind === 'group'
        ? closed && h.scopeWarnings[scopeOf(h, element)] > 0
        : kind === 'output' && h.tainted.has(pillValue(h, element));
  const failed =
    kind === 'op' ? h.document.nodes.failed === element : closed && !!h.scopeFailed[scopeOf(h, element)];
  if (failed) {
    drawBadge(paint, box.x + box.width - 3, box.y + 2, 'error');
  }
  if (warned) {
    drawBadge(paint, box.x + box.width - (failed ? 22 : 4), box.y + 1, 'warning');
  }
}

export function paintScene(paint: Paint): void {
  const { context, scene, theme, camera } = paint;
  context.setTransform(paint.density, 0, 0, paint.density, 0, 0);
  context.fillStyle = theme.background;
  context.fillRect(0, 0, paint.width, paint.height);
  context.setTransform(
    camera.scale * paint.density,
    0,
    0,
    camera.scale * paint.density,
    camera.x * paint.density,
    camera.y * paint.density,
  );
  const view = visibleWorld(camera, paint.width, paint.height);
  const shown: [number, Box][] = [];
  for (let index = 0; index < scene.x.length; index++) {
    const box = currentBox(paint, index);
    if (overlaps({ x: box.x - 10, y: box.y - 10, width: box.width + 20, height: box.height + 20 }, view)) {
      shown.push([index, box]);
    }
  }
  const open = (index: number): boolean => scene.visible.kinds[index] === 'open';
  for (const [index, box] of shown) {
    if (open(index)) {
      drawFrame(paint, index, box);
    }
  }
  drawEdges(paint, view);
  const text = camera.scale >= TEXT_FROM;
  for (const [index, box] of shown) {
    context.globalAlpha = isFaded(paint, index) ? FADED : 1;
    if (!open(index)) {
      drawFrame(paint, index, box);
    }
    // A group's name stays readable for longer than its contents' names.
    if (text || (open(index) && camera.scale >= TEXT_FROM / 2)) {
      drawText(paint, index, box);
      if (scene.visible.kinds[index] === 'closed' || open(index)) {
        drawToggle(paint, box, open(index));
      }
    }
    drawBadges(paint, index, box);
  }
  context.globalAlpha = 1;
  for (const layer of paint.layers) {
    context.save();
    layer(paint, shown);
    context.restore();
  }
}
