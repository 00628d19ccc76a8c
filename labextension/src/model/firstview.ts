/**
 * Which groups are open in the first picture: input, main blocks and output in one screen, at a zoom at which text can be
 * read, opened as far as that allows.
 */

import { isDocumentScope, isOfEnds } from './bundles';
import { differencesOf, DiffStatus, type Differences } from './diff/differences';
import { groupElement, kindOf, scopeOf, type Hierarchy } from './hierarchy';
import { allScopes, documentScopes, openScope } from './openstate';

/** The zoom at which a picture with these open groups is whole in one screen; `isNeeded`: without them it says nothing. */
export type ZoomOf = (opened: ReadonlySet<number>, isNeeded: boolean) => number;

/** More boxes than this are no first picture. */
const MOST = 25;
/** A graph of so few operators is shown whole. */
const TINY = 12;
/** At this zoom the small text of a box, 11 px high, is 9 px high. */
export const READABLE = 9 / 11;
/** At this zoom its title is. */
const READABLE_TITLES = 9 / 13;
/** A group with a smaller part of the operators is no main block. */
const SMALLEST_PART = 0.1;
/** A group with so large a part of them hides the model. */
const WRAPPER = 0.6;
/** A function with so large a part of its group's operators is all of it. */
const HULL = 0.9;

/** Boxes of a picture; its frames, which are open groups, and its closed groups, in trace order. */
function boxesOf(
  h: Hierarchy,
  opened: ReadonlySet<number>,
): { count: number; frames: Set<number>; closed: number[] } {
  const closed: number[] = [];
  const frames = new Set<number>();
  const inBundles = h.bundles.filter(isOfEnds).reduce((sum, { members }) => sum + members.length - 1, 0);
  let count = h.inputs.length + h.outputs.length - inBundles;
  const walk = (scope: number): void => {
    for (const child of h.children[scope]) {
      const inner = kindOf(h, child) === 'group' ? scopeOf(h, child) : -1;
      if (inner >= 0 && opened.has(inner)) {
        frames.add(inner);
        walk(inner);
        continue;
      }
      count++;
      if (inner >= 0 && isDocumentScope(h, inner)) {
        closed.push(inner);
      }
    }
  };
  walk(0);
  return { count, frames, closed };
}

/** A group with a smaller part of the operators of a larger one is not like it. */
const ALIKE = 0.1;

/** Groups that open together: siblings of one class are alike to a reader, where none is much larger. */
function families(h: Hierarchy, closed: readonly number[]): number[][] {
  const found = new Map<string, number[]>();
  for (const scope of closed) {
    const key = `${h.parent[groupElement(h, scope)]} ${h.document.scopes.class_name[scope]}`;
    found.set(key, [...(found.get(key) ?? []), scope]);
  }
  return [...found.values()].map((family) => {
    const largest = Math.max(...family.map((scope) => h.opCount[scope]));
    return family.filter((scope) => h.opCount[scope] > ALIKE * largest);
  });
}

/** The first picture of a graph. */
export function firstOpened(h: Hierarchy, zoomOf: ZoomOf): Set<number> {
  const differences = differencesOf(h);
  if (differences !== null) {
    return withDifferences(h, differences);
  }
  // Repeated blocks, and inputs and outputs of one structure, are one box at first.
  const all = boxesOf(h, new Set(documentScopes(h, allScopes(h)))).frames;
  if (h.nodes <= TINY) {
    return all;
  }
  const isReadable = (opened: ReadonlySet<number>, least = READABLE): boolean =>
    boxesOf(h, opened).count <= MOST && zoomOf(opened, false) >= least;
  if (isReadable(all)) {
    return withIteration(h, all, isReadable);
  }
  let opened = new Set<number>();
  for (;;) {
    const next = oneMore(h, opened, zoomOf);
    if (next === null) {
      return withIteration(h, opened, isReadable);
    }
    opened = next;
  }
}

