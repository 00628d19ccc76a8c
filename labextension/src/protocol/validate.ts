/**
 * Reading a document that nobody vouches for: it may be cut off, newer, or written by hand to hurt.
 * After `readDocument` every index in it is in range, so that the rest of the code need not look again.
 */

import * as strings from '../i18n/strings';
import { VERSION, type ViewDocument } from './document';

/** Its message is the one sentence that a person sees in place of the picture. */
export class DocumentError extends Error {
  override name = 'DocumentError';
}

/** More than anyone can look at; a document beyond it would only freeze the page. */
const MOST_ROWS = 2_000_000;

type Bag = Record<string, unknown>;

function fail(why: string): never {
  throw new DocumentError(strings.cannotShow(why));
}

function bag(parent: Bag, key: string): Bag {
  const value = parent[key];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    fail(strings.missing(key));
  }
  return value as Bag;
}

function list(parent: Bag, key: string, where: string): unknown[] {
  const value = parent[key];
  if (!Array.isArray(value)) {
    fail(strings.columnMissing(where));
  }
  if (value.length > MOST_ROWS) {
    fail(strings.columnTooLong(where));
  }
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value !== 'string') {
    fail(strings.notText(where));
  }
  return value;
}

/** Every entry is an integer from `low` up to, not including, `high`. */
function indices(values: unknown[], low: number, high: number, where: string): void {
  for (const value of values) {
    if (!Number.isInteger(value) || (value as number) < low || (value as number) >= high) {
      fail(strings.outOfRange(where));
    }
  }
}

function integers(values: unknown[], where: string): void {
  indices(values, -1, Number.MAX_SAFE_INTEGER, where);
}

function table(document: Bag, name: string, columns: string[]): { rows: number; columns: Bag } {
  const found = bag(document, name);
  let rows = -1;
  for (const column of columns) {
    const values = list(found, column, `${name}.${column}`);
    if (rows >= 0 && values.length !== rows) {
      fail(strings.unequalColumns(name));
    }
    rows = values.length;
  }
  return { rows, columns: found };
}

function column(of: { columns: Bag }, name: string): unknown[] {
  return of.columns[name] as unknown[];
}

/** A tree written as parents: a parent stands before its children, so there can be no ring. */
function parents(values: unknown[], where: string): void {
  values.forEach((parent, index) => {
    if (!Number.isInteger(parent) || (parent as number) < -1 || (parent as number) >= index) {
      fail(strings.notATree(where));
    }
    if ((index === 0) !== (parent === -1)) {
      fail(strings.notOneRoot(where));
    }
  });
}

function readHeader(raw: unknown): Bag {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
    fail(strings.notADocument());
  }
  const document = raw as Bag;
  if (document.format !== 'tracelab.view') {
    fail(strings.notADocument());
  }
  if (!Number.isInteger(document.version) || (document.version as number) < 1) {
    fail(strings.badVersion());
  }
  if ((document.version as number) > VERSION) {
    fail(strings.newerVersion(String(document.version), VERSION));
  }
  return document;
}

interface Sizes {
  strings: number;
  nodes: number;
  scopes: number;
  values: number;
}

/** Rows of `[index, something]`. */
function pairs(parent: Bag, key: string, where: string, high: number): [number, unknown][] {
  const rows = list(parent, key, where);
  for (const row of rows) {
    if (!Array.isArray(row) || row.length < 2) {
      fail(strings.notPairs(where));
    }
    indices(row.slice(0, 1), 0, high, where);
  }
  return rows as [number, unknown][];
}

function changeRows(parent: Bag, where: string, high: number, sizes: Sizes): void {
  for (const [, told] of pairs(parent, 'changes', where, high)) {
    for (const change of list({ told }, 'told', where)) {
      if (!Array.isArray(change) || change.length !== 3) {
        fail(strings.badChange());
      }
      indices(change, 0, sizes.strings, where);
    }
  }
}

function exactly(parent: Bag, key: string, where: string, rows: number): unknown[] {
  const found = list(parent, key, where);
  if (found.length !== rows) {
    fail(strings.otherLength(where));
  }
  return found;
}

