/** What is known of an element, as rows of text: for comparing, for tooltips, for the clipboard. */

import { Role } from '../protocol/document';
import { labelOf, plural, repeatText, scopeClass, shapeText, string } from './describe';
import {
  kindOf,
  makerOf,
  outputElement,
  pillValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';
import { groupEdges } from './reach';

export type Fact = [name: string, text: string];

const ELEMENT_BYTES: [RegExp, number][] = [
  [/^complex128$/, 16],
  [/^(float64|int64|uint64|complex64)$/, 8],
  [/^(float32|int32|uint32|complex32|qint32)$/, 4],
  [/^(float16|bfloat16|int16|uint16)$/, 2],
  [/^(bool|u?int8|qu?int8|float8.*)$/, 1],
];

/** Bytes that a tensor's elements take; -1 where the type does not tell. */
export function bytesOf(h: Hierarchy, value: number): number {
  const { values, shapes } = h.document;
  const dtype = string(h.document, values.dtype[value]);
  const size = ELEMENT_BYTES.find(([pattern]) => pattern.test(dtype))?.[1];
  return size === undefined || values.shape[value] < 0
    ? -1
    : shapes[values.shape[value]].reduce((product, extent) => product * Math.max(0, extent), size);
}

export function bytesText(bytes: number): string {
  for (const [size, unit] of [
    [1e9, 'GB'],
    [1e6, 'MB'],
    [1e3, 'kB'],
  ] as const) {
    if (bytes >= size) {
      return `${(bytes / size).toFixed(bytes >= 100 * size ? 0 : 1)} ${unit}`;
    }
  }
  return plural(bytes, 'byte');
}

/** The steps of a tensor that lies densely, row after row. */
function denseStrides(shape: number[]): number[] {
  const strides: number[] = [];
  let step = 1;
  for (let at = shape.length - 1; at >= 0; at--) {
    strides.unshift(step);
    step *= Math.max(1, shape[at]);
  }
  return strides;
}

/** A tensor's strides; null for other values and for layouts that have none. */
export function stridesOf(h: Hierarchy, value: number): number[] | null {
  const { values, shapes } = h.document;
  if (values.shape[value] < 0) {
    return null;
  }
  const row = h.strides.get(value);
  return row === undefined ? denseStrides(shapes[values.shape[value]]) : row < 0 ? null : shapes[row];
}

/** `Tensor[1, 64] · float32 · cpu`. */
export function typeText(h: Hierarchy, value: number): string {
  const { document } = h;
  const { values } = document;
  return [
    string(document, values.type[value]) + shapeText(document, value),
    string(document, values.dtype[value]),
    string(document, values.device[value]),
  ]
    .filter(Boolean)
    .join(' · ');
}

/** As `typeText`, with strides where the tensor does not lie densely. */
export function fullType(h: Hierarchy, value: number): string {
  const strides = h.strides.has(value) ? stridesOf(h, value) : null;
  const note = h.strides.has(value)
    ? strides === null
      ? 'no strides'
      : `strides [${strides.join(', ')}]`
    : '';
  return [typeText(h, value), note].filter(Boolean).join(' · ');
}

export function elementText(h: Hierarchy, at: Element): string {
  const label = labelOf(h, at);
  return label.aside && kindOf(h, at) === 'op' ? `${label.aside}: ${label.title}` : label.title;
}

/** `%weight, parameter fc1.weight` or `%x, graph input` or `%h, from fc1: linear`. */
export function originText(h: Hierarchy, value: number): string {
  const { document } = h;
  const { values } = document;
  const path = string(document, values.path[value]);
  const maker = makerOf(h, value);
  if (maker >= 0) {
    return kindOf(h, maker) === 'input' ? 'graph input' : `from ${elementText(h, maker)}`;
  }
  const role = values.role[value];
  const noun = role === Role.Buffer ? 'buffer' : role === Role.Parameter ? 'parameter' : 'constant';
  return path ? `${noun} ${path}` : noun;
}

/** `to fc2: linear and 3 more`. */
export function usersText(h: Hierarchy, value: number): string {
  const users: Element[] = [
    ...h.users[value],
    ...(h.outputs.includes(value) ? [outputElement(h, h.outputs.indexOf(value))] : []),
  ];
  if (users.length === 0) {
    return 'not used';
  }
  const first = kindOf(h, users[0]) === 'output' ? 'graph output' : elementText(h, users[0]);
  return `to ${first}${users.length > 1 ? ` and ${users.length - 1} more` : ''}`;
}

export function placeText(h: Hierarchy, source: number): string {
  const { sources, files } = h.document;
  return source < 0 || sources.file[source] < 0
    ? ''
    : `${files[sources.file[source]].name}:${sources.line[source]}`;
}

const valueName = (h: Hierarchy, value: number): string =>
  `%${string(h.document, h.document.values.name[value])}`;

/** Everything about an element that can stand in a table, in the order of the details. */
export function factsOf(h: Hierarchy, at: Element): Fact[] {
  const { document } = h;
  const { nodes } = document;
  switch (kindOf(h, at)) {
    case 'op':
      return [
        ['operator', string(document, nodes.kind[at])],
        ['module', h.paths[nodes.scope[at]] || document.name],
        ['class', scopeClass(h, nodes.scope[at])],
        ...nodes.arguments[at].map(([name, text]): Fact => [string(document, name), string(document, text)]),
        ...[...new Set(nodes.inputs[at])].map((value): Fact => [
          `takes ${valueName(h, value)}`,
          `${fullType(h, value)} · ${originText(h, value)}`,
        ]),
        ...nodes.outputs[at].map((value): Fact => [
          `gives ${valueName(h, value)}`,
          `${fullType(h, value)} · ${usersText(h, value)}`,
        ]),
        ['source', placeText(h, nodes.source[at])],
        ...document.warnings.flatMap(({ node, kind, message }): Fact[] =>
          node === at ? [[`warning ${kind}`, message]] : [],
        ),
      ];
    case 'group': {
      const scope = scopeOf(h, at);
      return [
        ['module', h.paths[scope] || document.name],
        ['class', scopeClass(h, scope)],
        ['folded', repeatText(h, scope)],
        ['operators', h.opCount[scope].toLocaleString('en-US')],
        ['parameters', h.parameterCount[scope].toLocaleString('en-US')],
        ['warnings', String(h.scopeWarnings[scope])],
      ];
    }
    default: {
      const value = pillValue(h, at);
      return [
        ['value', valueName(h, value)],
        ['role', `graph ${kindOf(h, at)}`],
        ['type', fullType(h, value)],
        kindOf(h, at) === 'input' ? ['used', usersText(h, value)] : ['made', originText(h, value)],
      ];
    }
  }
}

/** An element as plain text, one fact a line. */
export function textOf(h: Hierarchy, at: Element): string {
  const rows = factsOf(h, at).filter(([, text]) => text !== '');
  const width = Math.min(24, Math.max(...rows.map(([name]) => name.length)));
  return [elementText(h, at), ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join('\n');
}

export interface Comparison {
  name: string;
  /** One text for each element; empty where it has no such fact. */
  texts: string[];
  same: boolean;
}

/** The facts of several elements side by side; what is taken and given is matched by its place. */
export function compare(h: Hierarchy, elements: readonly Element[]): Comparison[] {
  const tables = elements.map((at) => {
    const count = new Map<string, number>();
    return new Map(
      factsOf(h, at).map(([name, text]) => {
        const [, verb, value] = /^(takes|gives) (%.*)$/s.exec(name) ?? [];
        const base = verb ?? name;
        const number = (count.get(base) ?? 0) + 1;
        count.set(base, number);
        const key = verb !== undefined || number > 1 ? `${base} ${number}` : base;
        return [key, value === undefined ? text : `${value} · ${text}`];
      }),
    );
  });
  const names = [...new Set(tables.flatMap((table) => [...table.keys()]))];
  return names.map((name) => {
    const texts = tables.map((table) => table.get(name) ?? '');
    // Names differ from value to value: what matters is the type.
    const plain = texts.map((text) =>
      /^(takes|gives) /.test(name) ? text.split(' · ').slice(1, 3).join() : text,
    );
    return { name, texts, same: plain.every((text) => text === plain[0]) };
  });
}

export interface Port {
  label: string;
  /** Who made or first uses the value; -1 where that is nothing to go to. */
  to: Element;
}

const MOST = 60;

function taken(h: Hierarchy, value: number): Port {
  const name = string(h.document, h.document.values.name[value]);
  return { label: `takes ${name}: ${typeText(h, value)}, ${originText(h, value)}`, to: makerOf(h, value) };
}

function given(h: Hierarchy, value: number): Port {
  const name = string(h.document, h.document.values.name[value]);
  const output = h.outputs.indexOf(value);
  return {
    label: `gives ${name}: ${typeText(h, value)}, ${usersText(h, value)}`,
    to: h.users[value][0] ?? (output >= 0 ? outputElement(h, output) : -1),
  };
}

export function ports(h: Hierarchy, at: Element): Port[] {
  const { nodes } = h.document;
  switch (kindOf(h, at)) {
    case 'op':
      return [
        ...[...new Set(nodes.inputs[at])].map((value) => taken(h, value)),
        ...nodes.outputs[at].map((value) => given(h, value)),
      ].slice(0, MOST);
    case 'group': {
      const { into, out } = groupEdges(h, scopeOf(h, at));
      return [...into.map((value) => taken(h, value)), ...out.map((value) => given(h, value))].slice(0, MOST);
    }
    case 'input':
      return [given(h, pillValue(h, at))];
    default:
      return [taken(h, pillValue(h, at))];
  }
}
