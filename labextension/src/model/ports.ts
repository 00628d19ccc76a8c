/** What an element takes and gives, one line each: the leaves of the accessibility tree. */

import { string } from './describe';
import { originText, typeText, usersText } from './facts';
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
