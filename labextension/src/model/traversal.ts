/** Upstream, downstream, and the path from one element to another. */

import {
  drawnAs,
  endOf,
  groupElement,
  kindOf,
  producerOf,
  outputElement,
  outputsOf,
  boundaryValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';

/** The operators, graph inputs and outputs that an element stands for: itself, or all within a group. */
export function members(h: Hierarchy, element: Element): Element[] {
  if (kindOf(h, element) !== 'group') {
    return [element];
  }
  const inside: Element[] = [];
  const walk = (scope: number): void => {
    for (const child of h.children[scope]) {
      if (kindOf(h, child) === 'group') {
        walk(scopeOf(h, child));
      } else {
        inside.push(child);
      }
    }
  };
  walk(scopeOf(h, element));
  return inside;
}

function makers(h: Hierarchy, element: Element): Element[] {
  const kind = kindOf(h, element);
  const values =
    kind === 'op' ? h.document.nodes.inputs[element] : kind === 'output' ? [boundaryValue(h, element)] : [];
  return values.map((value) => producerOf(h, value)).filter((maker) => maker >= 0);
}

function users(h: Hierarchy, element: Element): Element[] {
  const kind = kindOf(h, element);
  const values = kind === 'op' ? outputsOf(h, element) : kind === 'input' ? [boundaryValue(h, element)] : [];
  return values.flatMap((value) => [
    ...h.users[value],
    ...h.outputs.flatMap((output, index) => (output === value ? [outputElement(h, index)] : [])),
  ]);
}

function reachable(
  h: Hierarchy,
  from: Element[],
  next: (h: Hierarchy, at: Element) => Element[],
): Set<Element> {
  const found = new Set(from);
  // A set takes in what is added while it is walked.
  for (const at of found) {
    next(h, at).forEach((other) => found.add(other));
  }
  return found;
}

/** All that an element depends on, and itself. */
export const ancestors = (h: Hierarchy, element: Element): Set<Element> =>
  reachable(h, members(h, element), makers);

/** All that depends on an element, and itself. */
export const descendants = (h: Hierarchy, element: Element): Set<Element> =>
  reachable(h, members(h, element), users);

/**
 * What a warning may make wrong: what stands between the place and the outputs that depend on it. A value that became a
 * constant has left the graph, so that this is no walk along its uses.
 */
export function affectedElements(h: Hierarchy, index: number): Set<Element> {
  const { node, affects } = h.document.warnings[index];
  const found = new Set<Element>(node >= 0 ? [node] : []);
  for (const value of affects) {
    const at = h.outputs.indexOf(value);
    if (at >= 0) {
      for (const element of ancestors(h, outputElement(h, at))) {
        if (kindOf(h, element) === 'output' || (kindOf(h, element) === 'op' && element > node)) {
          found.add(element);
        }
      }
    }
  }
  return found;
}

function pathAlong(h: Hierarchy, from: Element[], to: ReadonlySet<Element>): Element[] {
  const before = new Map<Element, Element>(from.map((at) => [at, -1]));
  for (const [at] of before) {
    if (to.has(at)) {
      const path: Element[] = [];
      for (let step = at; step >= 0; step = before.get(step)!) {
        path.unshift(step);
      }
      return path;
    }
    for (const other of users(h, at)) {
      if (!before.has(other)) {
        before.set(other, at);
      }
    }
  }
  return [];
}

/** The shortest way along the data from one to the other, whichever comes first; empty where there is none. */
export function shortestPath(h: Hierarchy, one: Element, other: Element): Element[] {
  const [a, b] = [members(h, one), members(h, other)];
  const forth = pathAlong(h, a, new Set(b));
  return forth.length > 0 ? forth : pathAlong(h, b, new Set(a));
}

/** The groups around an element, outermost first. */
export function enclosingGroups(h: Hierarchy, element: Element): Element[] {
  const around: Element[] = [];
  for (let scope = h.parent[element]; scope > 0; scope = h.parent[groupElement(h, scope)]) {
    around.unshift(groupElement(h, scope));
  }
  return around;
}

/** The values that flow into a group and out of it, without its parameters. */
export function groupEdges(h: Hierarchy, scope: number): { into: number[]; out: number[] } {
  const all = members(h, groupElement(h, scope));
  if (endOf(h, groupElement(h, scope)) !== 0) {
    const values = all.map((element) => boundaryValue(h, element));
    return kindOf(h, all[0]) === 'input' ? { into: [], out: values } : { into: values, out: [] };
  }
  const inside = new Set(all);
  const { nodes } = h.document;
  const into = new Set<number>();
  const out = new Set<number>();
  for (const node of inside) {
    for (const value of nodes.inputs[node]) {
      const maker = producerOf(h, value);
      if (maker >= 0 && !inside.has(drawnAs(h, maker))) {
        into.add(value);
      }
    }
    for (const value of outputsOf(h, node)) {
      if (h.outputs.includes(value) || h.users[value].some((user) => !inside.has(drawnAs(h, user)))) {
        out.add(value);
      }
    }
  }
  return { into: [...into], out: [...out] };
}
