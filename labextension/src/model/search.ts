/**
 * Finding elements by what is written about them. Qualified words ask one column of the document: each distinct
 * string, shape, path or source once, after which elements only look up answers. Plain words are looked for in one
 * long text of all elements, which is many times faster than in as many short ones.
 */

import { kindOf, boundaryName, boundaryValue, scopeOf, type Element, type Hierarchy } from './hierarchy';
import { inlinedModule, scopeClass, scopeName, shapeText, shortKind, string, tracedShape } from './describe';
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
  /**
   * What is written about each element, one after the other, in lines, so that no word spans two: its names, its path,
   * the rest.
   */
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

/** What is written once and stands with many elements. */
interface Texts {
  source(at: number): string;
  warnings: Map<number, string>;
}

function nodeText(h: Hierarchy, { source, warnings }: Texts, node: number): string {
  const { document } = h;
  const { nodes, values } = document;
  const module = inlinedModule(h, node);
  const name = module < 0 ? '' : `\t${scopeName(h, module)}`;
  let text = `${string(document, nodes.kind[node])}${name}\n${h.paths[nodes.scope[node]]}`;
  for (const value of nodes.outputs[node]) {
    text += `\n${valueText(h, value)}`;
  }
  for (const value of nodes.inputs[node]) {
    if (values.path[value] >= 0) {
      text += `\n${string(document, values.path[value]).slice(0, LONGEST)}`;
    }
  }
  if (nodes.source[node] >= 0) {
    text += `\n${source(nodes.source[node])}`;
  }
  return warnings.has(node) ? `${text}\n${warnings.get(node)}` : text;
}

function valueText(h: Hierarchy, value: number): string {
  const { document } = h;
  const { values } = document;
  const name = string(document, values.name[value]).slice(0, LONGEST);
  const named = h.sizeNames.has(value) ? `\n${shapeText(h, value).slice(0, LONGEST)}` : '';
  return `%${name}\n${tracedShape(document, value)}${named}\n${string(document, values.dtype[value])}`;
}

function scopeText(h: Hierarchy, scope: number): string {
  const [name, of, path] = [scopeName(h, scope), scopeClass(h, scope), h.paths[scope]].map((part) =>
    part.slice(0, LONGEST),
  );
  return `${name}\t${of}\n${path}`;
}

function elementText(h: Hierarchy, texts: Texts, element: Element): string {
  const kind = kindOf(h, element);
  if (kind === 'op') {
    return nodeText(h, texts, element);
  }
  if (kind !== 'group') {
    return `${boundaryName(h, element)}\n\n${valueText(h, boundaryValue(h, element))}`;
  }
  const scope = scopeOf(h, element);
  // One that is drawn as its one operator has no text; repeated blocks may be collapsed later.
  return h.inlined[scope] && repeatOf(h, scope) === undefined ? '' : scopeText(h, scope);
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

function warningTexts({ document }: Hierarchy): Map<number, string> {
  const warnings = new Map<number, string>();
  for (const { node, kind, message } of document.warnings) {
    warnings.set(node, `${warnings.get(node) ?? 'warning'}\n${kind}\n${message}`);
  }
  return warnings;
}

/** How many elements are taken in between two rests. */
const AT_ONCE = 2000;

/** Builds the index, with a rest after every few elements: a large one is built while the person looks on. */
export function* indexing(h: Hierarchy): Generator<void, SearchIndex> {
  const { document } = h;
  const lower = (text: string): string => text.toLowerCase();
  const warnings = new Map([...warningTexts(h)].map(([node, text]) => [node, lower(text)]));
  const sources = document.sources.file.map((_, source) => lower(sourceText(h, source)).slice(0, LONGEST));
  const texts: Texts = { source: (at) => sources[at], warnings };
  const count = h.parent.length;
  const parts: string[] = [];
  const starts = new Int32Array(count + 1);
  for (let element = 0; element < count; element++) {
    parts.push(lower(elementText(h, texts, element)));
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
    default: {
      const ranks = ranksOf(index, text);
      return (element) => ranks[element] > 0;
    }
  }
}

/** `64x3` finds `[64, 3]` too. */
const written = (word: string): string => (/^\d+([x×]\d+)+$/.test(word) ? word.replace(/[x×]/g, ', ') : word);

/** For each element, where a word is first written about it: 1 in its names, 2 in its path, 3 elsewhere, 0 nowhere. */
function ranksOf({ text, starts }: SearchIndex, word: string): Uint8Array {
  const wanted = written(word);
  const found = new Uint8Array(starts.length);
  let element = 0;
  for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, starts[element])) {
    while (starts[element + 1] <= at) {
      element++;
    }
    const path = text.indexOf('\n', starts[element]);
    const rest = text.indexOf('\n', path + 1);
    // One is enough: the search goes on behind this element.
    found[element++] = at < path || path < 0 ? 1 : at < rest || rest < 0 ? 2 : 3;
  }
  return found;
}

