/**
 * A view as text: `open=layer1,layer1.0&fold=layers.0…11&select=layer1.0.conv1&find=op:conv`. Names rather than
 * numbers, so that a link outlives another trace of the model; it is the fragment of a page's address, and Python reads
 * it. `case` names one of several recordings. `open` names the open groups and `fold` the collapsed rows of repeated blocks; without one of them, the default applies.
 */

import { string } from './describe';
import {
  groupElement,
  inputElement,
  kindOf,
  outputElement,
  boundaryValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';
import { repeatNamed, collapsedPaths, repeatOf } from './repeats';

export interface LinkedView {
  /** Null: what is open at first. */
  opened: number[] | null;
  selected: Element;
  find: string;
}

/** `layer1.0` for a group (`group:%x` where that says something else), `%relu.1` for an operator (what it makes), `input:x`, `output:y`. */
export function nameOf(h: Hierarchy, at: Element): string {
  const { nodes, values } = h.document;
  switch (kindOf(h, at)) {
    case 'group': {
      const path = h.paths[scopeOf(h, at)];
      return /^(%|#|(group|input|output):)/.test(path) ? `group:${path}` : path;
    }
    case 'op': {
      const made = nodes.outputs[at][0];
      return made === undefined ? `#${at}` : `%${string(h.document, values.name[made])}`;
    }
    default:
      return `${kindOf(h, at)}:${string(h.document, values.name[boundaryValue(h, at)])}`;
  }
}

/** The operator of a module that has but one, in it or in a module inside. */
function onlyNode(h: Hierarchy, scope: number): Element {
  const { nodes, scopes } = h.document;
  return nodes.scope.findIndex((at) => {
    while (at > scope) {
      at = scopes.parent[at];
    }
    return at === scope;
  });
}

/** The element of that name, or of a node's index, a module's path, or a value's name; -1: there is none. */
export function elementNamed(h: Hierarchy, what: number | string): Element {
  if (typeof what === 'number' || /^#\d+$/.test(what)) {
    const node = typeof what === 'number' ? what : Number(what.slice(1));
    return Number.isInteger(node) && node >= 0 && node < h.nodes ? node : -1;
  }
  const { nodes, values } = h.document;
  const named = (value: number, name: string): boolean => string(h.document, values.name[value]) === name;
  if (!what.startsWith('%')) {
    const wanted = what.replace(/^group:/, '');
    const scope = h.paths.findIndex((path, index) => index > 0 && path === wanted);
    const row = scope > 0 ? repeatOf(h, scope) : repeatNamed(h, wanted);
    if (row !== undefined) {
      // Of a row that is not collapsed, its first block stands for it.
      return groupElement(h, h.inlined[row.scope] ? row.members[0] : row.scope);
    }
    if (scope > 0) {
      // A module with one operator is drawn as that operator.
      return h.inlined[scope] ? onlyNode(h, scope) : groupElement(h, scope);
    }
    const [, kind, name] = /^(?:(input|output):)?(.*)$/s.exec(what) ?? [];
    const input = kind === 'output' ? -1 : h.inputs.findIndex((value) => named(value, name));
    if (input >= 0) {
      return inputElement(h, input);
    }
    const output = kind === 'input' ? -1 : h.outputs.findIndex((value) => named(value, name));
    if (output >= 0) {
      return outputElement(h, output);
    }
  }
  const wanted = what.replace(/^%/, '');
  return nodes.outputs.findIndex((made) => made.some((value) => named(value, wanted)));
}

/** What a fragment need not escape stays readable. */
const encode = (text: string): string =>
  encodeURIComponent(text).replace(/%(3A|2C|20)/g, (_, code: string) =>
    code === '20' ? '+' : code === '3A' ? ':' : ',',
  );

/** Paths as one text: a comma in one of them must not part it. */
const joined = (paths: readonly string[]): string =>
  encode(paths.map((path) => path.replace(/[%,]/g, encodeURIComponent)).join(','));

const parted = (text: string | null): string[] | null =>
  text === null
    ? null
    : text === ''
      ? []
      : text.split(',').map((path) => path.replace(/%2[5C]/g, decodeURIComponent));

const parametersOf = (text: string): URLSearchParams => new URLSearchParams(text.replace(/^#/, ''));

/** The rows of repeated blocks that a link collapses (`setCollapsed`), to be done before the rest of it is read. */
export const collapsedIn = (text: string): string[] | null => parted(parametersOf(text).get('fold'));

/** The label of the recording that a link shows, to be done before all else; null: it names none. */
export const caseIn = (text: string): string | null => parametersOf(text).get('case');

/** What is collapsed is read from the hierarchy. */
export function writeLink(h: Hierarchy, view: LinkedView, shownCase?: string): string {
  const parts: string[] = shownCase === undefined ? [] : [`case=${encode(shownCase)}`];
  const collapsed = collapsedPaths(h);
  if (view.opened !== null) {
    const shown = new Set(view.opened);
    // What is open inside a closed row is not to be seen, and naming it would open the row.
    const seen = view.opened.filter((scope) => {
      const row = h.parent[groupElement(h, scope)];
      return repeatOf(h, row) === undefined || shown.has(row);
    });
    parts.push(`open=${joined(seen.map((scope) => h.paths[scope]))}`);
  }
  if (collapsed !== null) {
    parts.push(`fold=${joined(collapsed)}`);
  }
  if (view.selected >= 0) {
    parts.push(`select=${encode(nameOf(h, view.selected))}`);
  }
  if (view.find !== '') {
    parts.push(`find=${encode(view.find)}`);
  }
  return parts.join('&');
}

export function readLink(h: Hierarchy, text: string): LinkedView {
  const given = parametersOf(text);
  const opened = parted(given.get('open'));
  const select = given.get('select');
  const scopes = new Map(h.paths.map((path, scope) => [path, scope]));
  const scopeAt = (path: string): number[] => {
    const scope = scopes.get(path) ?? repeatNamed(h, path)?.scope;
    return scope === undefined || h.inlined[scope] ? [] : [scope];
  };
  return {
    opened: opened && opened.flatMap(scopeAt),
    selected: select === null ? -1 : elementNamed(h, select),
    find: given.get('find') ?? '',
  };
}