/** What became of the nodes of two graphs, where the document holds both. */
function readDiff(document: Bag, sizes: Sizes): void {
  const diff = bag(document, 'diff');
  ['before', 'after', 'headline'].forEach((name) => text(diff[name], `diff.${name}`));
  const nodes = bag(diff, 'nodes');
  indices(exactly(nodes, 'status', 'diff.nodes.status', sizes.nodes), 0, 4, 'diff.nodes.status');
  indices(exactly(nodes, 'order', 'diff.nodes.order', sizes.nodes), -1, sizes.nodes, 'diff.nodes.order');
  indices(list(nodes, 'follows', 'diff.nodes.follows'), 0, sizes.nodes, 'diff.nodes.follows');
  changeRows(nodes, 'diff.nodes.changes', sizes.nodes, sizes);
  for (const [, values] of pairs(nodes, 'inputs', 'diff.nodes.inputs', sizes.nodes)) {
    indices(list({ values }, 'values', 'diff.nodes.inputs'), 0, sizes.values, 'diff.nodes.inputs');
  }
  const scopes = bag(diff, 'scopes');
  indices(exactly(scopes, 'status', 'diff.scopes.status', sizes.scopes), 0, 4, 'diff.scopes.status');
  indices(exactly(scopes, 'was', 'diff.scopes.was', sizes.scopes), -1, sizes.strings, 'diff.scopes.was');
  integers(
    exactly(scopes, 'differences', 'diff.scopes.differences', sizes.scopes),
    'diff.scopes.differences',
  );
  for (const row of pairs(scopes, 'former', 'diff.scopes.former', sizes.scopes)) {
    indices(row.slice(1), 0, sizes.strings, 'diff.scopes.former');
  }
  const values = bag(diff, 'values');
  for (const [, status] of pairs(values, 'status', 'diff.values.status', sizes.values)) {
    indices([status], 0, 4, 'diff.values.status');
  }
  changeRows(values, 'diff.values.changes', sizes.values, sizes);
  indices(list(diff, 'outputs', 'diff.outputs'), 0, sizes.values, 'diff.outputs');
}

function readOverlays(document: Bag, nodes: number): void {
  for (const item of list(document, 'overlays', 'overlays')) {
    const overlay = bag({ overlay: item }, 'overlay');
    text(overlay.name, 'overlays.name');
    for (const value of exactly(overlay, 'values', 'overlays.values', nodes)) {
      if (value !== null && typeof value !== 'number' && typeof value !== 'string') {
        fail(strings.badOverlay());
      }
    }
  }
}

