/**
 * Finding elements by what is written about them. Qualified words ask one column of the document: each distinct
 * string, shape, path or source once, after which elements only look up answers. Plain words are looked for in one
 * long text of all elements, which is many times faster than in as many short ones.
 */

import { kindOf, boundaryName, boundaryValue, scopeOf, type Element, type Hierarchy } from './hierarchy';
import { scopeClass, scopeName, shapeText, shortKind, string, tracedShape } from './describe';
import { repeatOf } from './repeats';

/** The words before a colon in a query: `op:conv`. */
export const QUALIFIERS = [
  'op',
  'in',
  'shape',
  'name',
  'dtype',
  'device',
  'src',
  'line',
  'warn',
  'failed',
] as const;

export type Qualifier = (typeof QUALIFIERS)[number];

export interface Term {
  /** Null: any word written about the element. */
  qualifier: Qualifier | null;
  /** In lower case; empty after a bare `warn:`, which any warning satisfies. */
  text: string;
  negated: boolean;
}

/** `op:conv -in:"my layer" relu` in terms. An unknown qualifier is a word with a colon in it: `aten::relu`. */
export function parseQuery(query: string): Term[] {
  const terms: Term[] = [];
  for (const [whole] of query.toLowerCase().matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    const negated = whole.length > 1 && whole.startsWith('-');
    const word = negated ? whole.slice(1) : whole;
    const colon = word.indexOf(':');
    const qualifier = QUALIFIERS.find((each) => each === word.slice(0, colon)) ?? null;
    const known = qualifier !== null && word[colon + 1] !== ':';
    const text = (known ? word.slice(colon + 1) : word).replace(/"/g, '');
    if (text === '' && !(known && (qualifier === 'warn' || qualifier === 'failed'))) {
      // `op:` on its way to `op:conv` says nothing yet.
      continue;
    }
    terms.push({ qualifier: known ? qualifier : null, text, negated });
  }
  return terms;
}

export interface SearchIndex {
  /** The document's strings, as they are. */
  readonly strings: string[];
  readonly paths: string[];
  /** Each source's place and text. */
  readonly sources: string[];
  readonly warnings: Map<number, string>;
  /** What is written about each element, one after the other, in lines, so that no word spans two. */
  readonly text: string;
  /** Where each element's part of the text starts; one more, for the end. */
  readonly starts: Int32Array;
}

/** A name of a million characters need not be searched to its end. */
const LONGEST = 400;

const MOST_LINES = 20;

function sourceText(h: Hierarchy, source: number): string {
  const { sources, files } = h.document;
  if (sources.file[source] < 0) {
    return '';
  }
  const file = files[sources.file[source]];
  const first = sources.line[source];
  const parts = [`${file.name}:${first}`];
  for (let line = first; line <= Math.min(sources.end_line[source], first + MOST_LINES); line++) {
    parts.push((file.lines[String(line)] ?? '').trim());
  }
  return parts.join('\n');
}

function nodeText(
  h: Hierarchy,
  index: { sources: string[]; warnings: Map<number, string> },
  node: number,
): string {
  const { document } = h;
  const { nodes, values } = document;
  let text = `${string(document, nodes.kind[node])}\n${h.paths[nodes.scope[node]]}`;
  for (const value of nodes.outputs[node]) {
    text += `\n${valueText(h, value)}`;
  }
  for (const value of nodes.inputs[node]) {
    if (values.path[value] >= 0) {
      text += `\n${string(document, values.path[value]).slice(0, LONGEST)}`;
    }
  }
  if (nodes.source[node] >= 0) {
    text += `\n${index.sources[nodes.source[node]]}`;
  }
  return index.warnings.has(node) ? `${text}\n${index.warnings.get(node)}` : text;
}

function valueText(h: Hierarchy, value: number): string {
  const { document } = h;
  const { values } = document;
  const name = string(document, values.name[value]).slice(0, LONGEST);
  const named = h.sizeNames.has(value) ? `\n${shapeText(h, value).slice(0, LONGEST)}` : '';
  return `%${name}\n${tracedShape(document, value)}${named}\n${string(document, values.dtype[value])}`;
}

function scopeText(h: Hierarchy, scope: number): string {
  return [scopeName(h, scope), scopeClass(h, scope), h.paths[scope]]
    .map((part) => part.slice(0, LONGEST))
    .join('\n');
}

/** The calls of functions in which a module or a function ran: no part of its path, but where it is found. */
function functionsAround(h: Hierarchy, scope: number): string[] {
  const { parent, name, functions } = h.document.scopes;
  const around: string[] = [];
  for (let at = functions === undefined ? -1 : (parent[scope] ?? -1); at > 0; at = parent[at]) {
    if (h.isFunction[at]) {
      around.push(string(h.document, name[at]));
    }
  }
  return around;
}

/** How many elements are taken in between two rests. */
const AT_ONCE = 2000;

/** Builds the index, with a rest after every few elements: a large one is built while the person looks on. */
export function* indexing(h: Hierarchy): Generator<void, SearchIndex> {
  const { document } = h;
  const lower = (text: string): string => text.toLowerCase();
  const warnings = new Map<number, string>();
  for (const { node, kind, message } of document.warnings) {
    warnings.set(node, `${warnings.get(node) ?? 'warning'}\n${kind}\n${message}`.toLowerCase());
  }
  const sources = document.sources.file.map((_, source) => lower(sourceText(h, source)).slice(0, LONGEST));
  const boundary = [...h.inputs, ...h.outputs];
  const firstBoundary = h.nodes + h.scopes;
  const count = firstBoundary + boundary.length;
  const parts: string[] = [];
  const starts = new Int32Array(count + 1);
  for (let element = 0; element < count; element++) {
    const part =
      element < h.nodes
        ? nodeText(h, { sources, warnings }, element)
        : element >= firstBoundary
          ? `${boundaryName(h, element)}\n${valueText(h, boundary[element - firstBoundary])}`
          : h.inlined[element - h.nodes] && repeatOf(h, element - h.nodes) === undefined
            ? // Drawn as its one operator; repeated blocks may be collapsed later.
              ''
            : scopeText(h, element - h.nodes);
    parts.push(lower(part));
    starts[element + 1] = starts[element] + parts[element].length + 1;
    if (element % AT_ONCE === AT_ONCE - 1) {
      yield;
    }
  }
  return {
    strings: document.strings,
    paths: h.paths.map((path, scope) => lower([path, ...functionsAround(h, scope)].join('\n'))),
    sources,
    warnings,
    text: parts.join('\n'),
    starts,
  };
}

/** What is left of building an index, at once. */
export function finish(work: Generator<void, SearchIndex>): SearchIndex {
  for (;;) {
    const step = work.next();
    if (step.done) {
      return step.value;
    }
  }
}

export const buildIndex = (h: Hierarchy): SearchIndex => finish(indexing(h));

type Test = (index: number) => boolean;

/** Asks each row of a table at most once. */
function once(rows: number, ask: Test): Test {
  const known = new Int8Array(rows);
  return (index) => {
    if (index < 0) {
      return false;
    }
    if (known[index] === 0) {
      known[index] = ask(index) ? 1 : -1;
    }
    return known[index] > 0;
  };
}

const holding = (table: string[], text: string, form = (each: string): string => each): Test =>
  once(table.length, (index) => form(table[index]).toLowerCase().includes(text));

const never: Test = () => false;

/** `64` is one extent of the shape, `64x3` two that follow each other. */
function shapeTest(h: Hierarchy, text: string): Test {
  const { shapes } = h.document;
  const wanted = text
    .replace(/[[\]]/g, '')
    .split(/[x×,]\s*/)
    .filter(Boolean)
    .map(Number);
  if (wanted.length === 0 || wanted.some((extent) => !Number.isInteger(extent))) {
    return never;
  }
  return once(shapes.length, (index) =>
    shapes[index].some((_, at) => wanted.every((extent, step) => shapes[index][at + step] === extent)),
  );
}

/** `12` or `model.py:12`: the source covers that line. */
function lineTest(h: Hierarchy, text: string): Test {
  const [, name, number] = /^(?:(.*):)?(\d+)$/s.exec(text) ?? [];
  if (number === undefined) {
    return never;
  }
  const { sources, files } = h.document;
  const file = once(files.length, (index) => name === undefined || files[index].name.toLowerCase() === name);
  return once(
    sources.line.length,
    (index) =>
      sources.line[index] <= Number(number) &&
      Number(number) <= Math.max(sources.line[index], sources.end_line[index]) &&
      file(sources.file[index]),
  );
}

/** Whether the frame or one that called it passes: a line of the user's has all that its call ran. */
function inStack(h: Hierarchy, test: Test): Test {
  const { caller } = h.document.sources;
  return once(caller.length, (source) => {
    let steps = 0;
    for (let at = source; at >= 0 && steps < 1000; at = caller[at], steps++) {
      if (test(at)) {
        return true;
      }
    }
    return false;
  });
}

const scopeAround = (h: Hierarchy, scope: number): number =>
  repeatOf(h, scope)?.within ?? h.document.scopes.parent[scope];

function testFor(h: Hierarchy, index: SearchIndex, { qualifier, text }: Term): Test {
  const { nodes, values } = h.document;
  const made = (node: number, test: Test): boolean => nodes.outputs[node].some(test);
  /** A test of operators, and one of graph inputs and outputs by their value; groups fail both. */
  const by = (ofNode: Test, ofValue: Test): Test => {
    return (element) => {
      const kind = kindOf(h, element);
      return kind === 'op' ? ofNode(element) : kind === 'group' ? false : ofValue(boundaryValue(h, element));
    };
  };
  const ofValues = (test: Test): Test => by((node) => made(node, test), test);
  switch (qualifier) {
    case 'op': {
      const kind = holding(index.strings, text, text.includes('::') ? undefined : shortKind);
      return by((node) => kind(nodes.kind[node]), never);
    }
    case 'in': {
      const path = holding(index.paths, text);
      return (element) => {
        const kind = kindOf(h, element);
        return kind === 'op'
          ? path(nodes.scope[element])
          : kind === 'group' && path(scopeAround(h, scopeOf(h, element)));
      };
    }
    case 'shape': {
      const shape = shapeTest(h, text);
      return ofValues((value) => shape(values.shape[value]));
    }
    case 'name': {
      const word = holding(index.strings, text);
      return ofValues((value) => word(values.name[value]));
    }
    case 'dtype': {
      const word = holding(index.strings, text);
      return ofValues((value) => word(values.dtype[value]));
    }
    case 'device': {
      const word = holding(index.strings, text);
      return ofValues((value) => word(values.device[value]));
    }
    case 'src': {
      const source = holding(index.sources, text);
      return by((node) => source(nodes.source[node]), never);
    }
    case 'line': {
      const source = inStack(h, lineTest(h, text));
      return by((node) => source(nodes.source[node]), never);
    }
    case 'warn':
      return by(
        (node) => index.warnings.get(node)?.includes(text) ?? false,
        (value) => h.affected.has(value) && text === '',
      );
    case 'failed':
      return by((node) => nodes.failed === node, never);
    default:
      return anywhere(index, text);
  }
}

/** Any word written about the element; `64x3` finds `[64, 3]` too. */
function anywhere({ text, starts }: SearchIndex, word: string): Test {
  const wanted = /^\d+([x×]\d+)+$/.test(word) ? word.replace(/[x×]/g, ', ') : word;
  const found = new Uint8Array(starts.length);
  let element = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, starts[element])) {
    while (starts[element + 1] <= at) {
      element++;
    }
    // One is enough: the search goes on behind this element.
    found[element++] = 1;
  }
  return (asked) => found[asked] === 1;
}

/** Elements that satisfy every term of the query, groups before operators, each in trace order. */
export function search(h: Hierarchy, index: SearchIndex, query: string): Element[] {
  const tests = parseQuery(query).map((term) => {
    const test = testFor(h, index, term);
    return term.negated ? (element: Element) => !test(element) : test;
  });
  if (tests.length === 0) {
    return [];
  }
  const groups: Element[] = [];
  const others: Element[] = [];
  for (let element = 0; element < h.parent.length; element++) {
    const kind = kindOf(h, element);
    const hidden = kind === 'group' && (element === h.nodes || h.inlined[scopeOf(h, element)] === 1);
    if (!hidden && tests.every((test) => test(element))) {
      (kind === 'group' ? groups : others).push(element);
    }
  }
  return [...groups, ...others];
}