/** The plain words that must be written about an element, which say how near to the query it is. */
const plainWords = (terms: Term[]): string[] =>
  terms.filter(({ qualifier, negated }) => qualifier === null && !negated).map(({ text }) => text);

/**
 * Elements that satisfy every term of the query: those first whose own names hold its words, then those whose paths do,
 * then the rest; of each, groups before operators, in trace order.
 */
export function search(h: Hierarchy, index: SearchIndex, query: string): Element[] {
  const terms = parseQuery(query);
  const ranks = plainWords(terms).map((word) => ranksOf(index, word));
  const tests = terms
    .filter(({ qualifier, negated }) => qualifier !== null || negated)
    .map((term) => {
      const test = testFor(h, index, term);
      return term.negated ? (element: Element) => !test(element) : test;
    });
  if (terms.length === 0) {
    return [];
  }
  const found: Element[][] = [[], [], [], [], [], []];
  for (let element = 0; element < h.parent.length; element++) {
    const kind = kindOf(h, element);
    const hidden = kind === 'group' && (element === h.nodes || h.inlined[scopeOf(h, element)] === 1);
    if (!hidden && ranks.every((rank) => rank[element] > 0) && tests.every((test) => test(element))) {
      const rank = Math.max(1, ...ranks.map((each) => each[element]));
      found[2 * rank - (kind === 'group' ? 2 : 1)].push(element);
    }
  }
  return found.flat();
}

/** A text, and which parts of it are words of a query. */
export type Marked = [text: string, isFound: boolean][];

/** How much of a long line stands before what was found in it. */
const BEFORE = 12;

/** A text with the words of a query marked in it; of a long one the part about the first of them. */
export function markedText(text: string, words: readonly string[]): Marked {
  const low = text.toLowerCase();
  const parts: Marked = [];
  for (let from = 0; from < text.length;) {
    let [at, end] = [text.length, text.length];
    for (const word of words) {
      const here = low.indexOf(word, from);
      if (here >= 0 && here < at) {
        [at, end] = [here, here + word.length];
      }
    }
    const isLong = from === 0 && at < text.length && at > 2 * BEFORE;
    parts.push([isLong ? `…${text.slice(at - BEFORE, at)}` : text.slice(from, at), false]);
    parts.push([text.slice(at, end), true]);
    from = end;
  }
  return parts.filter(([part]) => part !== '');
}

/** Says of what a search found where the words stand that neither the names nor the path of the element hold. */
export function reasons(h: Hierarchy, query: string): { words: string[]; of(element: Element): string[] } {
  const words = plainWords(parseQuery(query)).map(written);
  const texts: Texts = {
    source: (at) => sourceText(h, at).slice(0, LONGEST),
    warnings: warningTexts(h),
  };
  return {
    words,
    of(element) {
      if (words.length === 0) {
        return [];
      }
      const [names, path = '', ...rest] = elementText(h, texts, element).split('\n');
      const told = `${names}\n${path}`.toLowerCase();
      const lines = words
        .filter((word) => !told.includes(word))
        .map((word) => rest.find((line) => line.toLowerCase().includes(word)) ?? '');
      return [...new Set(lines)].filter(Boolean);
    },
  };
}
