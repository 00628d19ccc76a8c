/** Finding elements by any word that is written about them. */

import { kindOf, type Element, type Hierarchy } from './hierarchy';
import { scopeClass, scopeName, shapeText, string } from './describe';

export interface SearchIndex {
  /** Lower-case text of each element; lines are joined so that a query cannot match across two facts. */
  readonly texts: string[];
}

function nodeText(h: Hierarchy, node: number): string {
  const { document } = h;
  const { nodes, values, sources } = document;
  const parts = [string(document, nodes.kind[node]), h.paths[nodes.scope[node]]];
  for (const value of nodes.outputs[node]) {
    parts.push(`%${string(document, values.name[value])}`, shapeText(document, value));
    parts.push(string(document, values.dtype[value]));
  }
  for (const value of nodes.inputs[node]) {
    if (values.path[value] >= 0) {
      parts.push(string(document, values.path[value]));
    }
  }
  const source = nodes.source[node];
  if (source >= 0 && sources.file[source] >= 0) {
    const file = document.files[sources.file[source]];
    parts.push(`${file.name}:${sources.line[source]}`);
    for (let line = sources.line[source]; line <= sources.end_line[source]; line++) {
      parts.push((file.lines[String(line)] ?? '').trim());
      if (line > sources.line[source] + 20) {
        break;
      }
    }
  }
  return parts.join('\n');
}

export function buildIndex(h: Hierarchy): SearchIndex {
  const { document } = h;
  const texts: string[] = [];
  for (let node = 0; node < h.nodes; node++) {
    texts.push(nodeText(h, node));
  }
  for (let scope = 0; scope < h.scopes; scope++) {
    texts.push(h.folded[scope] ? '' : [scopeName(h, scope), scopeClass(h, scope), h.paths[scope]].join('\n'));
  }
  for (const value of [...h.inputs, ...h.outputs]) {
    const { values } = document;
    texts.push(
      [
        `%${string(document, values.name[value])}`,
        shapeText(document, value),
        string(document, values.dtype[value]),
      ].join('\n'),
    );
  }
  for (const warning of document.warnings) {
    if (warning.node >= 0) {
      texts[warning.node] += `\nwarning ${warning.kind}\n${warning.message}`;
    }
  }
  return { texts: texts.map((text) => text.toLowerCase()) };
}

/** Elements that hold every word of the query; `64x3` finds `[64, 3]` too. Groups come before operators. */
export function search(h: Hierarchy, index: SearchIndex, query: string): Element[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return [];
  }
  const shapes = words.map((word) => (/^\d+([x×]\d+)+$/.test(word) ? word.replace(/[x×]/g, ', ') : word));
  const found: Element[] = [];
  index.texts.forEach((text, element) => {
    if (element !== h.nodes && shapes.every((word) => text.includes(word))) {
      found.push(element);
    }
  });
  const first = (element: Element): number => (kindOf(h, element) === 'group' ? 0 : 1);
  return found.sort((a, b) => first(a) - first(b) || a - b);
}
