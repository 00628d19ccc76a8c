/**
 * A view as text: `open=layer1,layer1.0&select=layer1.0.conv1&find=op:conv`. Names rather than numbers, so that a
 * link outlives another trace of the model; it is the fragment of a page's address, and Python reads and writes it.
 */

import { string } from './describe';
import {
  groupElement,
  inputElement,
  kindOf,
  outputElement,
  pillValue,
  scopeOf,
  type Element,
  type Hierarchy,
} from './hierarchy';

export interface LinkedView {
  /** Null: what is open at first. */
  opened: number[] | null;
  selected: Element;
  find: string;
}

/** `layer1.0` for a group, `%relu.1` for an operator (what it makes), `input:x`, `output:y`. */
export function nameOf(h: Hierarchy, at: Element): string {
  const { nodes, values } = h.document;
  switch (kindOf(h, at)) {
    case 'group':
      return h.paths[scopeOf(h, at)];
    case 'op': {
      const made = nodes.outputs[at][0];
      return made === undefined ? `#${at}` : `%${string(h.document, values.name[made])}`;
    }
    default:
      return `${kindOf(h, at)}:${string(h.document, values.name[pillValue(h, at)])}`;
  }
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
    const scope = h.paths.findIndex((path, index) => index > 0 && path === what);
    if (scope > 0) {
      // A module with one operator is drawn as that operator.
      return h.folded[scope] ? nodes.scope.indexOf(scope) : groupElement(h, scope);
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

export function writeLink(h: Hierarchy, view: LinkedView): string {
  const parts: string[] = [];
  if (view.opened !== null) {
    parts.push(`open=${encode(view.opened.map((scope) => h.paths[scope].replace(/,/g, '')).join(','))}`);
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
  const given = new URLSearchParams(text.replace(/^#/, ''));
  const opened = given.get('open');
  const select = given.get('select');
  const scopes = new Map(h.paths.map((path, scope) => [path, scope]));
  return {
    opened: opened === null ? null : opened.split(',').flatMap((path) => scopes.get(path) ?? []),
    selected: select === null ? -1 : elementNamed(h, select),
    find: given.get('find') ?? '',
  };
}
