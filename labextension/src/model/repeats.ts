/**
 * Repeated blocks in a row, such as the layers of a transformer, collapsed into one group: `× 12`. Such a group is a scope
 * of the browser's own, numbered after the document's, so that the numbers that Python knows stay as they are. All of
 * them are found when the hierarchy is built; those that are not in use stand in no list of children, as scopes of
 * one operator do.
 */

import type { ViewDocument } from '../protocol/viewdocument';

export interface Repeat {
  /** The number of its own scope. */
  readonly scope: number;
  /** The scope in which the blocks stand. */
  readonly within: number;
  /** The scopes of the blocks, in trace order. */
  readonly members: readonly number[];
}

/** What of a hierarchy this needs; `model/hierarchy.ts` has the whole. */
interface Tree {
  readonly document: ViewDocument;
  readonly nodes: number;
  readonly children: number[][];
  readonly parent: Int32Array;
  readonly inlined: Uint8Array;
  readonly repeats: readonly Repeat[];
  readonly paths: readonly string[];
}

/** Fewer blocks than this are not worth a group. */
const FEWEST = 4;
/** Fewer equal iterations of a training loop are not. */
const FEWEST_ITERATIONS = 2;
/** A block is compared with the latest kinds of its row only, or a thousand different ones would take a million looks. */
const MOST_KINDS = 6;

/** What became of an operator between two graphs; of one graph, or where it only follows what it reads, nothing. */
function statusColumn({ diff, nodes }: ViewDocument): Uint8Array {
  const status = Uint8Array.from(diff?.nodes.status ?? nodes.kind.map(() => 0));
  diff?.nodes.follows.forEach((node) => (status[node] = 0));
  return status;
}

const sameShapes = ({ nodes, values }: ViewDocument, a: number, b: number): boolean =>
  nodes.outputs[a].length === nodes.outputs[b].length &&
  nodes.outputs[a].every((value, at) => values.shape[value] === values.shape[nodes.outputs[b][at]]);

/** What two blocks are compared by. */
interface Compared {
  document: ViewDocument;
  children: number[][];
  status: Uint8Array;
}

/**
 * Whether two scopes are of one class and draw the same operators, with the same shapes, in the same groups; of two
 * graphs also with the same fate, so that a group hides no difference among what stayed. What steps aside tells no
 * blocks apart: the first may have asked for what all of them use.
 */
function alike(all: Compared, a: number, b: number): boolean {
  const { document, children, status } = all;
  const { nodes, scopes } = document;
  const N = nodes.kind.length;
  return (
    scopes.class_name[a] === scopes.class_name[b] &&
    children[a].length === children[b].length &&
    children[a].every((one, at) => {
      const other = children[b][at];
      if (one < N || other < N) {
        return (
          one < N &&
          other < N &&
          nodes.kind[one] === nodes.kind[other] &&
          status[one] === status[other] &&
          sameShapes(document, one, other)
        );
      }
      return scopes.name[one - N] === scopes.name[other - N] && alike(all, one - N, other - N);
    })
  );
}

/**
 * The rows among neighbors of one class, or of one list. The first and the last of a row often differ: by
 * what the first makes for all others, by what the last need not do. Elsewhere a row is made of equal blocks, or of a
 * few kinds by turns.
 */
function rowsAmong(all: Compared, blocks: readonly number[]): number[][] {
  const kinds: number[] = [];
  const known: number[] = [];
  for (const block of blocks) {
    let kind = known.length - 1;
    const oldest = Math.max(0, known.length - MOST_KINDS);
    while (kind >= oldest && !alike(all, known[kind], block)) {
      kind--;
    }
    kinds.push(kind < oldest ? known.push(block) - 1 : kind);
  }
  // Of two graphs a row must hide no difference, so that its blocks are equal throughout.
  const mixes = all.document.diff === undefined && known.length > 1 && blocks.length >= FEWEST;
  if (mixes && isOneRow(kinds)) {
    return [[...blocks]];
  }
  const { class_name } = all.document.scopes;
  const split = blocks.findIndex((block) => class_name[block] !== class_name[blocks[0]]);
  if (split > 0) {
    return [...rowsAmong(all, blocks.slice(0, split)), ...rowsAmong(all, blocks.slice(split))];
  }
  const rows: number[][] = [];
  blocks.forEach((block, at) => {
    if (at > 0 && kinds[at] === kinds[at - 1]) {
      rows[rows.length - 1].push(block);
    } else {
      rows.push([block]);
    }
  });
  return rows;
}

/** Of the kinds of the blocks in a row: equal but for the first and the last, or a few that each come again and again. */
function isOneRow(kinds: readonly number[]): boolean {
  const inner = kinds.slice(1, -1);
  if (inner.every((kind) => kind === inner[0])) {
    return true;
  }
  const counts = new Map<number, number>();
  kinds.forEach((kind) => counts.set(kind, (counts.get(kind) ?? 0) + 1));
  [kinds[0], kinds[kinds.length - 1]].forEach((kind) => counts.get(kind) === 1 && counts.delete(kind));
  const turns = kinds.filter((kind, at) => at > 0 && kind !== kinds[at - 1]).length;
  return counts.size <= 3 && [...counts.values()].every((count) => count > 1) && turns > counts.size;
}

