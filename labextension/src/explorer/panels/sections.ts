/** The sections of the details panel: properties, values, warnings, parameters, changes. */

import * as strings from '../../i18n/strings';
import { Role } from '../../protocol/viewdocument';
import {
  changeText,
  differencesOf,
  DiffStatus,
  diffStatusOf,
  DIFF_SYMBOLS,
  statusText,
} from '../../model/diff/differences';
import { shortKind, string, withExpressions } from '../../model/describe';
import {
  bytesOf,
  bytesText,
  elementText,
  fullType,
  producerName,
  originText,
} from '../../model/elementdetails';
import { producerOf, outputElement, type Element, type Hierarchy } from '../../model/hierarchy';
import { scopesWithin } from '../../model/repeats';
import { element } from '../ui/dom';
import { sourceLocation, sourceExcerpt } from './sourceexcerpt';

export type Jump = (to: Element) => void;

const MOST_ROWS = 200;
/** So many warnings that say the same are one line, which opens. */
const ALIKE = 3;

export function section(title: string, ...children: (Node | null)[]): HTMLElement {
  return element('section', {}, element('h3', { text: title }), ...children);
}

export function detailList(rows: [string, string][]): HTMLElement {
  const list = element('dl', { class: 'properties' });
  for (const [name, value] of rows) {
    if (value !== '') {
      list.append(element('dt', { text: name }), element('dd', { text: value }));
    }
  }
  return list;
}

export function jumpButton(to: Element, text: string, jump: Jump): HTMLElement {
  return element('button', {
    class: 'link-button',
    text,
    title: strings.goTo(text),
    attributes: { type: 'button' },
    onClick: () => jump(to),
  });
}

/** The whole type, with the room that the elements take. */
function typeLine(h: Hierarchy, value: number): string {
  const bytes = bytesOf(h, value);
  return bytes < 0 ? fullType(h, value) : `${fullType(h, value)} · ${bytesText(bytes)}`;
}

function valueRow(h: Hierarchy, value: number, jump: Jump, side: 'in' | 'out'): HTMLElement {
  const { document } = h;
  const { values } = document;
  const links: Node[] = [];
  if (side === 'in') {
    const maker = producerOf(h, value);
    if (maker >= 0) {
      const what = producerName(h, maker);
      links.push(
        element('span', { class: 'muted', text: `${strings.fromPrefix()} ` }),
        jumpButton(maker, what, jump),
      );
    } else {
      links.push(element('span', { class: 'muted', text: originText(h, value) }));
    }
  } else {
    const users = h.users[value];
    if (users.length > 0) {
      links.push(element('span', { class: 'muted', text: `${strings.usedByPrefix()} ` }));
      users.slice(0, 8).forEach((user) => links.push(jumpButton(user, elementText(h, user), jump)));
      if (users.length > 8) {
        links.push(element('span', { class: 'muted', text: ` ${strings.andMore(users.length - 8)}` }));
      }
    }
    const output = h.outputs.indexOf(value);
    if (output >= 0) {
      links.push(jumpButton(outputElement(h, output), strings.graphOutput(), jump));
    }
  }
  const alias = values.alias[value];
  return element(
    'li',
    { class: `value ${side}` },
    element('code', { text: `%${string(document, values.name[value])}` }),
    element('span', { class: 'type', text: typeLine(h, value) }),
    alias >= 0
      ? element('div', {
          class: 'muted',
          text: strings.sharesStorage(`%${string(document, values.name[alias])}`),
        })
      : null,
    links.length > 0 ? element('div', { class: 'links' }, ...links) : null,
  );
}

export function valueList(
  h: Hierarchy,
  list: readonly number[],
  jump: Jump,
  side: 'in' | 'out',
): HTMLElement {
  const rows = list.slice(0, MOST_ROWS).map((value) => valueRow(h, value, jump, side));
  if (list.length > MOST_ROWS) {
    rows.push(element('li', { class: 'muted', text: strings.andMore(list.length - MOST_ROWS) }));
  }
  return element('ul', { class: 'values' }, ...rows);
}

function warningItem(h: Hierarchy, index: number, jump: Jump | null): HTMLElement {
  const { document } = h;
  const warning = document.warnings[index];
  const taints = warning.affects.map((value) => `%${string(document, document.values.name[value])}`);
  return element(
    'li',
    { class: 'warning' },
    element('strong', { text: warning.kind }),
    element('span', { text: ` ${warning.message}` }),
    warning.constant
      ? element('div', { class: 'muted', text: strings.specializedOn(warning.constant) })
      : null,
    warning.verdict ? element('div', { class: 'verdict', text: strings.check(warning.verdict) }) : null,
    taints.length > 0
      ? element('div', {
          class: 'muted',
          text: strings.affectsOutputs(taints.length, taints.slice(0, 12).join(', ')),
        })
      : null,
    taints.length > 0
      ? element('button', {
          class: 'link-button',
          text: strings.highlightAffected(),
          attributes: { type: 'button', 'data-warning': String(index) },
        })
      : null,
    warning.source >= 0 && jump === null ? sourceExcerpt(document, warning.source) : null,
    jump !== null && warning.node >= 0
      ? element(
          'div',
          { class: 'links' },
          element('span', { class: 'muted', text: `${strings.atPrefix()} ` }),
          jumpButton(warning.node, elementText(h, warning.node), jump),
          warning.source >= 0
            ? element('span', { class: 'muted', text: ` ${sourceLocation(document, warning.source)}` })
            : null,
        )
      : null,
  );
}

