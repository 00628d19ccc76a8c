/** The source in a tab of its own: from a line to the operators that it ran, and from a node to its line. */

import * as strings from '../../i18n/strings';
import * as toolStrings from '../../i18n/toolstrings';
import type { Element, Hierarchy } from '../../model/hierarchy';
import { element } from '../ui/dom';
import { callStack } from './sourceexcerpt';
import type { View } from '../core/view';

const MOST_LINES = 4000;

/** For each file, the operators that each line ran, itself or in what it called. */
function nodesByLine(h: Hierarchy): Map<number, Element[]>[] {
  const { sources, files, nodes } = h.document;
  const byLine = files.map(() => new Map<number, Element[]>());
  const stacks = new Map<number, number[]>();
  nodes.source.forEach((source, node) => {
    if (source < 0) {
      return;
    }
    if (!stacks.has(source)) {
      stacks.set(source, callStack(h.document, source));
    }
    for (const frame of stacks.get(source)!) {
      const lines = byLine[sources.file[frame]];
      const list = lines?.get(sources.line[frame]);
      if (list === undefined) {
        lines?.set(sources.line[frame], [node]);
      } else if (list[list.length - 1] !== node) {
        list.push(node);
      }
    }
  });
  return byLine;
}

export function sourcePanelFeature(view: View): void {
  let byLine: Map<number, Element[]>[] | null = null;
  view.events.on('graph', () => (byLine = null));

  const press = (file: string, line: number, nodes: Element[]): void => {
    view.setQuery(`line:"${file}:${line}"`);
    view.highlight(new Set(nodes), toolStrings.lineHighlighted(toolStrings.operators(nodes.length), line));
    if (nodes.length === 1) {
      void view.goTo(nodes[0]);
    }
  };

  const fileView = (h: Hierarchy, file: number, here: Map<number, number>): HTMLElement => {
    const { name, lines } = h.document.files[file];
    const numbers = Object.keys(lines)
      .map(Number)
      .sort((a, b) => a - b);
    const block = element('div', { class: 'code source-listing' });
    let last = numbers[0];
    for (const line of numbers.slice(0, MOST_LINES)) {
      if (line > last + 1) {
        block.append(element('div', { class: 'line muted', text: '      ⋯' }));
      }
      last = line;
      const nodes = byLine![file].get(line) ?? [];
      const own = here.get(file) === line;
      const row = [
        element('span', { class: 'number', text: String(line) }),
        element('span', { text: lines[String(line)] }),
      ];
      block.append(
        nodes.length === 0
          ? element('div', { class: 'line' }, ...row)
          : element(
              'button',
              {
                class: own ? 'line marked' : 'line',
                title: toolStrings.highlightOperators(toolStrings.operators(nodes.length)),
                attributes: { type: 'button', ...(own ? { 'aria-current': 'true' } : {}) },
                onClick: () => press(name, line, nodes),
              },
              ...row,
              element('span', { class: 'op-count', text: strings.ops(nodes.length) }),
            ),
      );
    }
    return element('section', {}, element('h3', { class: 'file', text: name }), block);
  };

  view.panel.add({
    id: 'source',
    title: toolStrings.source(),
    order: 10,
    available: () => (view.graph?.document.files.length ?? 0) > 0,
    render() {
      const h = view.graph!;
      byLine ??= nodesByLine(h);
      const source =
        view.selected >= 0 && view.selected < h.nodes ? h.document.nodes.source[view.selected] : -1;
      // Of several frames in one file the innermost is where the operator ran.
      const here = new Map<number, number>();
      for (const frame of source < 0 ? [] : callStack(h.document, source).reverse()) {
        here.set(h.document.sources.file[frame], h.document.sources.line[frame]);
      }
      queueMicrotask(() =>
        view.panel.node.querySelector('.source-listing .marked')?.scrollIntoView?.({ block: 'nearest' }),
      );
      return [
        element('p', { class: 'muted', text: toolStrings.pressLine() }),
        ...h.document.files.map((_, file) => fileView(h, file, here)),
      ];
    },
  });
}