/** Returns the document with its type, or throws a `DocumentError` whose message is one sentence. */
export function readDocument(raw: unknown): ViewDocument {
  const document = readHeader(raw);
  text(document.name, 'name');
  text(document.torch, 'torch');
  const stringTable = list(document, 'strings', 'strings');
  stringTable.forEach((value) => text(value, 'strings'));
  const shapes = list(document, 'shapes', 'shapes');
  for (const shape of shapes) {
    if (!Array.isArray(shape)) {
      fail(strings.badShape());
    }
    integers(shape, 'shapes');
  }

  const scopes = table(document, 'scopes', ['parent', 'name', 'class', 'call']);
  const nodes = table(document, 'nodes', [
    'kind',
    'scope',
    'schema',
    'source',
    'inputs',
    'outputs',
    'arguments',
  ]);
  const values = table(document, 'values', [
    'name',
    'type',
    'dtype',
    'shape',
    'device',
    'node',
    'role',
    'path',
    'alias',
  ]);
  const sources = table(document, 'sources', [
    'file',
    'line',
    'end_line',
    'column',
    'end_column',
    'function',
    'caller',
  ]);
  const files = list(document, 'files', 'files');
  const S = stringTable.length;

  if (scopes.rows < 1) {
    fail(strings.noRoot());
  }
  parents(column(scopes, 'parent'), 'scopes.parent');
  indices(column(scopes, 'name'), -1, S, 'scopes.name');
  indices(column(scopes, 'class'), -1, S, 'scopes.class');
  integers(column(scopes, 'call'), 'scopes.call');

  indices(column(nodes, 'kind'), 0, S, 'nodes.kind');
  indices(column(nodes, 'scope'), 0, scopes.rows, 'nodes.scope');
  indices(column(nodes, 'schema'), -1, S, 'nodes.schema');
  indices(column(nodes, 'source'), -1, sources.rows, 'nodes.source');
  for (const name of ['inputs', 'outputs']) {
    for (const row of column(nodes, name)) {
      if (!Array.isArray(row)) {
        fail(strings.notLists(`nodes.${name}`));
      }
      indices(row, 0, values.rows, `nodes.${name}`);
    }
  }
  for (const row of column(nodes, 'arguments')) {
    if (!Array.isArray(row)) {
      fail(strings.notLists('nodes.arguments'));
    }
    for (const pair of row as unknown[]) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        fail(strings.badArgument());
      }
      indices(pair, 0, S, 'nodes.arguments');
    }
  }
  if (nodes.columns.failed !== undefined) {
    indices([nodes.columns.failed], -1, nodes.rows, 'nodes.failed');
  }
  if (nodes.columns.opaque !== undefined) {
    indices(list(nodes.columns, 'opaque', 'nodes.opaque'), 0, nodes.rows, 'nodes.opaque');
  }

  for (const name of ['name', 'type']) {
    indices(column(values, name), 0, S, `values.${name}`);
  }
  for (const name of ['dtype', 'device', 'path']) {
    indices(column(values, name), -1, S, `values.${name}`);
  }
  indices(column(values, 'shape'), -1, shapes.length, 'values.shape');
  indices(column(values, 'node'), -1, nodes.rows, 'values.node');
  indices(column(values, 'role'), 0, 5, 'values.role');
  indices(column(values, 'alias'), -1, values.rows, 'values.alias');
  if (values.columns.strides !== undefined) {
    for (const pair of list(values.columns, 'strides', 'values.strides')) {
      if (!Array.isArray(pair) || pair.length !== 2) {
        fail(strings.notPairs('values.strides'));
      }
      indices(pair.slice(0, 1), 0, values.rows, 'values.strides');
      indices(pair.slice(1), -1, shapes.length, 'values.strides');
    }
  }
  indices(list(document, 'inputs', 'inputs'), 0, values.rows, 'inputs');
  indices(list(document, 'outputs', 'outputs'), 0, values.rows, 'outputs');

  indices(column(sources, 'file'), -1, files.length, 'sources.file');
  for (const name of ['line', 'end_line', 'column', 'end_column']) {
    integers(column(sources, name), `sources.${name}`);
  }
  indices(column(sources, 'function'), -1, S, 'sources.function');
  indices(column(sources, 'caller'), -1, sources.rows, 'sources.caller');
  for (const file of files) {
    const entry = bag({ file }, 'file');
    text(entry.name, 'files.name');
    for (const line of Object.values(bag(entry, 'lines'))) {
      text(line, 'files.lines');
    }
  }

  for (const item of list(document, 'warnings', 'warnings')) {
    const warning = bag({ warning: item }, 'warning');
    for (const name of ['kind', 'message', 'value']) {
      text(warning[name], `warnings.${name}`);
    }
    if (warning.answer !== undefined) {
      text(warning.answer, 'warnings.answer');
    }
    if (warning.mend !== undefined) {
      const mend = bag(warning, 'mend');
      for (const name of ['line', 'column', 'end_line', 'end_column']) {
        integers([mend[name]], `warnings.mend.${name}`);
      }
      text(mend.text, 'warnings.mend.text');
      text(mend.reason, 'warnings.mend.reason');
    }
    indices([warning.node], -1, nodes.rows, 'warnings.node');
    indices([warning.source], -1, sources.rows, 'warnings.source');
    indices(list(warning, 'taints', 'warnings.taints'), 0, values.rows, 'warnings.taints');
  }
  const summary = bag(document, 'summary');
  for (const name of ['ops', 'parameters', 'parameter_bytes', 'warnings']) {
    integers([summary[name]], `summary.${name}`);
  }
  if (document.diff !== undefined) {
    readDiff(document, { strings: S, nodes: nodes.rows, scopes: scopes.rows, values: values.rows });
  }
  if (document.overlays !== undefined) {
    readOverlays(document, nodes.rows);
  }
  return document as unknown as ViewDocument;
}
