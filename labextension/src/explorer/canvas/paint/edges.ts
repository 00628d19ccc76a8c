/** Painting the lines between boxes, and what flows along them. */

import * as strings from '../../../i18n/strings';
import { isTensor, valueSummary } from '../../../model/describe';
import type { Flow } from '../../../layout/types';
import type { Box } from '../camera';
import {
  ARROWS_FROM,
  BLOCKS_BELOW,
  DETAIL_FROM,
  DIMMED,
  isDimmed,
  LABELS_FROM,
  boxStyleOf,
  overlaps,
  roundedBox,
} from './paint';
import type { Paint, Placed } from './paint';
import type { DrawingContext } from './svgcontext';
import { detailFont, HEADER } from '../scene';
import { BEND, HEAD, edgeGeometryOf } from '../edgegeometry';
import { EDGE_WIDTHS, edgeWidthsOf } from '../edgewidths';

/** Pieces shorter than this on the screen are not drawn. */
const SHORTEST = 1.5;
/** Room around a line for its thickness and its arrowhead. */
const AROUND = 10;

/** A path with round corners, ending short of its last point to leave room for the arrowhead. */
function tracePath(context: DrawingContext, path: number[], short: number, flow: Flow): void {
  const last = path.length - 2;
  context.beginPath();
  context.moveTo(path[0], path[1]);
  for (let at = 2; at < last; at += 2) {
    const before = Math.hypot(path[at] - path[at - 2], path[at + 1] - path[at - 1]);
    const after = Math.hypot(path[at + 2] - path[at], path[at + 3] - path[at + 1]);
    context.arcTo(path[at], path[at + 1], path[at + 2], path[at + 3], Math.min(BEND, before / 2, after / 2));
  }
  const toRight = flow === 'right';
  context.lineTo(path[last] - (toRight ? short : 0), path[last + 1] - (toRight ? 0 : short));
}

function arrowhead(context: DrawingContext, x: number, y: number, size: number, flow: Flow): void {
  const half = size * 0.62;
  const long = size * 1.15;
  context.moveTo(x, y);
  if (flow === 'right') {
    context.lineTo(x - long, y - half);
    context.quadraticCurveTo(x - size * 0.8, y, x - long, y + half);
  } else {
    context.lineTo(x - half, y - long);
    context.quadraticCurveTo(x, y - size * 0.8, x + half, y - long);
  }
  context.closePath();
}

interface EdgeStyle {
  color: string;
  width: number;
}

function markedEdges({ scene, theme, selected, hovered }: Paint): Map<number, EdgeStyle> {
  const marked = new Map<number, EdgeStyle>();
  for (const [at, width] of [
    [selected, 2],
    [hovered, 2.4],
  ]) {
    if (at >= 0) {
      scene.incoming[at].forEach((edge) => marked.set(edge, { color: theme.incoming, width }));
      scene.outgoing[at].forEach((edge) => marked.set(edge, { color: theme.outgoing, width }));
    }
  }
  return marked;
}

function inView({ scene }: Paint, edge: number, view: Box): boolean {
  const bounds = scene.pathBounds;
  return (
    bounds[edge * 4] < view.x + view.width + AROUND &&
    bounds[edge * 4 + 2] > view.x - AROUND &&
    bounds[edge * 4 + 1] < view.y + view.height + AROUND &&
    bounds[edge * 4 + 3] > view.y - AROUND
  );
}

export function drawEdges(paint: Paint, view: Box, shown: readonly Placed[]): void {
  const { context, scene, theme } = paint;
  const alpha = Math.max(0, paint.progress * 2 - 1);
  context.globalAlpha = alpha * (paint.highlighted === null ? 1 : DIMMED);
  drawStrokes(paint, view);
  context.globalAlpha = alpha;
  if (paint.highlighted !== null) {
    for (const element of paint.highlighted) {
      for (const edge of scene.outgoing[scene.visible.indexOf.get(element) ?? -1] ?? []) {
        const { source, target } = scene.visible.edges[edge];
        if (!isDimmed(paint, source) && !isDimmed(paint, target) && inView(paint, edge, view)) {
          drawEdge(paint, edge, { color: theme.edge, width: 1.4 });
        }
      }
    }
  }
  const marked = markedEdges(paint);
  for (const [edge, style] of marked) {
    if (inView(paint, edge, view)) {
      drawEdge(paint, edge, style);
    }
  }
  context.setLineDash([]);
  context.globalAlpha = alpha * (paint.highlighted === null ? 1 : DIMMED);
  drawLabels(paint, marked, view, shown);
  context.globalAlpha = 1;
}

