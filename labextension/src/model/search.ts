/**
 * Finding elements by what is written about them. Nothing is joined into texts beforehand: a term is looked for
 * once in each distinct string, shape, path and source line, and the elements then only look up answers.
 */

import { kindOf, pillValue, scopeOf, type Element, type Hierarchy } from './hierarchy';
import { scopeClass, scopeName, shortKind } from './describe';
import { parseQuery, type Term } from './query';

export interface SearchIndex {
  /** Lower-case forms of the document's strings. */
  readonly strings: string[];
  readonly kinds: string[];
  readonly shapes: string[];
  readonly paths: string[];
  /** Name and class of each scope. */
  readonly scopes: string[];
  /** Each source's place and text. */
  readonly sources: string[];
  readonly warnings: Map<number, string>;
}

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

export function buildIndex(h: Hierarchy): SearchIndex {
  const { document } = h;
  const lower = (text: string): string => text.toLowerCase();
  const warnings = new Map<number, string>();
  for (const { node, kind, message } of document.warnings) {
    warnings.set(node, `${warnings.get(node) ?? 'warning'}\n${kind}\n${message}`.toLowerCase());
  }
  return {
    strings: document.strings.map(lower),
    kinds: document.strings.map((text) => lower(shortKind(text))),
    shapes: document.shapes.map((shape) => `[${shape.join(', ')}]`),
    paths: h.paths.map(lower),
    scopes: h.paths.map((_, scope) => lower(`${scopeName(h, scope)}\n${scopeClass(h, scope)}`)),
    sources: document.sources.file.map((_, source) => lower(sourceText(h, source))),
    warnings,
  };
}

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

const holding = (table: string[], text: string): Test =>
  once(table.length, (index) => table[index].includes(text));

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

function testFor(h: Hierarchy, index: SearchIndex, { qualifier, text }: Term): Test {
  const { nodes, values } = h.document;
  const made = (node: number, test: Test): boolean => nodes.outputs[node].some(test);
  /** A test of operators, and one of graph inputs and outputs by their value; groups fail both. */
  const by = (ofNode: Test, ofValue: Test): Test => {
    return (element) => {
      const kind = kindOf(h, element);
      return kind === 'op' ? ofNode(element) : kind === 'group' ? false : ofValue(pillValue(h, element));
    };
  };
  const ofValues = (test: Test): Test => by((node) => made(node, test), test);
  switch (qualifier) {
    case 'op': {
      const kind = holding(text.includes('::') ? index.strings : index.kinds, text);
      return by((node) => kind(nodes.kind[node]), never);
    }
    case 'in': {
      const path = holding(index.paths, text);
      return (element) => {
        const kind = kindOf(h, element);
        return kind === 'op'
          ? path(nodes.scope[element])
          : kind === 'group' && path(h.document.scopes.parent[scopeOf(h, element)]);
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
        (value) => h.tainted.has(value) && text === '',
      );
    case 'failed':
      return by((node) => nodes.failed === node, never);
    default:
      return anywhere(h, index, text);
  }
}

function anywhere(h: Hierarchy, index: SearchIndex, text: string): Test {
  const { nodes, values } = h.document;
  const name = text.startsWith('%') ? text.slice(1) : text;
  const word = holding(index.strings, text);
  const named = name === text ? word : once(index.strings.length, (at) => index.strings[at].startsWith(name));
  const exactShape = /^\d+([x×]\d+)+$/.test(text) ? shapeTest(h, text) : holding(index.shapes, text);
  const path = holding(index.paths, text);
  const scope = holding(index.scopes, text);
  const source = holding(index.sources, text);
  const value: Test = (at) =>
    named(values.name[at]) || exactShape(values.shape[at]) || word(values.dtype[at]);
  const read: Test = (at) => values.path[at] >= 0 && word(values.path[at]);
  return (element) => {
    switch (kindOf(h, element)) {
      case 'op':
        return (
          word(nodes.kind[element]) ||
          path(nodes.scope[element]) ||
          nodes.outputs[element].some(value) ||
          nodes.inputs[element].some(read) ||
          source(nodes.source[element]) ||
          (index.warnings.get(element)?.includes(text) ?? false)
        );
      case 'group':
        return path(scopeOf(h, element)) || scope(scopeOf(h, element));
      default:
        return value(pillValue(h, element));
    }
  };
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
    const hidden = kind === 'group' && (element === h.nodes || h.folded[scopeOf(h, element)] === 1);
    if (!hidden && tests.every((test) => test(element))) {
      (kind === 'group' ? groups : others).push(element);
    }
  }
  return [...groups, ...others];
}
