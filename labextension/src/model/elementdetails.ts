/** The details of an element as rows of text: for comparing, for tooltips, for the clipboard, for the accessibility tree. */

import * as strings from '../i18n/strings';
import { integerText } from '../i18n/translation';
import { Role } from '../protocol/viewdocument';
import { bundleOf } from './bundles';
import {
  boundaryText,
  contentsText,
  labelOf,
  operatorText,
  repeatText,
  scopeClass,
  shapeText,
  string,
  tracedShape,
  withExpressions,
} from './describe';
import {
  kindOf,
  producerOf,
  outputElement,
  outputsOf,
  boundaryValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';
import { groupEdges } from './traversal';

/** An input or an output of an operator. */
interface Flow {
  isInput: boolean;
  name: string;
  /** What two of them are compared by: names differ from value to value. */
  type: string;
}

export type Detail = [name: string, text: string, flow?: Flow];

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
  return strings.bytes(bytes);
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

function typeParts(h: Hierarchy, value: number): string[] {
  const { document } = h;
  const { values } = document;
  return [
    string(document, values.type[value]) + shapeText(h, value),
    string(document, values.dtype[value]),
    string(document, values.device[value]),
  ].filter(Boolean);
}

/** `Tensor[1, 64] · float32 · cpu`. */
export const typeText = (h: Hierarchy, value: number): string => typeParts(h, value).join(' · ');

/** `gradient of fc1.weight`; empty for all but gradients. */
function gradientText(h: Hierarchy, value: number): string {
  const { document } = h;
  const of = h.gradientMaker.has(value) ? document.nodes.inputs[document.values.node[value]][0] : -1;
  return of < 0 ? '' : strings.gradientOf(string(document, document.values.path[of]) || valueName(h, of));
}

/** As `typeText`, with the sizes at the trace where these have names, and strides where it does not lie densely. */
export function fullType(h: Hierarchy, value: number): string {
  const strides = h.strides.has(value) ? stridesOf(h, value) : null;
  const note = h.strides.has(value)
    ? strides === null
      ? strings.noStrides()
      : strings.strides(strides.join(', '))
    : '';
  const traced = h.sizeNames.has(value) ? strings.tracedSizes(tracedShape(h.document, value)) : '';
  return [typeText(h, value), traced, note, gradientText(h, value)].filter(Boolean).join(' · ');
}

export function elementText(h: Hierarchy, at: Element): string {
  const label = labelOf(h, at);
  return kindOf(h, at) === 'op' ? operatorText(label) : label.title;
}

/** From the outermost module on: `h.4.mlp.act: add`, or the path of a group. */
export function pathText(h: Hierarchy, at: Element): string {
  const label = labelOf(h, at);
  return kindOf(h, at) === 'op'
    ? operatorText({ ...label, subtitle: h.paths[h.document.nodes.scope[at]] })
    : h.paths[scopeOf(h, at)] || label.title;
}

/** What makes a value, where an element does: `graph input`, `fc1: linear`. */
export const producerName = (h: Hierarchy, maker: Element): string =>
  kindOf(h, maker) === 'input' ? strings.graphInput() : elementText(h, maker);

const valueProducerText = (h: Hierarchy, value: number): string =>
  producerOf(h, value) < 0 ? originText(h, value) : producerName(h, producerOf(h, value));

/** `parameter fc1.weight`, `graph input` or `from fc1: linear`. */
export function originText(h: Hierarchy, value: number): string {
  const { document } = h;
  const { values } = document;
  const path = string(document, values.path[value]);
  const maker = producerOf(h, value);
  if (maker >= 0) {
    return kindOf(h, maker) === 'input' ? strings.graphInput() : strings.fromProducer(elementText(h, maker));
  }
  const role = values.role[value];
  return role === Role.Buffer
    ? strings.buffer(path)
    : role === Role.Parameter
      ? strings.parameter(path)
      : strings.constant(path);
}

/** `fc2: linear and 3 more`; empty where nothing uses the value. */
function usersText(h: Hierarchy, value: number): string {
  const users: Element[] = [
    ...h.users[value],
    ...(h.outputs.includes(value) ? [outputElement(h, h.outputs.indexOf(value))] : []),
  ];
  if (users.length === 0) {
    return '';
  }
  const first = kindOf(h, users[0]) === 'output' ? strings.graphOutput() : elementText(h, users[0]);
  return users.length > 1 ? strings.usersAndMore(first, users.length - 1) : first;
}

/** `used by fc2: linear and 3 more`. */
export function usageText(h: Hierarchy, value: number): string {
  const users = usersText(h, value);
  return users === '' ? strings.unused() : strings.usedByUsers(users);
}

export function placeText(h: Hierarchy, source: number): string {
  const { sources, files } = h.document;
  return source < 0 || sources.file[source] < 0
    ? ''
    : `${files[sources.file[source]].name}:${sources.line[source]}`;
}

const valueName = (h: Hierarchy, value: number): string =>
  `%${string(h.document, h.document.values.name[value])}`;

function flowDetail(h: Hierarchy, value: number, isInput: boolean): Detail {
  const name = valueName(h, value);
  const text = `${fullType(h, value)} · ${isInput ? originText(h, value) : usageText(h, value)}`;
  const flow = { isInput, name, type: typeParts(h, value).slice(0, 2).join() };
  return [isInput ? strings.input(name) : strings.output(name), text, flow];
}

/** Everything about an element that can stand in a table, in the order of the details. */
export function detailsOf(h: Hierarchy, at: Element): Detail[] {
  const { document } = h;
  const { nodes } = document;
  switch (kindOf(h, at)) {
    case 'op':
      return [
        [strings.operator(), string(document, nodes.kind[at])],
        [strings.module(), h.paths[nodes.scope[at]] || document.name],
        [strings.classLabel(), scopeClass(h, nodes.scope[at])],
        ...nodes.arguments[at].map(([name, text]): Detail => [
          string(document, name),
          withExpressions(h, at, string(document, text)),
        ]),
        ...[...new Set(nodes.inputs[at])].map((value) => flowDetail(h, value, true)),
        ...outputsOf(h, at).map((value) => flowDetail(h, value, false)),
        [strings.source(), placeText(h, nodes.source[at])],
        ...document.warnings.flatMap(({ node, kind, message }): Detail[] =>
          node === at ? [[strings.warningOf(kind), message]] : [],
        ),
      ];
    case 'group': {
      const scope = scopeOf(h, at);
      if (bundleOf(h, scope) !== undefined) {
        return [[strings.kind(), contentsText(h, scope)]];
      }
      return [
        [strings.module(), h.paths[scope] || document.name],
        [strings.classLabel(), scopeClass(h, scope)],
        [strings.repeated(), repeatText(h, scope)],
        [strings.operators(), integerText(h.opCount[scope])],
        [strings.parameters(), integerText(h.parameterCount[scope])],
        [strings.warningsName(), String(h.scopeWarnings[scope])],
      ];
    }
    default: {
      const value = boundaryValue(h, at);
      return [
        [strings.value(), valueName(h, value)],
        [strings.role(), boundaryText(h, at)],
        [strings.type(), fullType(h, value)],
        kindOf(h, at) === 'input'
          ? [strings.usedByName(), usersText(h, value) || strings.unused()]
          : [strings.producedByName(), valueProducerText(h, value)],
      ];
    }
  }
}

/** An element as plain text, one detail a line. */
export function textOf(h: Hierarchy, at: Element): string {
  const rows = detailsOf(h, at).filter(([, text]) => text !== '');
  const width = Math.min(24, Math.max(...rows.map(([name]) => name.length)));
  return [elementText(h, at), ...rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}`)].join('\n');
}

export interface Comparison {
  name: string;
  /** One text for each element; empty where it has no such detail. */
  texts: string[];
  same: boolean;
}

/** The details of several elements side by side; inputs and outputs are matched by their positions. */
export function compare(h: Hierarchy, elements: readonly Element[]): Comparison[] {
  const tables = elements.map((at) => {
    const count = new Map<string, number>();
    return new Map(
      detailsOf(h, at).map(([name, text, flow]) => {
        const base = flow === undefined ? name : flow.isInput ? ' input' : ' output';
        const number = (count.get(base) ?? 0) + 1;
        count.set(base, number);
        if (flow === undefined) {
          return [number > 1 ? `${name} ${number}` : name, { text, plain: text }];
        }
        const key = flow.isInput ? strings.numberedInput(number) : strings.numberedOutput(number);
        return [key, { text: `${flow.name} · ${text}`, plain: flow.type }];
      }),
    );
  });
  const names = [...new Set(tables.flatMap((table) => [...table.keys()]))];
  return names.map((name) => {
    const rows = tables.map((table) => table.get(name) ?? { text: '', plain: '' });
    return {
      name,
      texts: rows.map(({ text }) => text),
      same: rows.every(({ plain }) => plain === rows[0].plain),
    };
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
  return {
    label: strings.inputLine(name, typeText(h, value), originText(h, value)),
    to: producerOf(h, value),
  };
}

function given(h: Hierarchy, value: number): Port {
  const name = string(h.document, h.document.values.name[value]);
  const output = h.outputs.indexOf(value);
  return {
    label: strings.outputLine(name, typeText(h, value), usageText(h, value)),
    to: h.users[value][0] ?? (output >= 0 ? outputElement(h, output) : -1),
  };
}

export function ports(h: Hierarchy, at: Element): Port[] {
  const { nodes } = h.document;
  switch (kindOf(h, at)) {
    case 'op':
      return [
        ...[...new Set(nodes.inputs[at])].map((value) => taken(h, value)),
        ...outputsOf(h, at).map((value) => given(h, value)),
      ].slice(0, MOST);
    case 'group': {
      const { into, out } = groupEdges(h, scopeOf(h, at));
      return [...into.map((value) => taken(h, value)), ...out.map((value) => given(h, value))].slice(0, MOST);
    }
    case 'input':
      return [given(h, boundaryValue(h, at))];
    default:
      return [taken(h, boundaryValue(h, at))];
  }
}