export function warningsWhere(h: Hierarchy, keep: (node: number) => boolean): number[] {
  return h.document.warnings.flatMap((warning, index) => (keep(warning.node) ? [index] : []));
}

export function warningSection(h: Hierarchy, list: number[], jump: Jump | null): HTMLElement | null {
  if (list.length === 0) {
    return null;
  }
  // Those that differ in no more than a value and a place are told once.
  const alike = new Map<string, HTMLElement[]>();
  for (const index of list.slice(0, MOST_ROWS)) {
    const { kind, message, constant } = h.document.warnings[index];
    const text = `${kind}: ${message.replace(` (${constant})`, '')}`;
    alike.set(text, [...(alike.get(text) ?? []), warningItem(h, index, jump)]);
  }
  return section(
    strings.warnings(list.length),
    element(
      'ul',
      { class: 'warnings' },
      ...[...alike].flatMap(([text, items]) =>
        items.length < ALIKE
          ? items
          : element(
              'li',
              { class: 'warning' },
              element(
                'details',
                {},
                element('summary', { text: `${items.length} × ${text}` }),
                element('ul', { class: 'warnings' }, ...items),
              ),
            ),
      ),
    ),
  );
}

export function argumentTable(h: Hierarchy, node: number): HTMLElement | null {
  const rows = h.document.nodes.arguments[node];
  if (rows.length === 0) {
    return null;
  }
  const list = element('dl', { class: 'properties mono' });
  for (const [name, value] of rows.slice(0, MOST_ROWS)) {
    list.append(
      element('dt', { text: string(h.document, name) }),
      element('dd', { text: withExpressions(h, node, string(h.document, value)) }),
    );
  }
  return section(strings.headingArguments(), list);
}

/** Parameters and buffers that a scope's operators read. */
export function parametersIn(h: Hierarchy, scope: number): number[] {
  const { nodes, values } = h.document;
  const inside = scopesWithin(h, scope);
  const found = new Set<number>();
  nodes.inputs.forEach((list, node) => {
    if (inside[nodes.scope[node]]) {
      list.filter((value) => values.role[value] >= Role.Parameter).forEach((value) => found.add(value));
    }
  });
  return [...found];
}

export function kindCounts(h: Hierarchy, scope: number): HTMLElement {
  const { document } = h;
  const inside = scopesWithin(h, scope);
  const counts = new Map<string, number>();
  document.nodes.kind.forEach((kind, node) => {
    if (inside[document.nodes.scope[node]]) {
      const name = shortKind(string(document, kind));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  });
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return detailList(sorted.slice(0, 30).map(([name, count]) => [name, String(count)]));
}

export function parameterList(h: Hierarchy, list: number[]): HTMLElement {
  const { document } = h;
  const { values } = document;
  const count = (value: number): number =>
    values.shape[value] < 0
      ? 0
      : document.shapes[values.shape[value]].reduce((product, extent) => product * Math.max(0, extent), 1);
  const rows = list.slice(0, MOST_ROWS).map((value) => {
    const path = string(document, values.path[value]);
    return element(
      'li',
      { class: 'value' },
      element('code', { text: path || `%${string(document, values.name[value])}` }),
      element('span', {
        class: 'type',
        text: `${strings.elementCount(count(value))} · ${typeLine(h, value)}`,
      }),
      values.role[value] === Role.Buffer
        ? element('span', { class: 'muted', text: ` · ${strings.isBuffer()}` })
        : null,
    );
  });
  if (list.length > MOST_ROWS) {
    rows.push(element('li', { class: 'muted', text: strings.andMore(list.length - MOST_ROWS) }));
  }
  const total = list.reduce((sum, value) => sum + count(value), 0);
  const bytes = list.reduce((sum, value) => sum + Math.max(0, bytesOf(h, value)), 0);
  return element(
    'div',
    {},
    element('p', {
      class: 'muted',
      text: `${strings.tensors(list.length)}, ${strings.elements(total)}, ${bytesText(bytes)}`,
    }),
    element('ul', { class: 'values' }, ...rows),
  );
}

/** A table of what, before and after; null where the element is the same, or there is but one graph. */
export function changeSection(h: Hierarchy, at: Element): HTMLElement | null {
  const differences = differencesOf(h);
  const mark = diffStatusOf(h, at);
  const changes = differences?.changes.get(at) ?? [];
  if (differences === null || (mark === DiffStatus.Same && changes.length === 0)) {
    return null;
  }
  const heading =
    mark === DiffStatus.Same ? strings.inputsChanged() : `${DIFF_SYMBOLS[mark]} ${statusText(mark)}`;
  const rows = changes.map((change) =>
    element(
      'tr',
      {},
      element('th', { text: change.what, attributes: { scope: 'row' } }),
      element('td', { class: 'mono', text: changeText({ ...change, what: 'operator' }) }),
    ),
  );
  return section(
    heading,
    rows.length > 0
      ? element('table', { class: 'changes' }, ...rows)
      : element('p', { text: sentence(mark) }),
  );
}

const sentence = (mark: DiffStatus): string =>
  mark === DiffStatus.Added
    ? strings.onlyInSecond()
    : mark === DiffStatus.Removed
      ? strings.onlyInFirst()
      : strings.changedInside();
