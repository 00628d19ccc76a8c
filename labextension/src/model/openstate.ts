/** Which groups are open: the state a person changes by clicking on headers. */

import { groupElement, kindOf, scopeOf, type Element, type Hierarchy } from './hierarchy';
import { isDocumentScope } from './bundles';
import { repeatOf } from './repeats';

const isModule = (h: Hierarchy, at: Element): boolean =>
  kindOf(h, at) === 'group' && isDocumentScope(h, scopeOf(h, at));

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

/** What is open of another graph is open in this one, by the paths of its modules; what only this one has is as at `first`. */
export function openedAlike(
  h: Hierarchy,
  other: Hierarchy,
  opened: ReadonlySet<number>,
  first: ReadonlySet<number>,
): Set<number> {
  const known = new Map<string, boolean>();
  for (const scope of allScopes(other)) {
    known.set(other.paths[scope], opened.has(scope));
  }
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

/** The scopes of the document: groups of the browser's own belong to one view. */
export const documentScopes = (h: Hierarchy, opened: Iterable<number>): number[] =>
  [...opened].filter((scope) => isDocumentScope(h, scope));

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
