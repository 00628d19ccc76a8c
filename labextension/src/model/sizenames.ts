/** The names of sizes: `[batch, length, 64]` for `[2, 128, 64]`. */

import type { ViewDocument } from '../protocol/viewdocument';

/** A text for each size of a tensor; values without such a row have their numbers. */
export type SizeNames = ReadonlyMap<number, readonly string[]>;

/** Names as the kernel tells them: a row of the values, and a text for each size. */
export type SizeNameRows = readonly (readonly [number, readonly string[]])[];

/** Only those that fit the values of a document: the kernel may speak of another. */
export function sizeNamesOf({ values, shapes }: ViewDocument, rows: SizeNameRows): SizeNames {
  const fits = ([value, texts]: readonly [number, readonly string[]]): boolean =>
    (shapes[values.shape[value] ?? -1]?.length ?? -1) === texts.length;
  return new Map(rows.filter(fits).map(([value, texts]) => [value, texts]));
}

/** A name, or a function where a bracket follows. */
const WORD = /[\p{L}_][\p{L}\p{N}_.]*\(?/gu;

/**
 * Whether a size has a name that a person gave it, in the code or by `dims`: `batch`. A label that says `x.0` tells less
 * than a number.
 */
export const isNamed = (texts: readonly string[]): boolean =>
  texts.some((text) => text.match(WORD)?.some((word) => !/[.(]/.test(word)) ?? false);

/** Those that stand in a document. */
export const documentSizeNames = (document: ViewDocument): SizeNames =>
  sizeNamesOf(
    document,
    (document.values.sizes ?? []).map(([value, texts]) => [
      value,
      texts.map((text) => document.strings[text]),
    ]),
  );

/** A document with names of sizes in it. */
export function withSizeNames(document: ViewDocument, names: SizeNames): ViewDocument {
  if (names.size === 0) {
    return document;
  }
  const strings = [...document.strings];
  const known = new Map(strings.map((text, at) => [text, at]));
  const row = (text: string): number => {
    const at = known.get(text) ?? strings.push(text) - 1;
    known.set(text, at);
    return at;
  };
  const sizes = [...names].map(([value, texts]): [number, number[]] => [value, texts.map(row)]);
  return { ...document, strings, values: { ...document.values, sizes } };
}
