/**
 * Crossings and edge length against dot, on real traced models at the same level:
 * `npm run bench:quality -- FOLDER`, where FOLDER holds what `trace_models.py` wrote.
 *
 * Both get the same boxes of the same sizes, the same open groups (clusters to dot, with our margin and a label of our
 * header's size) and the same least gaps between boxes and between ranks. dot ranks all boxes together (`newrank`): by
 * default it ranks each cluster alone, and where a cluster is left and entered again (GPT-2, MobileViT) it turns lines
 * round, so that data runs upwards and the picture is half as high as the longest path.
 *
 * A crossing is a point where lines of two different sources meet at an angle. Ours bundles the lines of one source, so
 * equal points of the same two sources count once, for both. With `--json` as the last word, one object a line. Length is that of the lines as they are drawn: ours with
 * round corners, dot's as splines; it is the sum over edges, bundled or not.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import { layoutInput } from '../src/explorer/canvas/scene';
import { layout } from '../src/layout/layout';
import { BEND } from '../src/explorer/canvas/edgegeometry';
import { BOX_GAP, GROUP_SIDE, GROUP_TOP, RANK_GAP } from '../src/layout/spacing';
import type { LayoutInput } from '../src/layout/types';
import { buildHierarchy } from '../src/model/hierarchy';
import { firstPicture } from '../src/explorer/core/firstpicture';
import { allScopes } from '../src/model/openstate';
import { readDocument } from '../src/protocol/validate';
import { visibleFor } from '../src/model/visible';
import { crossings, length } from './crossings';

const measure = (text: string, font: string): number => text.length * (font.includes('13px') ? 7.2 : 6.1);

/** dot gives a label 1.2 times the size of its letters and 8 points more: with this it is as high as our header. */
const LETTER = (GROUP_TOP - 8) / 1.2;
/** An x is half as wide as high; dot leaves 16 points beside a label. */
const header = (width: number): string => 'x'.repeat(Math.max(1, Math.ceil((width - 16) / (LETTER / 2))));

function dotText(input: LayoutInput): string {
  const inside = new Map<number, number[]>();
  input.parents.forEach((parent, box) => inside.set(parent, [...(inside.get(parent) ?? []), box]));
  const write = (group: number): string =>
    (inside.get(group) ?? [])
      .map((box) =>
        input.open[box]
          ? `subgraph cluster_${box} { label="${header(input.widths[box])}" ${write(box)} }`
          : `${box} [width=${input.widths[box] / 72}, height=${input.heights[box] / 72}]`,
      )
      .join('\n');
  const edges = input.sources.map((source, at) => `${source}->${input.targets[at]} [id="${at}"]`);
  const rank = (kind: string, pin: number): string =>
    `{ rank=${kind} ${input.pinned.flatMap((each, box) => (each === pin ? [box] : [])).join(' ')} }`;
  return `digraph { nodesep=${BOX_GAP / 72} ranksep=${RANK_GAP / 72} newrank=true margin=${GROUP_SIDE} fontsize=${LETTER}
    node [shape=box, fixedsize=true, label=""] edge [arrowhead=none]
    ${rank('source', -1)} ${rank('sink', 1)}
    ${write(-1)}\n${edges.join('\n')} }`;
}

/** A spline of dot as a line of many corners. */
function polyline(pos: string): number[] {
  const points = pos
    .split(' ')
    .filter((part) => !/^[se],/.test(part))
    .map((part) => part.split(',').map(Number));
  const path = [...points[0]];
  for (let at = 0; at + 3 < points.length; at += 3) {
    const [a, b, c, d] = points.slice(at, at + 4);
    for (let step = 1; step <= 8; step++) {
      const t = step / 8;
      const s = 1 - t;
      for (const axis of [0, 1]) {
        path.push(s ** 3 * a[axis] + 3 * s * s * t * b[axis] + 3 * s * t * t * c[axis] + t ** 3 * d[axis]);
      }
    }
  }
  return path;
}

