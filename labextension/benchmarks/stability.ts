/**
 * What moves on the screen when a group is opened or closed, on real traced models:
 * `npm run bench:stability -- FOLDER [right | columns]`, where FOLDER holds what `trace_models.py` wrote.
 *
 * Every group of a model is opened with only the groups around it open, and closed again; then, with everything
 * open, closed and opened again; then a hundred groups are clicked one after the other. Whatever stands above the
 * clicked box, that is ends at or above its upper edge, and is shown before and after, should keep its place
 * relative to it in x and in y: see `tests/moved.ts`.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createCache } from '../src/layout/cache';
import { groupElement, scopeOf, buildHierarchy, type Hierarchy } from '../src/model/hierarchy';
import { closeScope, allScopes, openScope } from '../src/model/openstate';
import { readDocument } from '../src/protocol/validate';
import { moved, sceneOf, type Moved } from '../tests/layout/moved';

const folder = process.argv[2];
const verbose = process.argv.includes('v');
const flow = (['right', 'columns'] as const).find((each) => process.argv.includes(each)) ?? 'down';
const STILL = 1;

interface Tally {
  toggles: number;
  moving: number;
  aside: number;
  lines: number;
  worst: number;
  worstAside: number;
}

const total: Record<string, Tally> = {};

function count(kind: string, name: string, found: Moved): void {
  const tally = (total[kind] ??= { toggles: 0, moving: 0, aside: 0, lines: 0, worst: 0, worstAside: 0 });
  tally.toggles++;
  tally.moving += Number(found.above > STILL);
  tally.aside += Number(found.beside > STILL);
  tally.lines += Number(found.toggle > STILL);
  tally.worst = Math.max(tally.worst, found.above);
  tally.worstAside = Math.max(tally.worstAside, found.beside);
  if (verbose && found.above > STILL) {
    console.log(`${kind}: ${name}: ${found.above.toFixed(0)} px, ${found.what}`);
  }
}

function around(h: Hierarchy, scope: number): Set<number> {
  const opened = new Set<number>();
  for (let at = h.parent[groupElement(h, scope)]; at > 0; at = h.parent[groupElement(h, at)]) {
    opened.add(at);
  }
  return opened;
}

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

for (const file of readdirSync(folder).sort()) {
  const h = buildHierarchy(readDocument(JSON.parse(readFileSync(resolve(folder, file), 'utf8'))));
  const model = file.replace('.json', '');
  const all = allScopes(h);
  let cache = createCache();
  for (const scope of all) {
    const name = `${model} ${h.paths[scope]}`;
    const group = groupElement(h, scope);
    const few = around(h, scope);
    cache = createCache();
    const closed = sceneOf(h, few, undefined, -1, cache, flow);
    const open = sceneOf(h, openScope(h, few, scope), closed, group, cache, flow);
    count('opened alone', name, moved(closed, open, group));
    const again = sceneOf(h, closeScope(h, openScope(h, few, scope), scope), open, group, cache, flow);
    count('closed again', name, moved(open, again, group));
  }
  if (all.size < 120) {
    for (const scope of all) {
      cache = createCache();
      const before = sceneOf(h, all, undefined, -1, cache, flow);
      const name = `${model} ${h.paths[scope]}`;
      const group = groupElement(h, scope);
      const less = closeScope(h, all, scope);
      const closed = sceneOf(h, less, before, group, cache, flow);
      count('closed in all', name, moved(before, closed, group));
      const after = sceneOf(h, openScope(h, less, scope), closed, group, cache, flow);
      count('opened in all', name, moved(closed, after, group));
    }
  }
  const next = random(7);
  cache = createCache();
  let opened: ReadonlySet<number> = new Set();
  let scene = sceneOf(h, opened, undefined, -1, cache, flow);
  for (let click = 0; click < 100; click++) {
    const groups = scene.visible.kinds.flatMap((kind, at) =>
      kind === 'closed' || (kind === 'open' && next() < 0.3) ? [at] : [],
    );
    if (groups.length === 0) {
      break;
    }
    const at = groups[Math.floor(next() * groups.length)];
    const group = scene.visible.elements[at];
    const scope = scopeOf(h, group);
    opened =
      scene.visible.kinds[at] === 'closed' ? openScope(h, opened, scope) : closeScope(h, opened, scope);
    const after = sceneOf(h, opened, scene, group, cache, flow);
    count('one after the other', `${model} ${h.paths[scope]} (click ${click})`, moved(scene, after, group));
    scene = after;
  }
}
for (const [kind, t] of Object.entries(total)) {
  console.log(
    `${kind}: ${t.toggles} toggles, ${t.moving} move something above (worst ${t.worst.toFixed(0)} px), ` +
      `${t.aside} push something aside (worst ${t.worstAside.toFixed(0)} px), ${t.lines} lose the pointer`,
  );
}
