/** What the panel says about the selected element, or about the whole graph. */

import { Role, type ViewDocument } from '../model/document';
import {
  compact,
  labelOf,
  plural,
  scopeClass,
  scopeName,
  shapeText,
  shortKind,
  string,
} from '../model/describe';
import {
  kindOf,
  makerOf,
  outputElement,
  pillValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from '../model/hierarchy';
import { element } from './dom';
import { icon } from './icons';
import { frames, sourceTitle, sourceView } from './source';
import { ORDER } from './toolbar';
import type { View } from './view';

export type Jump = (to: Element) => void;

const MOST_ROWS = 200;

function section(title: string, ...children: (Node | null)[]): HTMLElement {
  return element('section', {}, element('h3', { text: title }), ...children);
}

function facts(rows: [string, string][]): HTMLElement {
  const list = element('dl', { class: 'facts' });
  for (const [name, value] of rows) {
    if (value !== '') {
      list.append(element('dt', { text: name }), element('dd', { text: value }));
    }
  }
  return list;
}

function jumpButton(to: Element, text: string, jump: Jump): HTMLElement {
  return element('button', {
    class: 'jump',
    text,
    title: `Go to ${text}`,
    attributes: { type: 'button' },
    onClick: () => jump(to),
  });
}

function typeText(document: ViewDocument, value: number): string {
  const { values } = document;
  const shape = shapeText(document, value);
  return [
    string(document, values.type[value]) + shape,
    string(document, values.dtype[value]),
    string(document, values.device[value]),
  ]
    .filter(Boolean)
    .join(' · ');
}

function elementText(h: Hierarchy, at: Element): string {
  const label = labelOf(h, at);
  return label.aside && kindOf(h, at) === 'op' ? `${label.aside}: ${label.title}` : label.title;
}

function valueRow(h: Hierarchy, value: number, jump: Jump, side: 'in' | 'out'): HTMLElement {
  const { document } = h;
  const { values } = document;
  const role = values.role[value];
  const path = string(document, values.path[value]);
  const links: Node[] = [];
  if (side === 'in') {
    const maker = makerOf(h, value);
    if (maker >= 0) {
      const what = kindOf(h, maker) === 'input' ? 'graph input' : elementText(h, maker);
      links.push(element('span', { class: 'faint', text: 'from ' }), jumpButton(maker, what, jump));
    } else {
      const noun = role === Role.Buffer ? 'buffer' : role === Role.Parameter ? 'parameter' : 'constant';
      links.push(element('span', { class: 'faint', text: path ? `${noun} ${path}` : noun }));
    }
  } else {
    const users = h.users[value];
    if (users.length > 0) {
      links.push(element('span', { class: 'faint', text: 'to ' }));
      users.slice(0, 8).forEach((user) => links.push(jumpButton(user, elementText(h, user), jump)));
      if (users.length > 8) {
        links.push(element('span', { class: 'faint', text: ` and ${users.length - 8} more` }));
      }
    }
    const output = h.outputs.indexOf(value);
    if (output >= 0) {
      links.push(jumpButton(outputElement(h, output), 'graph output', jump));
    }
  }
  const alias = values.alias[value];
  return element(
    'li',
    { class: `value ${side}` },
    element('code', { text: `%${string(document, values.name[value])}` }),
    element('span', { class: 'type', text: typeText(document, value) }),
    alias >= 0
      ? element('div', {
          class: 'faint',
          text: `shares storage with %${string(document, values.name[alias])}`,
        })
      : null,
    links.length > 0 ? element('div', { class: 'links' }, ...links) : null,
  );
}

function valueList(h: Hierarchy, list: number[], jump: Jump, side: 'in' | 'out'): HTMLElement {
  const rows = list.slice(0, MOST_ROWS).map((value) => valueRow(h, value, jump, side));
  if (list.length > MOST_ROWS) {
    rows.push(element('li', { class: 'faint', text: `and ${list.length - MOST_ROWS} more` }));
  }
  return element('ul', { class: 'values' }, ...rows);
}

function warningItem(h: Hierarchy, index: number, jump: Jump | null): HTMLElement {
  const { document } = h;
  const warning = document.warnings[index];
  const taints = warning.taints.map((value) => `%${string(document, document.values.name[value])}`);
  return element(
    'li',
    { class: 'warning' },
    element('strong', { text: warning.kind }),
    element('span', { text: ` ${warning.message}` }),
    warning.value ? element('div', { class: 'faint', text: `frozen as ${warning.value}` }) : null,
    taints.length > 0
      ? element('div', {
          class: 'faint',
          text: `affects ${plural(taints.length, 'output')}: ${taints.slice(0, 12).join(', ')}`,
        })
      : null,
    warning.source >= 0 && jump === null ? sourceView(document, warning.source) : null,
    jump !== null && warning.node >= 0
      ? element(
          'div',
          { class: 'links' },
          element('span', { class: 'faint', text: 'at ' }),
          jumpButton(warning.node, elementText(h, warning.node), jump),
          warning.source >= 0
            ? element('span', { class: 'faint', text: ` ${sourceTitle(document, warning.source)}` })
            : null,
        )
      : null,
  );
}

function warningsWhere(h: Hierarchy, keep: (node: number) => boolean): number[] {
  return h.document.warnings.flatMap((warning, index) => (keep(warning.node) ? [index] : []));
}

function warningSection(h: Hierarchy, list: number[], jump: Jump | null): HTMLElement | null {
  if (list.length === 0) {
    return null;
  }
  return section(
    plural(list.length, 'warning'),
    element(
      'ul',
      { class: 'warnings' },
      ...list.slice(0, MOST_ROWS).map((index) => warningItem(h, index, jump)),
    ),
  );
}

function argumentTable(h: Hierarchy, node: number): HTMLElement | null {
  const rows = h.document.nodes.arguments[node];
  if (rows.length === 0) {
    return null;
  }
  const list = element('dl', { class: 'facts mono' });
  for (const [name, value] of rows.slice(0, MOST_ROWS)) {
    list.append(
      element('dt', { text: string(h.document, name) }),
      element('dd', { text: string(h.document, value) }),
    );
  }
  return section('Arguments', list);
}

function nodeDetails(h: Hierarchy, node: number, jump: Jump): Node[] {
  const { document } = h;
  const { nodes } = document;
  const kind = string(document, nodes.kind[node]);
  const schema = string(document, nodes.schema[node]);
  const source = nodes.source[node];
  const stack = source < 0 ? [] : frames(document, source);
  const scope = nodes.scope[node];
  const parts: (Node | null)[] = [
    element('h2', { text: shortKind(kind) }),
    nodes.failed === node
      ? element('p', { class: 'failed', text: '✕ This operator raised an error.' })
      : null,
    facts([
      ['kind', kind],
      ['module', scope === 0 ? scopeName(h, 0) : h.paths[scope]],
      ['class', scopeClass(h, scope)],
    ]),
    schema ? element('pre', { class: 'code schema', text: schema }) : null,
    warningSection(
      h,
      warningsWhere(h, (at) => at === node),
      null,
    ),
    argumentTable(h, node),
    nodes.inputs[node].length > 0
      ? section('Inputs', valueList(h, [...new Set(nodes.inputs[node])], jump, 'in'))
      : null,
    nodes.outputs[node].length > 0
      ? section('Outputs', valueList(h, nodes.outputs[node], jump, 'out'))
      : null,
    stack.length > 0 ? section('Source', sourceView(document, stack[0])) : null,
    stack.length > 1
      ? section('Called from', ...stack.slice(1, 30).map((frame) => sourceView(document, frame)))
      : null,
  ];
  return parts.filter((part): part is Node => part !== null);
}

/** Parameters and buffers that a scope's operators read. */
function parametersIn(h: Hierarchy, scope: number): number[] {
  const { nodes, scopes, values } = h.document;
  const inside = new Uint8Array(h.scopes);
  inside[scope] = 1;
  for (let at = scope + 1; at < h.scopes; at++) {
    inside[at] = inside[scopes.parent[at]];
  }
  const found = new Set<number>();
  nodes.inputs.forEach((list, node) => {
    if (inside[nodes.scope[node]]) {
      list.filter((value) => values.role[value] >= Role.Parameter).forEach((value) => found.add(value));
    }
  });
  return [...found];
}

function kindCounts(h: Hierarchy, scope: number): HTMLElement {
  const { document } = h;
  const inside = new Uint8Array(h.scopes);
  inside[scope] = 1;
  for (let at = scope + 1; at < h.scopes; at++) {
    inside[at] = inside[document.scopes.parent[at]];
  }
  const counts = new Map<string, number>();
  document.nodes.kind.forEach((kind, node) => {
    if (inside[document.nodes.scope[node]]) {
      const name = shortKind(string(document, kind));
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  });
  const sorted = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  return facts(sorted.slice(0, 30).map(([name, count]) => [name, String(count)]));
}

function groupDetails(h: Hierarchy, scope: number, jump: Jump): Node[] {
  const { document } = h;
  const parameters = parametersIn(h, scope);
  const inside = (node: number): boolean => {
    for (let at = node < 0 ? -1 : document.nodes.scope[node]; at >= 0; at = document.scopes.parent[at]) {
      if (at === scope) {
        return true;
      }
    }
    return false;
  };
  const parts: (Node | null)[] = [
    element('h2', { text: scopeName(h, scope) }),
    facts([
      ['class', scopeClass(h, scope)],
      ['path', h.paths[scope]],
      ['operators', h.opCount[scope].toLocaleString('en-US')],
      ['parameters', h.parameterCount[scope].toLocaleString('en-US')],
    ]),
    warningSection(h, warningsWhere(h, inside), jump),
    section('Operators', kindCounts(h, scope)),
    parameters.length > 0 ? section('Parameters and buffers', parameterList(h, parameters)) : null,
  ];
  return parts.filter((part): part is Node => part !== null);
}

function parameterList(h: Hierarchy, list: number[]): HTMLElement {
  const { document } = h;
  const rows = list.slice(0, MOST_ROWS).map((value) => {
    const path = string(document, document.values.path[value]);
    return element(
      'li',
      { class: 'value' },
      element('code', { text: path || `%${string(document, document.values.name[value])}` }),
      element('span', { class: 'type', text: typeText(document, value) }),
    );
  });
  if (list.length > MOST_ROWS) {
    rows.push(element('li', { class: 'faint', text: `and ${list.length - MOST_ROWS} more` }));
  }
  return element('ul', { class: 'values' }, ...rows);
}

function pillDetails(h: Hierarchy, at: Element, jump: Jump): Node[] {
  const value = pillValue(h, at);
  const kind = kindOf(h, at);
  const warnings = h.document.warnings.flatMap((warning, index) =>
    kind === 'output' && warning.taints.includes(value) ? [index] : [],
  );
  const parts: (Node | null)[] = [
    element('h2', { text: string(h.document, h.document.values.name[value]) }),
    facts([['kind', `graph ${kind}`]]),
    warningSection(h, warnings, jump),
    section('Value', valueList(h, [value], jump, kind === 'input' ? 'out' : 'in')),
  ];
  return parts.filter((part): part is Node => part !== null);
}

function bytesText(bytes: number): string {
  return bytes >= 1e9
    ? `${(bytes / 1e9).toFixed(2)} GB`
    : bytes >= 1e6
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${compact(bytes)} bytes`;
}

function graphDetails(h: Hierarchy, jump: Jump): Node[] {
  const { document } = h;
  const { summary } = document;
  const failed = document.nodes.failed ?? -1;
  const parts: (Node | null)[] = [
    element('h2', { text: document.name }),
    failed >= 0
      ? element(
          'p',
          { class: 'failed' },
          element('span', { text: '✕ The call failed at ' }),
          jumpButton(failed, elementText(h, failed), jump),
        )
      : null,
    facts([
      ['class', scopeClass(h, 0)],
      ['operators', summary.ops.toLocaleString('en-US')],
      ['parameters', summary.parameters.toLocaleString('en-US')],
      ['in memory', summary.parameter_bytes > 0 ? bytesText(summary.parameter_bytes) : ''],
      ['torch', document.torch],
    ]),
    warningSection(
      h,
      document.warnings.map((_, index) => index),
      jump,
    ),
    h.inputs.length > 0 ? section('Inputs', valueList(h, h.inputs, jump, 'out')) : null,
    h.outputs.length > 0 ? section('Outputs', valueList(h, h.outputs, jump, 'in')) : null,
    h.nodes > 0 ? section('Operators', kindCounts(h, 0)) : null,
  ];
  return parts.filter((part): part is Node => part !== null);
}

/** The contents of the panel; -1 stands for the whole graph. */
export function details(h: Hierarchy, selected: Element, jump: Jump): Node[] {
  if (selected < 0) {
    return graphDetails(h, jump);
  }
  switch (kindOf(h, selected)) {
    case 'op':
      return nodeDetails(h, selected, jump);
    case 'group':
      return groupDetails(h, scopeOf(h, selected), jump);
    default:
      return pillDetails(h, selected, jump);
  }
}

export function detailsFeature(view: View): void {
  const { panel, keys, toolbar } = view;
  const toggle = (): void => {
    if (panel.shown) {
      view.closePanel();
    } else {
      view.openPanel(undefined, true);
    }
  };
  panel.add({
    id: 'details',
    title: 'Details',
    order: 0,
    render: () => (view.graph === null ? [] : details(view.graph, view.selected, (to) => void view.goTo(to))),
  });
  toolbar.add({ label: 'Details (i)', face: icon('details'), order: ORDER.panel, run: toggle });
  keys.bind({ keys: ['i'], help: ['i', 'show or hide details'], anywhere: true, run: toggle });
}
