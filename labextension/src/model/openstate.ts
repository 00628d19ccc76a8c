/** Which groups are open: the state a person changes by clicking on headers. */

import { differencesOf } from './diff/differences';
import { groupElement, kindOf, scopeOf, type Element, type Hierarchy } from './hierarchy';
import { repeatOf } from './repeats';

/** Graphs up to this size are readable whole. */
const SMALL = 25;
/** A first picture of fewer boxes than this says too little. */
const FEW = 3;

const isModule = (h: Hierarchy, at: Element): boolean =>
  kindOf(h, at) === 'group' && repeatOf(h, scopeOf(h, at)) === undefined;

/** The only child, where it is a group: opening one box to find one box is a wasted click. Collapsed blocks stay collapsed. */
function onlyGroup(h: Hierarchy, scope: number): number {
  const inside = h.children[scope];
  return inside.length === 1 && isModule(h, inside[0]) ? scopeOf(h, inside[0]) : -1;
}

export function openScope(h: Hierarchy, opened: ReadonlySet<number>, scope: number): Set<number> {
  const result = new Set(opened);
  for (let next = scope; next >= 0; next = onlyGroup(h, next)) {
    result.add(next);
  }
  return result;
}

/** Closes a group and what it holds, so that it opens again as it was at first. */
export function closeScope(h: Hierarchy, opened: ReadonlySet<number>, scope: number): Set<number> {
  const result = new Set(opened);
  for (const other of opened) {
    for (let up = other; up >= 0; up = h.parent[groupElement(h, up)]) {
      if (up === scope) {
        result.delete(other);
        break;
      }
    }
  }
  return result;
}

/** Whether a group lies around an element, however far out. */
export function isWithin(h: Hierarchy, inner: Element, scope: number): boolean {
  for (let at = h.parent[inner]; at > 0; at = h.parent[groupElement(h, at)]) {
    if (at === scope) {
      return true;
    }
  }
  return false;
}

export function allScopes(h: Hierarchy): Set<number> {
  const all = new Set<number>();
  for (let scope = 1; scope < h.scopes; scope++) {
    if (!h.inlined[scope]) {
      all.add(scope);
    }
  }
  return all;
}

/** The first picture: small graphs whole, others with their top-level groups closed. */
export function defaultOpened(h: Hierarchy): Set<number> {
  const differences = differencesOf(h);
  if (differences !== null) {
    return withDifferences(h, differences.mixed);
  }
  if (h.nodes <= SMALL) {
    return allScopes(h);
  }
  let opened = new Set<number>();
  let scope = 0;
  while (h.children[scope].length < FEW) {
    const groups = h.children[scope].filter((child) => isModule(h, child));
    if (groups.length === 0) {
      break;
    }
    // Descend into the group that holds most of the model.
    const counts = groups.map((group) => h.opCount[scopeOf(h, group)]);
    scope = scopeOf(h, groups[counts.indexOf(Math.max(...counts))]);
    opened = openScope(h, opened, scope);
  }
  return opened;
}

/** More boxes than this are no first picture. */
const MANY = 400;

/** What holds differences is open, level by level while the boxes are not too many; what stayed the same is closed. */
function withDifferences(h: Hierarchy, mixed: ReadonlySet<number>): Set<number> {
  const opened = new Set<number>();
  let boxes = h.children[0].length;
  let level = [0];
  while (level.length > 0) {
    const inner = level.flatMap((scope) =>
      h.children[scope]
        .filter((child) => kindOf(h, child) === 'group' && mixed.has(scopeOf(h, child)))
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

/** What is open of another graph is open in this one, by the paths of its modules; what only this one has is as at first. */
export function openedAlike(h: Hierarchy, other: Hierarchy, opened: ReadonlySet<number>): Set<number> {
  const known = new Map<string, boolean>();
  for (const scope of allScopes(other)) {
    known.set(other.paths[scope], opened.has(scope));
  }
  const first = defaultOpened(h);
  return new Set([...allScopes(h)].filter((scope) => known.get(h.paths[scope]) ?? first.has(scope)));
}

/** Opens whatever hides an element. */
export function openAncestors(h: Hierarchy, opened: ReadonlySet<number>, element: Element): Set<number> {
  const result = new Set(opened);
  for (let scope = h.parent[element]; scope > 0; scope = h.parent[groupElement(h, scope)]) {
    result.add(scope);
  }
  return result;
}

/** The scopes of the document: collapsed blocks belong to one view. */
export const documentScopes = (h: Hierarchy, opened: Iterable<number>): number[] =>
  [...opened].filter((scope) => repeatOf(h, scope) === undefined);

/** Keeps what names a real group: a saved state may come from another version of the model. */
export function validScopes(h: Hierarchy, scopes: Iterable<number>): Set<number> {
  const result = new Set<number>();
  for (const scope of scopes) {
    if (Number.isInteger(scope) && scope > 0 && scope < h.scopes && !h.inlined[scope]) {
      result.add(scope);
      // Who names a block need not know that it is collapsed with others.
      const above = h.parent[groupElement(h, scope)];
      if (repeatOf(h, above) !== undefined) {
        result.add(above);
      }
    }
  }
  return result;
}
