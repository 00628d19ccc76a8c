import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createCache } from '../../src/layout/cache';
import { buildHierarchy, groupElement, scopeOf, type Hierarchy } from '../../src/model/hierarchy';
import { closeScope, openScope } from '../../src/model/openstate';
import { setCollapsed } from '../../src/model/repeats';
import type { ViewDocument } from '../../src/protocol/viewdocument';
import { DocumentBuilder } from '../fixtures/builder';
import { gpt, resnet18 } from '../fixtures/models';
import { moved, sceneOf, type Moved } from './moved';

/** What a group does to the picture when it opens, and when it closes again. */
function openAndClose(h: Hierarchy, opened: ReadonlySet<number>, scope: number): [Moved, Moved] {
  const cache = createCache();
  const group = groupElement(h, scope);
  const before = sceneOf(h, opened, undefined, -1, cache);
  const after = sceneOf(h, openScope(h, opened, scope), before, group, cache);
  const again = sceneOf(h, opened, after, group, cache);
  return [moved(before, after, group), moved(after, again, group)];
}

/** Clicks on groups one after the other, each given by a number; returns what the clicks moved. */
function click(h: Hierarchy, clicks: number[]): Moved[] {
  const cache = createCache();
  let opened: ReadonlySet<number> = new Set();
  let scene = sceneOf(h, opened, undefined, -1, cache);
  const found: Moved[] = [];
  for (const number of clicks) {
    const groups = scene.visible.kinds.flatMap((kind, at) =>
      kind === 'closed' || kind === 'open' ? [at] : [],
    );
    if (groups.length === 0) {
      break;
    }
    const at = groups[number % groups.length];
    const group = scene.visible.elements[at];
    opened = (scene.visible.kinds[at] === 'closed' ? openScope : closeScope)(h, opened, scopeOf(h, group));
    const next = sceneOf(h, opened, scene, group, cache);
    found.push(moved(scene, next, group));
    scene = next;
  }
  return found;
}

interface Part {
  ops: number[][];
  parts: Part[];
}

/** Modules in modules, with operators before and after them that take any of the latest values. */
const { parts } = fc.letrec<{ parts: Part[] }>((tie) => ({
  parts: fc.array<Part>(
    fc.record({
      ops: fc.array(fc.array(fc.nat(7), { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
      parts: fc.oneof({ depthSize: 'small', withCrossShrink: true }, fc.constant<Part[]>([]), tie('parts')),
    }),
    { minLength: 1, maxLength: 4 },
  ),
}));

function documentOf(given: Part[]): ViewDocument {
  const b = new DocumentBuilder('any');
  const values = [b.input('x', [4, 8]), b.input('mask', [4, 4])];
  const write = (list: Part[], depth: number): void =>
    list.forEach(({ ops, parts: inner }, index) => {
      b.module(`part${index}`, `Part${depth}`, () => {
        ops.forEach((from, at) => {
          if (at === 1) {
            write(inner, depth + 1);
          }
          const takes = from.map((back) => values[Math.max(0, values.length - 1 - back)]);
          values.push(b.op('op'.repeat(1 + (from[0] % 4)), takes, [4, 8]));
        });
      });
    });
  write(given, 0);
  b.output(values[values.length - 1]);
  return b.document;
}

const STILL = 1;
const worst = (found: Moved[]): number =>
  Math.max(0, ...found.map(({ above, toggle }) => Math.max(above, toggle)));

describe('a group that opens or closes', () => {
  it.each([
    ['ResNet-18', resnet18()],
    ['GPT', gpt()],
  ])('moves nothing above it in %s', (_, document) => {
    const h = buildHierarchy(document);
    for (let scope = 1; scope < h.scopes; scope++) {
      if (!h.inlined[scope] && h.parent[groupElement(h, scope)] === 0) {
        expect(worst(openAndClose(h, new Set(), scope))).toBeLessThanOrEqual(STILL);
      }
    }
  });

  it('moves nothing above it inside an open group', () => {
    const h = buildHierarchy(gpt());
    setCollapsed(h, []);
    const opened = openScope(h, new Set(), h.paths.indexOf('transformer'));
    for (const path of ['transformer.h.0', 'transformer.h.5', 'transformer.h.11']) {
      expect(worst(openAndClose(h, opened, h.paths.indexOf(path)))).toBeLessThanOrEqual(STILL);
    }
  });

  it('moves nothing above it after any others', () => {
    fc.assert(
      fc.property(parts, fc.array(fc.nat(1000), { maxLength: 12 }), (given, clicks) => {
        expect(worst(click(buildHierarchy(documentOf(given)), clicks))).toBeLessThanOrEqual(STILL);
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it('gives, closed again, the picture there was', () => {
    const h = buildHierarchy(gpt());
    setCollapsed(h, []);
    const opened = openScope(h, new Set(), h.paths.indexOf('transformer'));
    const scope = h.paths.indexOf('transformer.h.3');
    const again = closeScope(h, openScope(h, opened, scope), scope);
    expect(sceneOf(h, again)).toEqual(sceneOf(h, opened));
  });
});
