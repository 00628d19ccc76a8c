/** Source text around a position: the line marked, the columns underlined. */

import * as strings from '../../i18n/strings';
import type { ViewDocument } from '../../protocol/viewdocument';
import { string } from '../../model/describe';
import { element } from '../ui/dom';

const AROUND = 2;
const MOST_LINES = 24;

export function sourceLocation(document: ViewDocument, source: number): string {
  const { sources, files } = document;
  const file = sources.file[source] < 0 ? '?' : files[sources.file[source]].name;
  return `${file}:${sources.line[source]}`;
}

/** The source and the frames that called it, innermost first. */
export function callStack(document: ViewDocument, source: number): number[] {
  const list: number[] = [];
  const seen = new Set<number>();
  for (let at = source; at >= 0 && !seen.has(at); at = document.sources.caller[at]) {
    seen.add(at);
    list.push(at);
  }
  return list;
}

function codeLine(text: string, from: number, to: number): Node[] {
  if (to <= from || from < 0) {
    return [window.document.createTextNode(text)];
  }
  return [
    window.document.createTextNode(text.slice(0, from)),
    element('span', { class: 'span', text: text.slice(from, to) }),
    window.document.createTextNode(text.slice(to)),
  ];
}

export function sourceExcerpt(document: ViewDocument, source: number): HTMLElement {
  const { sources, files } = document;
  const lines = sources.file[source] < 0 ? {} : files[sources.file[source]].lines;
  const first = sources.line[source];
  const last = Math.max(first, Math.min(sources.end_line[source], first + MOST_LINES));
  const block = element('pre', { class: 'code' });
  let indent = Infinity;
  const rows: [number, string][] = [];
  for (let line = first - AROUND; line <= last + AROUND; line++) {
    const text = lines[String(line)];
    if (text !== undefined) {
      rows.push([line, text]);
      if (text.trim() !== '') {
        indent = Math.min(indent, text.length - text.trimStart().length);
      }
    }
  }
  const cut = Number.isFinite(indent) ? indent : 0;
  for (const [line, whole] of rows) {
    const text = whole.slice(cut);
    const inside = line >= first && line <= last;
    const from = line === first ? sources.column[source] - cut : text.length - text.trimStart().length;
    const to = line === last ? sources.end_column[source] - cut : text.length;
    block.append(
      element(
        'span',
        { class: inside ? 'line marked' : 'line' },
        element('span', { class: 'number', text: String(line) }),
        ...(inside ? codeLine(text, from, to) : [window.document.createTextNode(text)]),
      ),
    );
  }
  const name = string(document, sources.function[source]);
  return element(
    'figure',
    { class: 'source' },
    element('figcaption', {
      text: name
        ? strings.inFunction(sourceLocation(document, source), name)
        : sourceLocation(document, source),
    }),
    rows.length > 0 ? block : null,
  );
}
