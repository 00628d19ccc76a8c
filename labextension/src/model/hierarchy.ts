/**
 * The document as a tree of things a person can see, with the dataflow between them.
 *
 * An *element* is one integer: operators come first (an operator's element is its node index), then groups
 * (module calls), then the graph's inputs, then its outputs. One number serves the layout, the canvas, the
 * accessibility tree and the selection.
 */

import { Role, type ViewDocument } from '../protocol/viewdocument';
import { bundleOf, findBundles, isOfEnds, type Bundle } from './bundles';
import { documentSizeNames, type SizeNames } from './sizenames';
import { findRepeats, collapseByDefault, type Repeat } from './repeats';

export type Element = number;
export type ElementKind = 'op' | 'group' | 'input' | 'output';

/** What of a graph is drawn as it stands, or steps aside. */
export interface Story {
  /** Calls of functions are groups. */
  readonly functions: boolean;
  /** Arithmetic on sizes is part of what uses it, what changes nothing part of what made its tensor. */
  readonly foldSizes: boolean;
  /** What nothing depends on is one note, what is made from sizes alone another. */
  readonly foldUnused: boolean;
  /** Parts of training loops are groups; switches of modes, and reads and writes of gradients, are no boxes. */
  readonly training: boolean;
  /** Sizes are shown by name, where their names are known. */
  readonly nameSizes: boolean;
}

export const STORY: Story = {
  functions: true,
  foldSizes: true,
  foldUnused: true,
  training: true,
  nameSizes: true,
};

export interface Hierarchy {
  readonly document: ViewDocument;
  readonly story: Story;
  /** The names of sizes as they are shown; the kernel may tell them after the first picture. */
  sizeNames: SizeNames;
  readonly nodes: number;
  /** The document's scopes, and after them those of `repeats` and `bundles`. */
  readonly scopes: number;
  /** Repeated blocks in a row, which can be collapsed into one group: see `repeats.ts`. */
  readonly repeats: readonly Repeat[];
  /** Inputs and outputs of one structure, each in a group: see `bundles.ts`. */
  readonly bundles: readonly Bundle[];
  /** Values of the user's own inputs (parameters and buffers are no boxes). */
  readonly inputs: number[];
  /** The place of each such value in `inputs`. */
  readonly inputIndex: ReadonlyMap<number, number>;
  readonly outputs: number[];
  /** Elements inside each scope, in trace order; inlined and empty scopes are in no list. */
  readonly children: Element[][];
  /** The scope in which each element is drawn. */
  readonly parent: Int32Array;
  /** Scopes of the document that are calls of functions. */
  readonly isFunction: Uint8Array;
  /** Those of them that are parts of a training loop, and no calls. */
  readonly isPhase: Uint8Array;
  /** For a node that is part of what uses it, or beside which it stands, that node; else -1. */
  readonly foldedInto: Int32Array;
  /** For the gradients that are read, and for tensors that nodes give back as they are: the nodes that made them. */
  readonly gradientMaker: ReadonlyMap<number, number>;
  readonly passedOn: ReadonlyMap<number, number>;
  /** What these nodes made so. */
  readonly gradientsOf: ReadonlyMap<number, readonly number[]>;
  /** The expressions of the values that such nodes make. */
  readonly expressions: ReadonlyMap<number, string>;
  /** Scopes with a single operator: drawn as that operator, since a frame around one box says nothing. */
  readonly inlined: Uint8Array;
  readonly opCount: Int32Array;
  readonly parameterCount: Float64Array;
  /** Warnings at or below each scope, and at each node. */
  readonly scopeWarnings: Int32Array;
  readonly nodeWarnings: Int32Array;
  /** Scopes that hold the failed node. */
  readonly scopeFailed: Uint8Array;
  /** Values that depend on something a warning is about. */
  readonly affected: ReadonlySet<number>;
  /** The nodes that read each value. */
  readonly users: number[][];
  readonly paths: string[];
  /** Strides, as a row of `shapes`, of the tensors that do not lie densely; -1 where the layout has none. */
  readonly strides: ReadonlyMap<number, number>;
}

export function kindOf(h: Hierarchy, element: Element): ElementKind {
  if (element < h.nodes) {
    return 'op';
  }
  if (element < h.nodes + h.scopes) {
    return 'group';
  }
  return element < h.nodes + h.scopes + h.inputs.length ? 'input' : 'output';
}