/** All lines in view, those of one weight with a single stroke. */
function drawStrokes(paint: Paint, view: Box): void {
  const { context, scene, theme, camera, h } = paint;
  const strokes = edgeGeometryOf(scene);
  const { straight, corners, heads, net } = strokes;
  const weights = edgeWidthsOf(h, scene, paint.widthBySize);
  const pieces = straight.length / 4;
  const ends = pieces + corners.length / 6;
  const arrows = camera.scale >= ARROWS_FROM;
  const shortest = SHORTEST / camera.scale;
  const classes: number[][] = EDGE_WIDTHS.map(() => []);
  const far = camera.scale < BLOCKS_BELOW;
  const found = (far ? strokes.longIndex : strokes.index).query(
    view.x - AROUND,
    view.y - AROUND,
    view.x + view.width + AROUND,
    view.y + view.height + AROUND,
  );
  for (const row of found) {
    const at = far ? strokes.long[row] : row;
    classes[weights[net[at]]].push(at);
  }
  context.strokeStyle = theme.edge;
  context.fillStyle = theme.edge;
  EDGE_WIDTHS.forEach(({ width, dashed }, which) => {
    const list = classes[which];
    if (list.length === 0) {
      return;
    }
    context.lineWidth = Math.max(width, 0.8 / camera.scale);
    context.setLineDash(dashed && arrows ? [4, 3] : []);
    context.beginPath();
    for (const at of list) {
      if (at < pieces) {
        const x = straight[4 * at];
        const y = straight[4 * at + 1];
        const toX = straight[4 * at + 2];
        const toY = straight[4 * at + 3];
        if (arrows || Math.abs(toX - x) + Math.abs(toY - y) >= shortest) {
          context.moveTo(x, y);
          context.lineTo(toX, toY);
        }
      } else if (at < ends && camera.scale * BEND >= SHORTEST / 2) {
        const corner = 6 * (at - pieces);
        context.moveTo(corners[corner], corners[corner + 1]);
        if (arrows) {
          context.quadraticCurveTo(
            corners[corner + 2],
            corners[corner + 3],
            corners[corner + 4],
            corners[corner + 5],
          );
        } else {
          context.lineTo(corners[corner + 4], corners[corner + 5]);
        }
      }
    }
    context.stroke();
    if (arrows) {
      context.beginPath();
      for (const at of list) {
        if (at >= ends) {
          const head = 2 * (at - ends);
          arrowhead(context, heads[head], heads[head + 1], 5.6 + width * 0.65, scene.flow);
        }
      }
      context.fill();
    }
  });
  context.setLineDash([]);
}

function drawEdge(paint: Paint, edge: number, style: EdgeStyle): void {
  const { context, scene, camera, h } = paint;
  const path = scene.paths[edge];
  if (path.length < 4) {
    return;
  }
  const tensor = isTensor(h.document, scene.visible.edges[edge].values[0]);
  const arrows = camera.scale >= ARROWS_FROM;
  context.strokeStyle = style.color;
  context.fillStyle = style.color;
  context.lineWidth = Math.max(style.width * (tensor ? 1 : 0.75), 0.8 / camera.scale);
  context.setLineDash(tensor || !arrows ? [] : [4, 3]);
  tracePath(context, path, arrows ? HEAD : 0, scene.flow);
  context.stroke();
  if (arrows) {
    context.beginPath();
    arrowhead(context, path[path.length - 2], path[path.length - 1], style.width > 1.6 ? 8 : 6.5, scene.flow);
    context.fill();
  }
}

/** Shapes beside an end of an edge; several edges into one place are labelled once. */
function drawLabels(paint: Paint, marked: Map<number, EdgeStyle>, view: Box, shown: readonly Placed[]): void {
  const { context, scene, theme, camera, h, measure } = paint;
  if (camera.scale < DETAIL_FROM) {
    return;
  }
  const taken: Box[] = [];
  const font = detailFont(theme.font);
  context.font = font;
  context.textBaseline = 'middle';
  context.textAlign = 'left';
  const label = (edge: number, style: EdgeStyle | null): void => {
    const path = scene.paths[edge];
    const { values, source, target } = scene.visible.edges[edge];
    const text = values.length === 1 ? valueSummary(h, values[0]) : strings.values(values.length);
    // A shape that the box above shows already is not worth a second mention.
    if (text === '' || path.length < 4 || (style === null && scene.labels[source].detail.startsWith(text))) {
      return;
    }
    const width = measure(text, font) + 8;
    // A marked line is labelled at its end, which no other shares, unless a header of a group is there; others
    // where they start, on the left, as lines that skip boxes leave to the right.
    const end = path.length - 2;
    const inside = scene.visible.parents[target];
    const atEnd = style !== null && !(inside >= 0 && path[end + 1] - 22 < scene.y[inside] + HEADER - 4);
    const right = path[end] > scene.x[target] + scene.width[target] / 2 + 1;
    const toRight = scene.flow === 'right';
    // From left to right a shape stands on its line, where that is long enough.
    const stretch = atEnd ? path[end] - path[end - 2] : path[2] - path[0];
    if (toRight && stretch < width + 2 * HEAD) {
      return;
    }
    const x = toRight
      ? atEnd
        ? path[end] - width - HEAD
        : path[0] + 2
      : !atEnd
        ? path[0] - width - 2
        : right
          ? path[end] + 5
          : path[end] - width - 5;
    const y = toRight ? (atEnd ? path[end + 1] : path[1]) - 11 : !atEnd ? path[1] + 11 : path[end + 1] - 14;
    const box = { x, y: y - 8, width, height: 16 };
    if (taken.some((other) => overlaps(box, other))) {
      return;
    }
    taken.push(box);
    const around = atEnd ? inside : scene.visible.parents[source];
    context.fillStyle = around < 0 ? theme.background : boxStyleOf(paint, around).fill;
    roundedBox(context, box, 4);
    context.fill();
    context.fillStyle = style?.color ?? theme.edgeLabel;
    context.fillText(text, x + 4, y + 0.5);
  };
  for (const [edge, style] of marked) {
    if (inView(paint, edge, view)) {
      label(edge, style);
    }
  }
  if (camera.scale >= LABELS_FROM) {
    for (const [box] of shown) {
      if (scene.visible.kinds[box] === 'open') {
        continue;
      }
      for (const edge of scene.outgoing[box]) {
        if (!marked.has(edge)) {
          label(edge, null);
          break;
        }
      }
    }
  }
}