/** Of equal iterations in a row the first is open, and its forward pass, as far as there is room. */
function withIteration(
  h: Hierarchy,
  opened: Set<number>,
  isReadable: (opened: ReadonlySet<number>, least?: number) => boolean,
): Set<number> {
  const updates = updatesOf(h);
  let result = opened;
  for (const { scope, members } of h.repeats) {
    const inside = h.children[members[0]].filter((child) => kindOf(h, child) === 'group');
    const phases = inside.map((child) => scopeOf(h, child)).filter((inner) => h.isPhase[inner]);
    // In a cell an iteration is a round of the loop, which has the name of the code.
    const isIteration = h.isPhase[members[0]] === 1 || phases.length > 0;
    if (h.inlined[scope] || !isIteration || !isDrawn(h, result, groupElement(h, scope))) {
      continue;
    }
    const row = openScope(h, new Set([...result, scope]), members[0]);
    const forward = phases.filter((inner) => !updates.has(inner));
    const deeper = forward.reduce<Set<number>>((all, inner) => openScope(h, all, inner), row);
    // The one box that is the whole loop says nothing, either.
    const least = h.opCount[scope] > WRAPPER * h.nodes ? READABLE_TITLES : READABLE;
    result = [deeper, row].find((each) => isReadable(each, least)) ?? result;
  }
  return result;
}

/** Whether all groups around an element are open. */
function isDrawn(h: Hierarchy, opened: ReadonlySet<number>, element: number): boolean {
  for (let scope = h.parent[element]; scope > 0; scope = h.parent[groupElement(h, scope)]) {
    if (!opened.has(scope)) {
      return false;
    }
  }
  return true;
}

/** Scopes that read gradients, such as what an optimizer does: many small operators, which are no part of the model. */
function updatesOf(h: Hierarchy): Set<number> {
  const { nodes, values } = h.document;
  const found = new Set<number>();
  h.gradientMaker.forEach((_, value) => found.add(nodes.scope[values.node[value]]));
  // A loop that writes out the step itself reads them beside `backward`.
  for (const node of nodes.backward ?? []) {
    for (let scope = nodes.scope[node]; scope >= 0; scope = h.document.scopes.parent[scope]) {
      found.delete(scope);
    }
  }
  return found;
}

/** Whether a group only calls one of its own functions, which does nearly all: opened, it shows another closed box. */
function isHull(h: Hierarchy, scope: number): boolean {
  return h.children[scope].some((child) => {
    const inner = kindOf(h, child) === 'group' ? scopeOf(h, child) : -1;
    return h.isFunction[inner] && h.opCount[inner] > HULL * h.opCount[scope];
  });
}

/** One family of groups more, the main one that fits; null: it is open as far as it can be. */
function oneMore(h: Hierarchy, opened: ReadonlySet<number>, zoomOf: ZoomOf): Set<number> | null {
  const { closed } = boxesOf(h, opened);
  const updates = updatesOf(h);
  const ofUpdates = [...updates].reduce((sum, scope) => sum + h.opCount[scope], 0);
  const part = (scopes: readonly number[]): number =>
    scopes.reduce((sum, scope) => sum + h.opCount[scope], 0) / Math.max(1, h.nodes - ofUpdates);
  const shown = closed.filter((scope) => !updates.has(scope));
  const main = families(h, shown)
    .filter((family) => part(family) >= SMALLEST_PART)
    .sort((a, b) => part(b) - part(a));
  for (const family of main) {
    const next = family.reduce((all, scope) => openScope(h, all, scope), new Set(opened));
    if (boxesOf(h, next).count > MOST) {
      continue;
    }
    // The one box that holds the model says nothing while it is closed.
    const isWrapper = main.length === 1 && family.length === 1 && part(family) >= WRAPPER;
    if (!isWrapper && family.every((scope) => isHull(h, scope))) {
      continue;
    }
    if (zoomOf(next, isWrapper) >= (isWrapper ? READABLE_TITLES : READABLE)) {
      return next;
    }
  }
  return null;
}

/** More boxes than this are no first picture of a difference. */
const MANY = 400;

/** What holds differences is open, level by level while the boxes are not too many; what stayed the same is closed. */
function withDifferences(h: Hierarchy, { mixed, statuses }: Differences): Set<number> {
  const isWhole = (element: number): boolean =>
    statuses[element] === DiffStatus.Added || statuses[element] === DiffStatus.Removed;
  const opened = new Set<number>();
  let boxes = h.children[0].length;
  let level = [0];
  while (level.length > 0) {
    const inner = level.flatMap((scope) =>
      h.children[scope]
        .filter((child) => kindOf(h, child) === 'group' && mixed.has(scopeOf(h, child)) && !isWhole(child))
        .map((child) => scopeOf(h, child)),
    );
    boxes += inner.reduce((sum, scope) => sum + h.children[scope].length, 0);
    if (boxes > MANY) {
      break;
    }
    inner.forEach((scope) => opened.add(scope));
    level = inner;
  }
  return opened;
}