export const groupElement = (h: Hierarchy, scope: number): Element => h.nodes + scope;
export const scopeOf = (h: Hierarchy, element: Element): number => element - h.nodes;
export const inputElement = (h: Hierarchy, index: number): Element => h.nodes + h.scopes + index;
export const outputElement = (h: Hierarchy, index: number): Element =>
  h.nodes + h.scopes + h.inputs.length + index;

/** The element that is drawn for one: what uses a size, for the arithmetic on it. */
export const drawnAs = (h: Hierarchy, element: Element): Element =>
  element >= 0 && element < h.nodes && h.foldedInto[element] >= 0 ? h.foldedInto[element] : element;

/** Where an element stands in the trace: inputs first, a group before what is in it, outputs last. */
export function tracePosition(h: Hierarchy, element: Element): number {
  const kind = kindOf(h, element);
  if (kind === 'input' || kind === 'output') {
    return kind === 'input' ? -1 : h.nodes;
  }
  const bundle = kind === 'group' ? bundleOf(h, scopeOf(h, element)) : undefined;
  if (bundle !== undefined && isOfEnds(bundle)) {
    return bundle.kind === 'inputs' ? -1 : h.nodes;
  }
  let first = element;
  let depth = 0;
  while (first >= h.nodes) {
    const scope = scopeOf(h, first);
    // Of a row that is not collapsed, the blocks are in the group around it.
    first = h.children[scope][0] ?? groupElement(h, h.repeats.find((row) => row.scope === scope)!.members[0]);
    depth++;
  }
  return first - depth / (h.scopes + 1);
}

/** The value of a graph input or output. */
export function boundaryValue(h: Hierarchy, element: Element): number {
  const index = element - h.nodes - h.scopes;
  return index < h.inputs.length ? h.inputs[index] : h.outputs[index - h.inputs.length];
}

const outputName = ({ output_names, outputs, values, strings }: ViewDocument, index: number): string => {
  const path = output_names?.[index] ?? -1;
  if (path >= 0) {
    return strings[path];
  }
  const name = strings[values.name[outputs[index]]];
  const given = givenName(name);
  const isAmong = (value: number, at: number): boolean =>
    at !== index && givenName(strings[values.name[value]]) === given;
  return outputs.some(isAmong) ? name : given;
};

/** The name that the code gave to a value: `x` of `x.159`, where other values have it, too. */
export const givenName = (name: string): string => name.replace(/\.\d+$/, '');

/** What it is called: an output by its path in the result, where it has one. */
export function boundaryName(h: Hierarchy, element: Element): string {
  const { document } = h;
  const index = element - h.nodes - h.scopes - h.inputs.length;
  return index < 0
    ? document.strings[document.values.name[boundaryValue(h, element)]]
    : outputName(document, index);
}

/** -1 for the graph's inputs, 1 for its outputs, also where a box stands for several of them; else 0. */
export function endOf(h: Hierarchy, element: Element): -1 | 0 | 1 {
  const kind = kindOf(h, element);
  const bundle = kind === 'group' ? bundleOf(h, scopeOf(h, element))?.kind : undefined;
  return kind === 'input' || bundle === 'inputs' ? -1 : kind === 'output' || bundle === 'outputs' ? 1 : 0;
}

/** Whether it is an output, or a box of outputs, that depends on something a warning is about. */
export const isAffected = (h: Hierarchy, element: Element): boolean =>
  kindOf(h, element) === 'output'
    ? h.affected.has(boundaryValue(h, element))
    : kindOf(h, element) === 'group' &&
      bundleOf(h, scopeOf(h, element)) !== undefined &&
      h.children[scopeOf(h, element)].some((member) => isAffected(h, member));

/** The input that an output is, unchanged: its name; empty for any other element. */
export function inputOfOutput(h: Hierarchy, element: Element): string {
  const value = kindOf(h, element) === 'output' ? boundaryValue(h, element) : -1;
  return h.inputIndex.has(value) ? h.document.strings[h.document.values.name[value]] : '';
}

/** The element that produces a value: an operator or a graph input; -1 for parameters and buffers. */
export function producerOf(h: Hierarchy, value: number): Element {
  const node = h.gradientMaker.get(value) ?? h.passedOn.get(value) ?? h.document.values.node[value];
  if (node >= 0) {
    return node;
  }
  const index = h.inputIndex.get(value);
  return index === undefined ? -1 : inputElement(h, index);
}

/** What a node makes: of one that works out gradients, those that are read. */
export const outputsOf = (h: Hierarchy, node: number): readonly number[] => [
  ...h.document.nodes.outputs[node],
  ...(h.gradientsOf.get(node) ?? []),
];

