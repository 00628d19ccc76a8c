/** What is different between two graphs, for the elements of the graph that holds both. */

import * as strings from '../../i18n/strings';
import type { ViewDocument } from '../../protocol/viewdocument';
import { groupElement, kindOf, scopeOf, type Element, type Hierarchy } from '../hierarchy';
import { repeatOf } from '../repeats';

/** The numbers of the `status` columns. */
export enum DiffStatus {
  Same = 0,
  Added = 1,
  Removed = 2,
  Changed = 3,
}

/** A sign and a word for each: color alone tells nothing to some. */
export const DIFF_SYMBOLS = ['', '+', '−', '~'] as const;

export const statusText = (mark: DiffStatus): string =>
  [strings.same, strings.added, strings.removed, strings.changed][mark]();

export interface Change {
  what: string;
  before: string;
  after: string;
}

export interface Differences {
  /** What became of every element. */
  statuses: Uint8Array;
  /** Every place to look at, in order: a module that came or went as a whole is one. */
  locations: Element[];
  changes: ReadonlyMap<Element, Change[]>;
  /** Groups that hold differences beside what stayed the same. */
  mixed: ReadonlySet<number>;
  /** Modules that only have another number, since one came or went before them. */
  renumbered: ReadonlySet<number>;
}

const known = new WeakMap<Hierarchy, Differences>();

/** Null for the document of a single graph. */
export function differencesOf(h: Hierarchy): Differences | null {
  if (h.document.diff === undefined) {
    return null;
  }
  let found = known.get(h);
  if (found === undefined) {
    found = compute(h);
    known.set(h, found);
  }
  return found;
}

/** What became of an element; the same where there is but one graph. */
export const diffStatusOf = (h: Hierarchy, element: Element): DiffStatus =>
  differencesOf(h)?.statuses[element] ?? DiffStatus.Same;

/** How many nodes in a group are not the same. */
export const differenceCount = (h: Hierarchy, scope: number): number =>
  (repeatOf(h, scope)?.members ?? [scope]).reduce(
    (sum, each) => sum + (h.document.diff?.scopes.differences[each] ?? 0),
    0,
  );

const string = (document: ViewDocument, index: number): string => document.strings[index] ?? '';

const changeOf = (document: ViewDocument, [what, before, after]: readonly number[]): Change => ({
  what: string(document, what),
  before: string(document, before),
  after: string(document, after),
});

function compute(h: Hierarchy): Differences {
  const { document } = h;
  const { nodes, scopes, values } = document.diff!;
  const outputs = h.nodes + h.scopes + h.inputs.length;
  const marks = new Uint8Array(outputs + h.outputs.length);
  const changes = new Map<Element, Change[]>();
  nodes.status.forEach((status, node) => (marks[node] = status));
  // What only has another shape because its input has is no place to look at.
  nodes.follows.forEach((node) => (marks[node] = DiffStatus.Same));
  for (const [node, told] of nodes.changes) {
    changes.set(
      node,
      told.map((change) => changeOf(document, change)),
    );
  }
  addInputStatuses(h, marks, changes, values);

  const kinds = new Uint8Array(h.scopes);
  for (let node = 0; node < h.nodes; node++) {
    kinds[document.nodes.scope[node]] |= 1 << marks[node];
  }
  for (let scope = document.scopes.parent.length - 1; scope > 0; scope--) {
    kinds[document.scopes.parent[scope]] |= kinds[scope];
  }
  for (const { scope, members } of h.repeats) {
    members.forEach((member) => (kinds[scope] |= kinds[member]));
  }
  const mixed = new Set<number>();
  const renumbered = onlyRenumbered(h);
  for (let scope = 0; scope < h.scopes; scope++) {
    const element = groupElement(h, scope);
    if (kinds[scope] === 1 << DiffStatus.Added || kinds[scope] === 1 << DiffStatus.Removed) {
      marks[element] = kinds[scope] === 1 << DiffStatus.Added ? DiffStatus.Added : DiffStatus.Removed;
      if (repeatOf(h, scope) !== undefined) {
        // Its blocks are the locations, collapsed or not.
        mixed.add(scope);
      }
    } else if ((kinds[scope] & ~(1 << DiffStatus.Same)) !== 0) {
      mixed.add(scope);
      marks[element] = DiffStatus.Changed;
    } else if (scopes.status[scope] === DiffStatus.Changed && !renumbered.has(scope)) {
      marks[element] = DiffStatus.Changed;
    }
    const was = string(document, scopes.was[scope]);
    if (was !== '') {
      changes.set(element, [{ what: strings.module(), before: was, after: h.paths[scope] }]);
    }
  }
  return { statuses: marks, changes, mixed, renumbered, locations: locationsOf(h, marks, mixed, renumbered) };
}