/** Our line with round corners, as it is drawn, as a line of many corners. */
function drawn(path: number[]): number[] {
  const round = path.slice(0, 2);
  for (let at = 2; at + 3 < path.length; at += 2) {
    const [x, y] = [path[at], path[at + 1]];
    const before = Math.hypot(path[at - 2] - x, path[at - 1] - y);
    const after = Math.hypot(path[at + 2] - x, path[at + 3] - y);
    const radius = Math.min(BEND, before / 2, after / 2);
    const [ux, uy] = [(path[at - 2] - x) / before, (path[at - 1] - y) / before];
    const [vx, vy] = [(path[at + 2] - x) / after, (path[at + 3] - y) / after];
    for (let step = 0; step <= 4; step++) {
      const angle = (step / 8) * Math.PI;
      const [u, v] = [radius * (1 - Math.sin(angle)), radius * (1 - Math.cos(angle))];
      round.push(x + u * ux + v * vx, y + u * uy + v * vy);
    }
  }
  round.push(...path.slice(-2));
  return round;
}

async function main(): Promise<void> {
  const graphviz = await Graphviz.load();
  const folder = process.argv[2];
  const json = process.argv[3] === '--json';
  const say = (text: string): void => (json ? undefined : console.log(text));
  const tell = (row: object): void => (json ? console.log(JSON.stringify(row)) : undefined);
  const ratios: Record<string, number[]> = {};
  for (const level of ['first', 'open', 'flat'] as const) {
    say(`\n${level}: model, boxes, edges | crossings ours / dot | length ours / dot, ratio`);
    for (const file of readdirSync(folder).sort()) {
      const h = buildHierarchy(readDocument(JSON.parse(readFileSync(resolve(folder, file), 'utf8'))));
      const visible = visibleFor(h, level === 'first' ? firstPicture(h, layout) : allScopes(h));
      const { input } = layoutInput(h, visible, measure, 'x');
      if (level === 'flat') {
        flatten(input);
      }
      const mine = layout(input);
      let theirs: number[][];
      try {
        const parsed = JSON.parse(graphviz.layout(dotText(input), 'json', 'dot')) as {
          edges?: { id: string; pos: string }[];
        };
        theirs = [];
        parsed.edges?.forEach((edge) => (theirs[Number(edge.id)] = polyline(edge.pos)));
      } catch (error) {
        say(`${file}: dot failed (${String(error).slice(0, 60)})`);
        continue;
      }
      const a = [crossings(mine.paths, input.sources), length(mine.paths.map(drawn))];
      const b = [crossings(theirs, input.sources), length(theirs)];
      const ratio = a[1] / Math.max(1, b[1]);
      (ratios[level] ??= []).push(ratio);
      (ratios[`${level} crossings`] ??= []).push((a[0] + 1) / (b[0] + 1));
      const name = `${file.replace('.json', '')}, ${level}`;
      tell({ case: name, what: 'crossings', unit: 'crossings', ours: a[0], peer: 'dot', theirs: b[0] });
      tell({ case: name, what: 'length of lines', unit: 'px', ours: a[1], peer: 'dot', theirs: b[1] });
      say(
        `${file.replace('.json', '').padEnd(14)} ${String(input.parents.length).padStart(5)} ${String(input.sources.length).padStart(5)} | ` +
          `${a[0]} / ${b[0]} | ${(a[1] / 1000).toFixed(1)}k / ${(b[1] / 1000).toFixed(1)}k, ${ratio.toFixed(2)}`,
      );
    }
  }
  for (const [name, values] of Object.entries(ratios)) {
    const mean = Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
    const worst = Math.max(...values).toFixed(2);
    say(`${name}: geometric mean ${mean.toFixed(2)}, worst ${worst}`);
  }
}

/** No groups at all: what stood inside stands outside, as an open group's frame is no box here. */
function flatten(input: LayoutInput): void {
  const kept = input.open.flatMap((open, box) => (open ? [] : [box]));
  const place = new Map(kept.map((box, at) => [box, at]));
  for (const key of ['widths', 'heights', 'pinned'] as const) {
    input[key] = kept.map((box) => input[key][box]);
  }
  input.open = kept.map(() => false);
  input.parents = kept.map(() => -1);
  input.sources = input.sources.map((box) => place.get(box)!);
  input.targets = input.targets.map((box) => place.get(box)!);
}

void main();