function modulePaths(
  document: ViewDocument,
  repeats: readonly Repeat[],
  bundles: readonly Bundle[],
  isFunction: Uint8Array,
): string[] {
  const { parent, name, call } = document.scopes;
  const paths: string[] = [];
  /** A module is called as the module around it calls it, whatever function does that. */
  const around = (scope: number): number => {
    let at = parent[scope];
    while (!isFunction[scope] && isFunction[at]) {
      at = parent[at];
    }
    return at;
  };
  for (let scope = 0; scope < parent.length; scope++) {
    const own = name[scope] < 0 ? '' : document.strings[name[scope]];
    const again = call[scope] > 0 ? `#${call[scope] + 1}` : '';
    const above = around(scope) > 0 ? `${paths[around(scope)]}.` : '';
    paths.push(scope === 0 ? '' : `${above}${own}${again}`);
  }
  for (const { members } of repeats) {
    const last = paths[members[members.length - 1]];
    paths.push(`${paths[members[0]]}…${last.slice(last.lastIndexOf('.') + 1)}`);
  }
  bundles.forEach((bundle) =>
    paths.push(`${bundle.kind}:${isOfEnds(bundle) ? bundle.name : paths[Number(bundle.name)]}`),
  );
  return paths;
}

function elementsIn(document: ViewDocument, shape: number): number {
  return shape < 0 ? 0 : document.shapes[shape].reduce((product, size) => product * Math.max(0, size), 1);
}

/** Of two graphs every input and output stands by itself: each may have become another. */
function boundaryBundles(document: ViewDocument, inputs: number[], first: number): Bundle[] {
  if (document.diff !== undefined) {
    return [];
  }
  const named = inputs.map((value) => document.strings[document.values.name[value]]);
  const taken = findBundles('inputs', named, first);
  const given = document.outputs.map((_, index) => outputName(document, index));
  return [...taken, ...findBundles('outputs', given, first + taken.length)];
}

/** For each node that only reckons with sizes the node that uses the result, of several the first. */
function foldingOf({ nodes }: ViewDocument, rows: readonly (readonly [number, number])[]): Int32Array {
  const foldedInto = new Int32Array(nodes.kind.length).fill(-1);
  if (rows.length === 0) {
    return foldedInto;
  }
  const makers = new Map(
    rows.flatMap(([node]) => nodes.outputs[node].map((value) => [value, node] as const)),
  );
  for (let node = nodes.kind.length - 1; node >= 0; node--) {
    for (const value of nodes.inputs[node]) {
      const maker = makers.get(value);
      if (maker !== undefined) {
        // Users come after makers, so that a later one is overwritten by an earlier one, and is drawn itself.
        foldedInto[maker] = foldedInto[node] >= 0 ? foldedInto[node] : node;
      }
    }
  }
  return foldedInto;
}

/** Folds what is no operator into the operator that comes next; the reads of gradients into what made these. */
function foldMarkers(
  { nodes }: ViewDocument,
  rows: readonly (readonly [number, number])[],
  foldedInto: Int32Array,
): Map<number, number> {
  const makers = new Map<number, number>();
  const isMarker = new Uint8Array(nodes.kind.length);
  rows.forEach(([node]) => (isMarker[node] = 1));
  const drawn = nodes.kind.map((_, node) => node).filter((node) => !isMarker[node] && foldedInto[node] < 0);
  if (drawn.length === 0) {
    return makers;
  }
  let next = 0;
  for (const [node, maker] of rows) {
    while (next < drawn.length && drawn[next] < node) {
      next++;
    }
    foldedInto[node] = maker >= 0 ? maker : drawn[Math.min(next, drawn.length - 1)];
    nodes.outputs[node].forEach((value) => maker >= 0 && makers.set(value, maker));
  }
  // What was part of a marker is part of what that is part of.
  foldedInto.forEach((into, node) => {
    if (into >= 0 && foldedInto[into] >= 0) {
      foldedInto[node] = foldedInto[into];
    }
  });
  return makers;
}