/** `h.21` that was `h.20`: a consequence, and marked as such. */
function onlyRenumbered(h: Hierarchy): Set<number> {
  const { document } = h;
  const { former, was } = document.diff!.scopes;
  const numbered = /^(.*?)\d+$/;
  return new Set(
    former.flatMap(([scope, name, className]) => {
      const before = numbered.exec(string(document, name));
      const after = numbered.exec(string(document, document.scopes.name[scope]));
      const alike =
        className === document.scopes.class_name[scope] && !string(document, was[scope]).includes(',');
      return alike && before !== null && after !== null && before[1] === after[1] ? [scope] : [];
    }),
  );
}

function addInputStatuses(
  h: Hierarchy,
  marks: Uint8Array,
  changes: Map<Element, Change[]>,
  values: { status: [number, number][]; changes: [number, number[][]][] },
): void {
  const first = h.nodes + h.scopes;
  for (const [value, status] of values.status) {
    const index = h.inputIndex.get(value);
    if (index !== undefined) {
      marks[first + index] = status;
    }
  }
  for (const [value, told] of values.changes) {
    const index = h.inputIndex.get(value);
    if (index !== undefined) {
      marks[first + index] = DiffStatus.Changed;
      changes.set(
        first + index,
        told.map((change) => changeOf(h.document, change)),
      );
    }
  }
}

/** Outermost first, as they stand in the graph. */
function locationsOf(
  h: Hierarchy,
  marks: Uint8Array,
  mixed: ReadonlySet<number>,
  renumbered: ReadonlySet<number>,
): Element[] {
  const { status } = h.document.diff!.scopes;
  const found: Element[] = [];
  for (let at = h.nodes + h.scopes; at < marks.length; at++) {
    if (marks[at] !== DiffStatus.Same) {
      found.push(at);
    }
  }
  const isRenamed = (scope: number): boolean =>
    status[scope] === DiffStatus.Changed && !renumbered.has(scope);
  const visit = (scope: number): void => {
    for (const child of h.children[scope]) {
      const mark = marks[child] as DiffStatus;
      if (kindOf(h, child) === 'group') {
        const inner = scopeOf(h, child);
        const one = repeatOf(h, inner) === undefined;
        if (one && (mark === DiffStatus.Added || mark === DiffStatus.Removed || isRenamed(inner))) {
          found.push(child);
        }
        if (mixed.has(inner)) {
          visit(inner);
        }
      } else if (kindOf(h, child) === 'op' && mark !== DiffStatus.Same) {
        found.push(child);
      }
    }
  };
  visit(0);
  return found;
}

/** `dim: 1 → 0`. */
export function changeText({ what, before, after }: Change): string {
  const short = (text: string): string => text.replace(/^(aten|prim)::/, '');
  const label = what === 'operator' ? '' : `${what.replace(/^argument /, '')}: `;
  return `${label}${short(before)} → ${short(after)}`;
}

/** One line about an element, for lists. */
export function differenceText(h: Hierarchy, element: Element): string {
  const all = differencesOf(h)?.changes.get(element) ?? [];
  const own = all.filter(({ what }) => !what.startsWith('input '));
  return own.length === 0 ? statusText(diffStatusOf(h, element)) : own.map(changeText).join('; ');
}
