/** What is on the screen as DOT, the language of Graphviz: open groups become clusters. */

import * as strings from '../../../i18n/strings';
import { valueSummary } from '../../../model/describe';
import type { Hierarchy } from '../../../model/hierarchy';
import type { Scene } from '../../canvas/scene';

const quoted = (text: string): string =>
  `"${text
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\r?\n|\r/g, ' ')}"`;

export function dotFile(h: Hierarchy, scene: Scene): string {
  const { visible, labels } = scene;
  const children = new Map<number, number[]>();
  visible.parents.forEach((parent, index) => {
    children.set(parent, [...(children.get(parent) ?? []), index]);
  });
  const lines = ['digraph trace {', '  node [shape=box, style="rounded,filled", fillcolor=white];'];
  const name = (index: number): string => {
    const { title, subtitle: aside, detail } = labels[index];
    return [[title, aside].filter(Boolean).join('  '), detail].filter(Boolean).join('\n');
  };
  const walk = (parent: number, indent: string): void => {
    for (const index of children.get(parent) ?? []) {
      const kind = visible.kinds[index];
      const text = name(index)
        .split('\n')
        .map((line) => quoted(line).slice(1, -1))
        .join('\\n');
      if (kind === 'open') {
        lines.push(`${indent}subgraph cluster_${index} {`, `${indent}  label="${text}";`);
        walk(index, `${indent}  `);
        lines.push(`${indent}}`);
      } else {
        const shape = kind === 'input' || kind === 'output' ? ', shape=ellipse' : '';
        const fill = kind === 'closed' ? ', fillcolor="#e6eefb"' : '';
        lines.push(`${indent}n${index} [label="${text}"${shape}${fill}];`);
      }
    }
  };
  walk(-1, '  ');
  for (const { source, target, values } of visible.edges) {
    const text = values.length === 1 ? valueSummary(h, values[0]) : strings.values(values.length);
    lines.push(`  n${source} -> n${target} [label=${quoted(text)}];`);
  }
  return [...lines, '}', ''].join('\n');
}
