/** What `validate.ts` is made of: one check for each kind of type, and the frame around them. */

import * as strings from '../i18n/strings';

/** Its message is the one sentence that a person sees in place of the picture. */
export class DocumentError extends Error {
  override name = 'DocumentError';
}

/** The number of rows of each table. */
type Sizes = Record<string, number>;
/** Throws a `DocumentError` that names the place unless the value is what it should be. */
type Check = (value: unknown, where: string, sizes: Sizes) => void;
type Json = Record<string, unknown>;

/** More than anyone can look at; a document beyond it would only freeze the page. */
const MAX_ROWS = 2_000_000;

function fail(why: string): never {
  throw new DocumentError(strings.cannotShow(why));
}

function objectAt(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(strings.missing(where));
  }
  return value as Json;
}

function listAt(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) {
    fail(value === undefined || value === null ? strings.columnMissing(where) : strings.notLists(where));
  }
  if (value.length > MAX_ROWS) {
    fail(strings.columnTooLong(where));
  }
  return value;
}

function integerAt(value: unknown, low: number, high: number, where: string): void {
  if (!Number.isInteger(value) || (value as number) < low || (value as number) >= high) {
    fail(strings.outOfRange(where));
  }
}

/** What is read when it is needed. */
export const anything: Check = () => undefined;

export const text: Check = (value, where) => {
  if (typeof value !== 'string') {
    fail(strings.notText(where));
  }
};

export const integer: Check = (value, where) => integerAt(value, -1, Number.MAX_SAFE_INTEGER, where);

export const range =
  (high: number): Check =>
  (value, where) =>
    integerAt(value, 0, high, where);

export const index =
  (table: string): Check =>
  (value, where, sizes) =>
    integerAt(value, 0, sizes[table], where);

export const optionalIndex =
  (table: string): Check =>
  (value, where, sizes) =>
    integerAt(value, -1, sizes[table], where);

export const oneOf =
  (...kinds: string[]): Check =>
  (value, where) => {
    if (!kinds.includes(value === null ? 'null' : typeof value)) {
      fail(strings.wrongKind(where));
    }
  };

export const list =
  (item: Check): Check =>
  (value, where, sizes) => {
    for (const each of listAt(value, where)) {
      item(each, where, sizes);
    }
  };

export const tuple =
  (...items: Check[]): Check =>
  (value, where, sizes) => {
    if (listAt(value, where).length !== items.length) {
      fail(strings.wrongEntry(where));
    }
    items.forEach((item, at) => item((value as unknown[])[at], where, sizes));
  };

export const rows =
  (table: string, column: Check): Check =>
  (value, where, sizes) => {
    if (listAt(value, where).length !== sizes[table]) {
      fail(strings.otherLength(where));
    }
    column(value, where, sizes);
  };

/** A tree written as parents: a parent stands before its children, so there can be no ring. */
export const parents: Check = (value, where) => {
  const found = listAt(value, where);
  if (found.length === 0) {
    fail(strings.noRoot());
  }
  found.forEach((parent, at) => {
    if (!Number.isInteger(parent) || (parent as number) < -1 || (parent as number) >= at) {
      fail(strings.notATree(where));
    }
    if ((at === 0) !== (parent === -1)) {
      fail(strings.notOneRoot(where));
    }
  });
};

export const record =
  (item: Check): Check =>
  (value, where, sizes) =>
    Object.values(objectAt(value, where)).forEach((each) => item(each, where, sizes));

export const object =
  (fields: Record<string, Check>, optional: Record<string, Check> = {}): Check =>
  (value, where, sizes) => {
    const found = objectAt(value, where);
    const inside = (name: string) => (where === '' ? name : `${where}.${name}`);
    for (const name in fields) {
      fields[name](found[name], inside(name), sizes);
    }
    for (const name in optional) {
      if (found[name] !== undefined) {
        optional[name](found[name], inside(name), sizes);
      }
    }
  };

/** The rows of a table: of a list, or of columns, which have equal lengths. */
function sizeOf(document: Json, table: string, columns: string[] | null): number {
  if (columns === null) {
    return listAt(document[table], table).length;
  }
  const found = objectAt(document[table], table);
  const sizes = columns.map((column) => listAt(found[column], `${table}.${column}`).length);
  if (sizes.some((size) => size !== sizes[0])) {
    fail(strings.unequalColumns(table));
  }
  return sizes[0];
}

interface Format {
  format: string;
  version: number;
  /** Older documents in the form of this version. */
  upgrade: (document: Json) => Json;
}

/** The raw document as its type, of this version, once the check of the whole has passed. */
export function readAs<T>(
  raw: unknown,
  { format, version, upgrade }: Format,
  tables: Record<string, string[] | null>,
  check: Check,
): T {
  const found = raw as Json | null | undefined;
  if (typeof found !== 'object' || found === null || found.format !== format) {
    fail(strings.notADocument());
  }
  if (!Number.isInteger(found.version) || (found.version as number) < 1) {
    fail(strings.badVersion());
  }
  if ((found.version as number) > version) {
    fail(strings.newerVersion(String(found.version), version));
  }
  const document = upgrade(found);
  const sizes: Sizes = {};
  for (const table in tables) {
    sizes[table] = sizeOf(document, table, tables[table]);
  }
  check(document, '', sizes);
  return document as T;
}
