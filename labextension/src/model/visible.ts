/** What stands on the canvas for a given set of open groups: boxes, and the edges between them. */

import {
  drawnAs,
  groupElement,
  inputElement,
  kindOf,
  producerOf,
  outputElement,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';

export type BoxKind = 'op' | 'closed' | 'open' | 'input' | 'output';

export interface VisibleEdge {
  /** Indices into `Visible.elements`; never an open group. */
  source: number;
  target: number;
  /** The values that flow along it, in order of first use. */
  values: number[];
}

export interface Visible {
  /** Parents before children, trace order among siblings: also the order of the accessibility tree. */
  elements: Element[];
  kinds: BoxKind[];
  /** Index of the surrounding open group, or -1 at the top. */
  parents: number[];
  edges: VisibleEdge[];
  /** Where an element stands in `elements`. */
  indexOf: Map<Element, number>;
}

/** The visible box that an element is drawn in: itself or the outermost closed group around it. */
export function visibleIndexOf(h: Hierarchy, visible: Visible, element: Element): number {
  let at: Element = drawnAs(h, element);
  for (;;) {
    const index = visible.indexOf.get(at);
    if (index !== undefined) {
      return index;
    }
    const scope = h.parent[at];
    if (scope <= 0) {
      return -1;
    }
    at = groupElement(h, scope);
  }
}

/** The boxes that elements are drawn in: those inside closed groups by the group. */
export function visibleElementsFor(
  h: Hierarchy,
  visible: Visible,
  elements: Iterable<Element>,
): Set<Element> {
  const shown = new Set<Element>();
  for (const element of elements) {
    const index = visibleIndexOf(h, visible, element);
    if (index >= 0) {
      shown.add(visible.elements[index]);
    }
  }
  return shown;
}

export function visibleFor(h: Hierarchy, opened: ReadonlySet<number>): Visible {
  const visible: Visible = { elements: [], kinds: [], parents: [], edges: [], indexOf: new Map() };
  const add = (element: Element, kind: BoxKind, parent: number): number => {
    const index = visible.elements.push(element) - 1;
    visible.kinds.push(kind);
    visible.parents.push(parent);
    visible.indexOf.set(element, index);
    return index;
  };
  /** An input or output, or all of its structure at the place of the first. */
  const addEnd = (element: Element, kind: 'input' | 'output'): void => {
    const bundle = h.parent[element];
    if (bundle <= 0) {
      add(element, kind, -1);
    } else if (!visible.indexOf.has(groupElement(h, bundle))) {
      const open = opened.has(bundle);
      const parent = add(groupElement(h, bundle), open ? 'open' : 'closed', -1);
      (open ? h.children[bundle] : []).forEach((member) => add(member, kind, parent));
    }
  };
  h.inputs.forEach((_, index) => addEnd(inputElement(h, index), 'input'));
  const walk = (scope: number, parent: number): void => {
    for (const child of h.children[scope]) {
      if (kindOf(h, child) === 'op') {
        add(child, 'op', parent);
      } else if (opened.has(scopeOf(h, child))) {
        walk(scopeOf(h, child), add(child, 'open', parent));
      } else {
        add(child, 'closed', parent);
      }
    }
  };
  walk(0, -1);
  h.outputs.forEach((_, index) => addEnd(outputElement(h, index), 'output'));
  addEdges(h, visible);
  return visible;
}

function addEdges(h: Hierarchy, visible: Visible): void {
  const total = h.parent.length;
  const box = new Int32Array(total).fill(-2);
  const boxOf = (element: Element): number => {
    if (box[element] === -2) {
      box[element] = visibleIndexOf(h, visible, element);
    }
    return box[element];
  };
  const found = new Map<number, VisibleEdge>();
  const connect = (value: number, target: Element): void => {
    const maker = producerOf(h, value);
    if (maker < 0 || drawnAs(h, maker) !== maker) {
      return;
    }
    const from = boxOf(maker);
    const to = boxOf(target);
    if (from < 0 || to < 0 || from === to) {
      return;
    }
    const key = from * total + to;
    const edge = found.get(key);
    if (edge === undefined) {
      found.set(key, { source: from, target: to, values: [value] });
    } else if (!edge.values.includes(value)) {
      edge.values.push(value);
    }
  };
  h.document.nodes.inputs.forEach((values, node) => {
    if (h.foldedInto[node] < 0) {
      values.forEach((value) => connect(value, node));
    }
  });
  h.outputs.forEach((value, index) => connect(value, outputElement(h, index)));
  visible.edges = [...found.values()];
}
