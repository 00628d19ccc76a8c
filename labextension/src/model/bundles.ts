/**
 * Boxes of the browser's own that stand for several elements: the inputs or outputs of one structure, what is made from
 * sizes alone, and what nothing depends on. As scopes they are numbered after the document's and those of repeated blocks.
 */

import type { ViewDocument } from '../protocol/viewdocument';

export type BundleKind = 'inputs' | 'outputs' | 'constants' | 'unused';

export interface Bundle {
  /** The number of its own scope. */
  readonly scope: number;
  readonly kind: BundleKind;
  /** `past_key_values`; of what steps aside, the row of the scope that it stands in. */
  readonly name: string;
  /** Places in the hierarchy's `inputs` or `outputs`; of what steps aside, elements. */
  readonly members: readonly number[];
}

/** What of a hierarchy this needs; `model/hierarchy.ts` has the whole. */
interface Tree {
  readonly document: ViewDocument;
  readonly repeats: readonly unknown[];
  readonly bundles: readonly Bundle[];
}

/** Fewer parts than this stand by themselves. */
const FEWEST = 3;

/** `past_key_values` of `past_key_values.0.keys`, `mask` of `mask["left"]`; empty for a name without parts. */
const structureOf = (name: string): string => /^([^.[]+)[.[]/.exec(name)?.[1] ?? '';

/** Inputs or outputs by the structure that they are parts of; scopes are numbered from `first`. */
export function findBundles(kind: BundleKind, names: readonly string[], first: number): Bundle[] {
  const parts = new Map<string, number[]>();
  const whole = new Set(names);
  names.forEach((name, index) => {
    const structure = structureOf(name);
    // `x.1` beside `x` is another value of that name, and no part of it.
    if (structure !== '' && !whole.has(structure)) {
      parts.set(structure, [...(parts.get(structure) ?? []), index]);
    }
  });
  return [...parts]
    .filter(([, members]) => members.length >= FEWEST)
    .map(([name, members], at) => ({ scope: first + at, kind, name, members }));
}

/** The bundle that a scope is; undefined for any other scope. */
export const bundleOf = (h: Tree, scope: number): Bundle | undefined =>
  h.bundles[scope - h.document.scopes.parent.length - h.repeats.length];

/** Whether it stands for inputs or outputs of the graph. */
export const isOfEnds = ({ kind }: Bundle): boolean => kind.endsWith('puts');

/** Whether a scope is a module of the document, and none of the browser's own. */
export const isDocumentScope = (h: Tree, scope: number): boolean => scope < h.document.scopes.parent.length;