export function buildHierarchy(document: ViewDocument, story: Story = STORY): Hierarchy {
  const { nodes, scopes, values } = document;
  const N = nodes.kind.length;
  const own = scopes.parent.length;
  const inputs = [...new Set(document.inputs)].filter((value) => values.role[value] === Role.Input);
  const outputs = document.outputs;

  const sizes = (story.foldSizes && nodes.sizes) || [];
  const foldedInto = foldingOf(document, sizes);
  const gradientMaker = foldMarkers(document, (story.training && nodes.markers) || [], foldedInto);
  const passedOn = foldMarkers(document, (story.foldSizes && nodes.identities) || [], foldedInto);
  const gradientsOf = new Map<number, number[]>();
  [...gradientMaker, ...passedOn].forEach(([value, node]) =>
    gradientsOf.set(node, [...(gradientsOf.get(node) ?? []), value]),
  );
  const expressions = new Map(
    sizes.flatMap(([node, text]) =>
      nodes.outputs[node].map((value) => [value, document.strings[text]] as const),
    ),
  );
  const isFunction = new Uint8Array(own);
  scopes.functions?.forEach((scope) => (isFunction[scope] = 1));
  const isPhase = new Uint8Array(own);
  scopes.phases?.forEach((scope) => (isPhase[scope] = 1));
  const isDrawn = (scope: number): boolean =>
    isPhase[scope] ? story.training : !isFunction[scope] || story.functions;
  const ownCount = new Int32Array(own);
  /** Operators that are drawn themselves. */
  const drawnCount = new Int32Array(own);
  const firstNode = new Int32Array(own).fill(-1);
  for (let node = 0; node < N; node++) {
    ownCount[nodes.scope[node]]++;
    if (foldedInto[node] < 0) {
      drawnCount[nodes.scope[node]]++;
    }
    if (firstNode[nodes.scope[node]] < 0) {
      firstNode[nodes.scope[node]] = node;
    }
  }
  // Children stand after their parents, so one pass from the end sums whole subtrees.
  for (let scope = own - 1; scope > 0; scope--) {
    const above = scopes.parent[scope];
    ownCount[above] += ownCount[scope];
    drawnCount[above] += drawnCount[scope];
    if (firstNode[scope] >= 0 && (firstNode[above] < 0 || firstNode[scope] < firstNode[above])) {
      firstNode[above] = firstNode[scope];
    }
  }
  const single = drawnCount.map((count, scope) => (scope > 0 && (count <= 1 || !isDrawn(scope)) ? 1 : 0));
  /** The scope in which a scope's contents are drawn: itself, or the nearest one above that is not inlined. */
  const drawnIn = new Int32Array(own);
  for (let scope = 1; scope < own; scope++) {
    drawnIn[scope] = single[scope] ? drawnIn[scopes.parent[scope]] : scope;
  }

  const children: Element[][] = Array.from({ length: own }, () => []);
  const order = (element: Element): number => (element < N ? element : firstNode[element - N]);
  for (let node = 0; node < N; node++) {
    if (foldedInto[node] < 0) {
      children[drawnIn[nodes.scope[node]]].push(node);
    }
  }
  for (let scope = 1; scope < own; scope++) {
    if (!single[scope]) {
      children[drawnIn[scopes.parent[scope]]].push(N + scope);
    }
  }
  for (const list of children) {
    list.sort((a, b) => order(a) - order(b));
  }

  const repeats = findRepeats(document, children);
  const bundles = boundaryBundles(document, inputs, own + repeats.length);
  const inRepeats = new Set(repeats.flatMap(({ members }) => members));
  const bundleAside = (kind: 'constants' | 'unused', rows: readonly number[], fewest: number): void => {
    const isAside = new Uint8Array(N);
    const count = new Int32Array(own);
    for (const node of rows) {
      isAside[node] = 1;
      for (let scope = nodes.scope[node]; scope >= 0 && foldedInto[node] < 0; scope = scopes.parent[scope]) {
        count[scope]++;
      }
    }
    for (let scope = 0; scope < own; scope++) {
      // What is aside as a whole is part of the note around it.
      if (count[scope] >= fewest && (scope === 0 || count[scope] < drawnCount[scope])) {
        const members = children[scope].filter((element) =>
          element < N
            ? isAside[element]
            : count[element - N] === drawnCount[element - N] && !inRepeats.has(element - N),
        );
        if (members.length >= fewest) {
          bundles.push({ scope: own + repeats.length + bundles.length, kind, name: String(scope), members });
        }
      }
    }
  };
  if (story.foldUnused) {
    bundleAside('unused', nodes.unused ?? [], 1);
    bundleAside('constants', nodes.constants ?? [], 2);
  }
  const S = own + repeats.length + bundles.length;
  const opCount = new Int32Array(S);
  opCount.set(ownCount);
  const inlined = new Uint8Array(S);
  inlined.set(single);
  inlined.fill(1, own, own + repeats.length);
  const parent = new Int32Array(N + S + inputs.length + outputs.length);
  for (let node = 0; node < N; node++) {
    parent[node] = drawnIn[nodes.scope[foldedInto[node] < 0 ? node : foldedInto[node]]];
  }
  parent[N] = -1;
  for (let scope = 1; scope < own; scope++) {
    parent[N + scope] = drawnIn[scopes.parent[scope]];
  }
  /** The repeat in which each scope is a block. */
  const repeatAt = new Int32Array(own).fill(-1);
  for (const { scope, within, members } of repeats) {
    children.push([]);
    parent[N + scope] = within;
    for (const member of members) {
      repeatAt[member] = scope;
      opCount[scope] += opCount[member];
    }
  }

  for (const bundle of bundles) {
    const { scope, kind, name, members } = bundle;
    if (!isOfEnds(bundle)) {
      const within = Number(name);
      const aside = new Set(members);
      const at = children[within].indexOf(members[0]);
      children[within].splice(at, 1, N + scope);
      children[within] = children[within].filter((member) => !aside.has(member));
      children.push([...members]);
      parent[N + scope] = within;
      members.forEach((member) => (parent[member] = scope));
      opCount[scope] = members.reduce((sum, member) => sum + (member < N ? 1 : drawnCount[member - N]), 0);
      continue;
    }
    const first = N + S + (kind === 'inputs' ? 0 : inputs.length);
    children.push(members.map((member) => first + member));
    children[scope].forEach((member) => (parent[member] = scope));
  }

  const users: number[][] = Array.from({ length: values.name.length }, () => []);
  const parameterCount = new Float64Array(S);
  const counted = new Set<number>();
  for (let node = 0; node < N; node++) {
    for (const value of new Set(nodes.inputs[node])) {
      users[value].push(node);
      if (values.role[value] !== Role.Parameter) {
        continue;
      }
      const size = elementsIn(document, values.shape[value]);
      for (let scope = nodes.scope[node]; scope >= 0; scope = scopes.parent[scope]) {
        const key = value * S + scope;
        if (counted.has(key)) {
          break;
        }
        counted.add(key);
        parameterCount[scope] += size;
        const repeat = repeatAt[scope];
        if (repeat >= 0 && !counted.has(value * S + repeat)) {
          counted.add(value * S + repeat);
          parameterCount[repeat] += size;
        }
      }
    }
  }

  const scopeWarnings = new Int32Array(S);
  const nodeWarnings = new Int32Array(N);
  for (const warning of document.warnings) {
    if (warning.node < 0) {
      continue;
    }
    // A warning about a size is one about what uses it.
    const at = foldedInto[warning.node] < 0 ? warning.node : foldedInto[warning.node];
    nodeWarnings[at]++;
    for (let scope = nodes.scope[at]; scope >= 0; scope = scopes.parent[scope]) {
      scopeWarnings[scope]++;
    }
  }
  const scopeFailed = new Uint8Array(S);
  const failed = nodes.failed ?? -1;
  for (let scope = failed < 0 ? -1 : nodes.scope[failed]; scope >= 0; scope = scopes.parent[scope]) {
    scopeFailed[scope] = 1;
  }
  for (const bundle of bundles.filter((each) => !isOfEnds(each))) {
    for (const member of bundle.members) {
      scopeWarnings[bundle.scope] += member < N ? nodeWarnings[member] : scopeWarnings[member - N];
    }
  }
  for (const { scope, members } of repeats) {
    for (const member of members) {
      scopeWarnings[scope] += scopeWarnings[member];
      scopeFailed[scope] |= scopeFailed[member];
    }
  }

  const h: Hierarchy = {
    document,
    story,
    sizeNames: story.nameSizes ? documentSizeNames(document) : new Map(),
    nodes: N,
    scopes: S,
    repeats,
    bundles,
    inputs,
    inputIndex: new Map(inputs.map((value, index) => [value, index])),
    outputs,
    children,
    parent,
    isFunction,
    isPhase,
    foldedInto,
    gradientMaker,
    passedOn,
    gradientsOf,
    expressions,
    inlined,
    opCount,
    parameterCount,
    scopeWarnings,
    nodeWarnings,
    scopeFailed,
    affected: new Set(document.warnings.flatMap((warning) => warning.affects)),
    users,
    paths: modulePaths(document, repeats, bundles, isFunction),
    strides: new Map(values.strides ?? []),
  };
  collapseByDefault(h);
  return h;
}
