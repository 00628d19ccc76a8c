/** How elements are described: labels of boxes, names for screen readers. */

import * as strings from '../i18n/strings';
import { differenceCount, diffStatusOf, statusText } from './diff/differences';
import type { ViewDocument } from '../protocol/viewdocument';
import { bundleOf, isOfEnds } from './bundles';
import {
  kindOf,
  boundaryName,
  givenName,
  boundaryValue,
  inputOfOutput,
  isAffected,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';
import { repeatOf } from './repeats';
import { groupEdges } from './traversal';
import { isNamed } from './sizenames';

export const string = (document: ViewDocument, index: number): string =>
  index < 0 ? '' : document.strings[index];

const isBackward = ({ document }: Hierarchy, node: number): boolean =>
  document.nodes.backward?.includes(node) ?? false;

/** `aten::linear` -> `linear`; a Python function's `prim::PythonOp` keeps its own name. */
export function shortKind(kind: string): string {
  return kind.replace(/^.*::/, '') || kind;
}

/** `[2, 128, 64]`: the sizes at the trace; empty for what is no tensor. */
export function tracedShape(document: ViewDocument, value: number): string {
  const shape = document.values.shape[value];
  return shape < 0 ? '' : `[${document.shapes[shape].join(', ')}]`;
}

/** `[batch, length, 64]`, as far as sizes have names, else the sizes at the trace. */
export function shapeText(h: Hierarchy, value: number): string {
  const names = h.sizeNames.get(value);
  return names === undefined ? tracedShape(h.document, value) : `[${names.join(', ')}]`;
}

/** A label of more characters says the sizes at the trace: names are for reading at a glance. */
const LONGEST_NAMES = 30;

/** `batch×(length - 1)×64`; empty where nobody gave names to the sizes, or long ones. */
function namesSummary(h: Hierarchy, value: number): string {
  const names = h.sizeNames.get(value) ?? [];
  if (!isNamed(names)) {
    return '';
  }
  const text = names.map((name) => (/^[\p{L}\p{N}_.?…]+$/u.test(name) ? name : `(${name})`)).join('×');
  return text.length <= LONGEST_NAMES ? text : '';
}

/** What flows along an edge, in few characters: a shape, else a type. */
export function valueSummary(h: Hierarchy, value: number): string {
  const shape = tracedShape(h.document, value);
  if (shape === '[]') {
    return strings.scalar();
  }
  return shape === ''
    ? string(h.document, h.document.values.type[value])
    : namesSummary(h, value) || shape.slice(1, -1).replace(/, /g, '×');
}

export function isTensor(document: ViewDocument, value: number): boolean {
  return string(document, document.values.type[value]).includes('Tensor');
}

/** `11,689,512` as `11.7M`. */
export function compact(count: number): string {
  for (const [size, unit] of [
    [1e9, 'B'],
    [1e6, 'M'],
    [1e3, 'K'],
  ] as const) {
    if (count >= size) {
      const scaled = count / size;
      return `${scaled >= 100 ? Math.round(scaled) : scaled.toFixed(1)}${unit}`;
    }
  }
  return String(count);
}

/** What the code calls the one tensor that several operators make from sizes alone. */
function constantName(h: Hierarchy, scope: number): string {
  const [made, ...others] = groupEdges(h, scope).out;
  const { nodes, values } = h.document;
  const name = givenName(string(h.document, values.name[made] ?? -1));
  const isNamed =
    others.length === 0 && name !== shortKind(string(h.document, nodes.kind[values.node[made]] ?? -1));
  return isNamed && name !== '' ? name : strings.constants();
}

export function scopeName(h: Hierarchy, scope: number): string {
  const { document } = h;
  const { scopes } = document;
  if (scope === 0) {
    return document.name;
  }
  const repeat = repeatOf(h, scope);
  if (repeat !== undefined) {
    return `× ${repeat.members.length}`;
  }
  const bundle = bundleOf(h, scope);
  if (bundle !== undefined) {
    return isOfEnds(bundle)
      ? bundle.name
      : bundle.kind === 'unused'
        ? strings.unusedOps(h.opCount[scope])
        : constantName(h, scope);
  }
  const own = string(document, scopes.name[scope]);
  const call = scopes.call[scope];
  return call === 0 ? own : (h.isPhase[scope] ? strings.numbered : strings.call)(own, call + 1);
}

/** The class of a module; of repeated calls, which have none, what is called; of blocks of several classes their list. */
export function scopeClass(h: Hierarchy, scope: number): string {
  const { scopes } = h.document;
  const members = repeatOf(h, scope)?.members;
  const first = members?.[0];
  if (members?.some((member) => scopes.class_name[member] !== scopes.class_name[members[0]])) {
    return string(h.document, scopes.name[members[0]]).replace(/\.\d+$/, '');
  }
  const own = string(h.document, scopes.class_name[first ?? scope] ?? -1);
  return own === '' && first !== undefined ? string(h.document, scopes.name[first]) : own;
}

/**
 * `12 repeated blocks, 30 ops each`, or all their ops where they differ; empty for all but collapsed blocks. In a box,
 * whose title is `× 12`, `30 ops each`.
 */
export function repeatText(h: Hierarchy, scope: number, inBox = false): string {
  const members = repeatOf(h, scope)?.members;
  if (members === undefined) {
    return '';
  }
  const ops = h.opCount[members[0]];
  const alike = members.every((member) => h.opCount[member] === ops);
  const text = strings.ops(alike ? ops : h.opCount[scope]);
  const count = members.length;
  return inBox
    ? alike
      ? strings.each(text)
      : text
    : (alike ? strings.repeatedBlocks : strings.similarBlocks)(count, text);
}

/** What is in a group, in few words: `14 ops`, `12 repeated blocks, 30 ops each`, `16 outputs`. */
export function contentsText(h: Hierarchy, scope: number, inBox = false): string {
  const bundle = bundleOf(h, scope);
  return bundle === undefined || !isOfEnds(bundle)
    ? repeatText(h, scope, inBox) || strings.ops(h.opCount[scope])
    : (bundle.kind === 'inputs' ? strings.inputCount : strings.outputCount)(bundle.members.length);
}

/** The module that is drawn as an operator, its only one: `fc1` for the one `linear` inside it; -1: none. */
export function inlinedModule(h: Hierarchy, node: number): number {
  let scope = h.document.nodes.scope[node];
  if (scope <= 0 || !h.inlined[scope]) {
    return -1;
  }
  // Of several modules around one operator, the outermost is the one that the parent names.
  let module = h.isFunction[scope] ? -1 : scope;
  while (h.document.scopes.parent[scope] > 0 && h.inlined[h.document.scopes.parent[scope]]) {
    scope = h.document.scopes.parent[scope];
    module = h.isFunction[scope] ? module : scope;
  }
  return module;
}

/** How the text of an argument names a value. */
const NAME = /%([^\s,:()[\]{}]+)/g;

/** A text of arguments in which sizes stand as expressions: `[%size, -1]` is `[x.size(1), -1]`. */
export function withExpressions(h: Hierarchy, node: number, text: string): string {
  const { nodes, values } = h.document;
  const folded = nodes.inputs[node].filter((value) => h.expressions.has(value));
  const known = new Map(folded.map((value) => [string(h.document, values.name[value]), value]));
  return known.size === 0
    ? text
    : text.replace(NAME, (whole, name: string) => {
        const value = known.get(name);
        return value === undefined ? whole : h.expressions.get(value)!;
      });
}

/** A longer text of sizes says `size(0)` for `hidden_states.size(0)`. */
const LONGEST_SIZES = 24;

/** The sizes that an operator takes, where they are reckoned: `(batch, length, 3, 4, 8)`. */
function sizesText(h: Hierarchy, node: number): string {
  const { document } = h;
  const { nodes, values } = document;
  const isReckoned = (value: number): boolean =>
    h.expressions.has(value) && /^(int|float)$/.test(string(document, values.type[value]));
  const reckoned = h.expressions.size === 0 ? [] : nodes.inputs[node].filter(isReckoned);
  if (reckoned.length === 0) {
    return '';
  }
  const names = new Set(reckoned.map((value) => `%${string(document, values.name[value])}`));
  const given = nodes.arguments[node]
    .map(([, text]) => string(document, text))
    .filter((text) => text.match(NAME)?.some((name) => names.has(name)))
    .map((text) => withExpressions(h, node, text).replace(/^\[(.*)\]$/, '$1'));
  const text = `(${given.join(', ')})`;
  // Of which tensor the sizes are stands in the details.
  return text.length <= LONGEST_SIZES ? text : text.replace(/[^\s,:()[\]{}]+\.(?=size\(|numel\()/g, '');
}

/** Of how many tensors a node works out gradients that are read, however often. */
function gradientCount(h: Hierarchy, node: number): number {
  const { nodes, values } = h.document;
  return new Set(h.gradientsOf.get(node)?.map((value) => nodes.inputs[values.node[value]][0])).size;
}

/** The two lines of a box. */
export interface Label {
  title: string;
  /** Set after the title in a lighter color: the class of a group, the name of a module with one operator. */
  subtitle: string;
  detail: string;
}

/** An operator in one line: `fc1: linear`, `view(batch, length)`. */
export const operatorText = ({ title, subtitle }: Label): string =>
  subtitle === '' ? title : subtitle.startsWith('(') ? `${title}${subtitle}` : `${subtitle}: ${title}`;

export function labelOf(h: Hierarchy, element: Element): Label {
  const { document } = h;
  switch (kindOf(h, element)) {
    case 'op': {
      const outputs = document.nodes.outputs[element];
      const gradients = gradientCount(h, element);
      const more = outputs.length > 1 ? ` +${outputs.length - 1}` : '';
      const module = inlinedModule(h, element);
      return {
        title: isBackward(h, element)
          ? strings.backward()
          : shortKind(string(document, document.nodes.kind[element])),
        subtitle: module < 0 ? sizesText(h, element) : scopeName(h, module),
        detail:
          outputs.length === 0
            ? gradients > 0
              ? strings.gradients(gradients)
              : ''
            : valueSummary(h, outputs[0]) + more,
      };
    }
    case 'group': {
      const scope = scopeOf(h, element);
      const parameters = h.parameterCount[scope];
      const name = scopeName(h, scope);
      return {
        // Of a method the class stands in the group around it, or in the code.
        title: h.isFunction[scope] ? name.slice(name.lastIndexOf('.') + 1) : name,
        subtitle: scopeClass(h, scope),
        detail:
          bundleOf(h, scope)?.kind === 'unused'
            ? ''
            : contentsText(h, scope, true) +
              (parameters > 0 ? ` · ${strings.params(compact(parameters))}` : ''),
      };
    }
    default: {
      const value = boundaryValue(h, element);
      const input = inputOfOutput(h, element);
      return {
        title: boundaryName(h, element),
        subtitle: '',
        detail: valueSummary(h, value) + (input === '' ? '' : ` · ${strings.sameAsInput(input)}`),
      };
    }
  }
}

/** Of which kind a box is that stands for a value of the whole graph. */
export const boundaryText = (h: Hierarchy, element: Element): string =>
  kindOf(h, element) === 'input' ? strings.graphInput() : strings.graphOutput();

/** What became of an element, where there are two graphs and it is not the same. */
const difference = (h: Hierarchy, element: Element): string[] => {
  const mark = diffStatusOf(h, element);
  return mark === 0 ? [] : [statusText(mark)];
};

/** What a group is that is no module. */
export const callText = (h: Hierarchy, scope: number): string =>
  h.isPhase[scope] ? strings.trainingPhase() : strings.functionCall();

/** One line that says everything the picture of a box says. */
export function accessibleName(h: Hierarchy, element: Element, open: boolean): string {
  const label = labelOf(h, element);
  const kind = kindOf(h, element);
  if (kind === 'group') {
    const scope = scopeOf(h, element);
    const warnings = h.scopeWarnings[scope];
    return [
      label.subtitle ? `${label.title}: ${label.subtitle}` : label.title,
      ...(h.isFunction[scope] ? [callText(h, scope)] : []),
      open ? strings.openGroup() : strings.closedGroup(),
      contentsText(h, scope),
      ...difference(h, element),
      ...(differenceCount(h, scope) > 0 ? [strings.differences(differenceCount(h, scope))] : []),
      ...(warnings > 0 ? [strings.warnings(warnings)] : []),
      ...(h.scopeFailed[scope] ? [strings.failed()] : []),
      ...(isAffected(h, element) ? [strings.affectedByWarning()] : []),
    ].join(', ');
  }
  if (kind === 'op') {
    const warnings = h.nodeWarnings[element];
    return [
      operatorText(label),
      strings.operator(),
      ...difference(h, element),
      ...(label.detail ? [label.detail] : []),
      ...(warnings > 0 ? [strings.warnings(warnings)] : []),
      ...(h.document.nodes.failed === element ? [strings.failed()] : []),
    ].join(', ');
  }
  return [
    label.title,
    boundaryText(h, element),
    ...difference(h, element),
    ...(label.detail ? [label.detail] : []),
    ...(isAffected(h, element) ? [strings.affectedByWarning()] : []),
  ].join(', ');
}