/** All rows of repeated blocks, outer ones first. */
export function findRepeats(document: ViewDocument, children: number[][]): Repeat[] {
  const { nodes, scopes } = document;
  const N = nodes.kind.length;
  const S = scopes.parent.length;
  const found: Repeat[] = [];
  const functions = new Set(scopes.functions);
  const phases = new Set(scopes.phases);
  /** Functions have no class: calls of one function. */
  const isOfOneClass = (a: number, b: number): boolean =>
    scopes.class_name[a] === scopes.class_name[b] &&
    (functions.has(a) || functions.has(b) ? scopes.name[a] === scopes.name[b] : true);
  /** `layers.` of `layers.3`; empty for what stands in no list. */
  const listOf = (scope: number): string =>
    /^(.*\.)\d+$/.exec(document.strings[scopes.name[scope]])?.[1] ?? '';
  const isOfOneList = (a: number, b: number): boolean => listOf(a) !== '' && listOf(a) === listOf(b);
  const all = { document, children, status: statusColumn(document) };
  for (let within = 0; within < S; within++) {
    let run: number[] = [];
    const end = (): void => {
      const fewest = phases.has(run[0]) ? FEWEST_ITERATIONS : FEWEST;
      for (const members of run.length < fewest ? [] : rowsAmong(all, run)) {
        if (members.length >= fewest) {
          found.push({ scope: S + found.length, within, members });
        }
      }
      run = [];
    };
    for (const child of children[within].length < FEWEST_ITERATIONS ? [] : children[within]) {
      if (child < N) {
        end();
        continue;
      }
      if (run.length > 0 && !isOfOneClass(run[0], child - N) && !isOfOneList(run[0], child - N)) {
        end();
      }
      run.push(child - N);
    }
    end();
  }
  return found;
}

/** The repeat that a scope is; undefined for the document's own scopes. */
export const repeatOf = (h: Tree, scope: number): Repeat | undefined =>
  h.repeats[scope - h.document.scopes.parent.length];

/** The repeat that a scope is a block of, collapsed or not. */
export const repeatContaining = (h: Tree, scope: number): Repeat | undefined =>
  h.repeats.find(({ members }) => members.includes(scope));

export const isCollapsed = (h: Tree, repeat: Repeat): boolean => h.inlined[repeat.scope] === 0;

/** Puts the blocks into their group, or back in its place. */
export function collapseRepeat(h: Tree, repeat: Repeat, collapse: boolean): void {
  if (isCollapsed(h, repeat) === collapse) {
    return;
  }
  const { scope, within, members } = repeat;
  const blocks = members.map((member) => h.nodes + member);
  const group = h.nodes + scope;
  const list = h.children[within];
  if (collapse) {
    list.splice(list.indexOf(blocks[0]), blocks.length, group);
  } else {
    list.splice(list.indexOf(group), 1, ...blocks);
  }
  h.children[scope] = collapse ? blocks : [];
  h.inlined[scope] = collapse ? 0 : 1;
  for (const block of blocks) {
    h.parent[block] = collapse ? scope : within;
  }
}

/** Collapses every row: so many times the same says less than the one time. */
export const collapseByDefault = (h: Tree): void =>
  h.repeats.forEach((repeat) => collapseRepeat(h, repeat, true));

/** The paths of the collapsed rows; null where that is the default. */
export const collapsedPaths = (h: Tree): string[] | null =>
  h.repeats.every((repeat) => isCollapsed(h, repeat))
    ? null
    : h.repeats.filter((repeat) => isCollapsed(h, repeat)).map(({ scope }) => h.paths[scope]);

/** The row of that path; of a model with more or fewer layers, the one that begins with the same block. */
export function repeatNamed(h: Tree, path: string): Repeat | undefined {
  const [first] = path.split('…');
  return (
    h.repeats.find(({ scope }) => h.paths[scope] === path) ??
    (path.includes('…') ? h.repeats.find(({ members }) => h.paths[members[0]] === first) : undefined)
  );
}

/** Collapses these rows and no others, or, with null, the default ones; returns whether anything changed. */
export function setCollapsed(h: Tree, paths: readonly string[] | null): boolean {
  const wanted = paths === null ? null : new Set(paths.map((path) => repeatNamed(h, path)));
  let changed = false;
  for (const repeat of h.repeats) {
    const collapse = wanted === null || wanted.has(repeat);
    changed ||= isCollapsed(h, repeat) !== collapse;
    collapseRepeat(h, repeat, collapse);
  }
  return changed;
}

/** 1 for each of the document's scopes that is the scope, lies in it, or in one of its blocks. */
export function scopesWithin(h: Tree, scope: number): Uint8Array {
  const { parent } = h.document.scopes;
  const inside = new Uint8Array(parent.length);
  (repeatOf(h, scope)?.members ?? [scope]).forEach((member) => (inside[member] = 1));
  for (let at = 1; at < parent.length; at++) {
    inside[at] |= inside[parent[at]];
  }
  return inside;
}
