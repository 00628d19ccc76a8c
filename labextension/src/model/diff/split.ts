/** One of two graphs, taken out of the document that holds both: what the two panes of a side-by-side view show. */

import { DiffStatus } from './differences';
import type { DiffSection, ViewDocument } from '../../protocol/viewdocument';

export type SideName = 'before' | 'after';

export interface DiffSide {
  document: ViewDocument;
  /** The node of the merged document for each node of this one. */
  merged: number[];
  /** The node of this document for each node of the merged one; -1: it has none. */
  own: Int32Array;
}

const pick = <T>(column: readonly T[], rows: readonly number[]): T[] => rows.map((row) => column[row]);

/** The document of the graph before or after; values and scopes keep their numbers. */
export function diffSideOf(document: ViewDocument, name: SideName): DiffSide {
  const diff = document.diff!;
  const gone = name === 'before' ? DiffStatus.Added : DiffStatus.Removed;
  const rows = diff.nodes.status.flatMap((status, node) => (status === gone ? [] : [node]));
  if (name === 'before') {
    rows.sort((a, b) => diff.nodes.order[a] - diff.nodes.order[b]);
  }
  const own = new Int32Array(diff.nodes.status.length).fill(-1);
  rows.forEach((node, index) => (own[node] = index));
  const made = (value: number): boolean => {
    const maker = document.values.node[value];
    return maker < 0 || own[maker] >= 0;
  };
  const former = new Map(diff.nodes.inputs);
  const inputs = rows.map((node) => {
    const used =
      name === 'before' ? (former.get(node) ?? document.nodes.inputs[node]) : document.nodes.inputs[node];
    return used.filter(made);
  });
  const dropped = new Set(diff.values.status.flatMap(([value, status]) => (status === gone ? [value] : [])));
  const { failed, opaque } = document.nodes;
  const side: ViewDocument = {
    ...document,
    name: diff[name],
    nodes: {
      kind: pick(document.nodes.kind, rows),
      scope: pick(document.nodes.scope, rows),
      schema: pick(document.nodes.schema, rows),
      source: pick(document.nodes.source, rows),
      inputs,
      outputs: pick(document.nodes.outputs, rows),
      arguments: pick(document.nodes.arguments, rows),
      ...(failed !== undefined && own[failed] >= 0 ? { failed: own[failed] } : {}),
      ...(opaque !== undefined ? { opaque: kept(opaque, own) } : {}),
    },
    values: { ...document.values, node: document.values.node.map((node) => (node < 0 ? -1 : own[node])) },
    inputs: document.inputs.filter((value) => !dropped.has(value)),
    outputs: name === 'before' ? diff.outputs : document.outputs,
    warnings:
      name === 'before'
        ? []
        : document.warnings.map((warning) => ({
            ...warning,
            node: warning.node < 0 ? -1 : own[warning.node],
          })),
    diff: ofSide(diff, rows, own),
    ...(document.overlays === undefined
      ? {}
      : { overlays: document.overlays.map(({ name, values }) => ({ name, values: pick(values, rows) })) }),
    summary: { ...document.summary, ops: rows.length },
  };
  if (name === 'before') {
    restoreBefore(side, document, rows);
  }
  return { document: side, merged: rows, own };
}

const kept = (nodes: readonly number[], own: Int32Array): number[] =>
  nodes.flatMap((node) => (own[node] >= 0 ? [own[node]] : []));

function ofSide(diff: DiffSection, rows: number[], own: Int32Array): DiffSection {
  return {
    ...diff,
    nodes: {
      status: pick(diff.nodes.status, rows),
      order: rows.map((_, index) => index),
      follows: kept(diff.nodes.follows, own),
      changes: diff.nodes.changes.flatMap(([node, told]) =>
        own[node] >= 0 ? [[own[node], told] as (typeof diff.nodes.changes)[number]] : [],
      ),
      inputs: [],
    },
  };
}

const shapeOf = (text: string): number[] | null =>
  /^\[[\d, ]*\]$/.test(text) ? (JSON.parse(text) as number[]) : null;

/** Kinds, shapes, dtypes and names as they were before they changed. */
function restoreBefore(side: ViewDocument, merged: ViewDocument, rows: number[]): void {
  const { strings } = merged;
  const { nodes, scopes } = merged.diff!;
  const places = new Map(rows.map((node, index) => [node, index]));
  side.shapes = [...merged.shapes];
  side.values = { ...side.values, shape: [...side.values.shape], dtype: [...side.values.dtype] };
  const restore = (value: number | undefined, what: string, before: number): void => {
    const shape = what.startsWith('shape') ? shapeOf(strings[before]) : null;
    if (value !== undefined && shape !== null) {
      side.values.shape[value] = side.shapes.push(shape) - 1;
    } else if (value !== undefined && what.startsWith('dtype')) {
      side.values.dtype[value] = before;
    }
  };
  for (const [node, told] of nodes.changes) {
    const index = places.get(node);
    for (const [what, before] of index === undefined ? [] : told) {
      const words = strings[what];
      const argument = words.replace(/^(argument|input) /, '');
      if (words === 'operator') {
        side.nodes.kind[index!] = before;
        side.nodes.schema[index!] = -1;
      } else if (argument !== words) {
        side.nodes.arguments[index!] = side.nodes.arguments[index!].map(([name, text]) =>
          strings[name] === argument ? [name, before] : [name, text],
        );
      } else {
        const output = Number(words.split(' ')[1] ?? 0);
        restore(merged.nodes.outputs[node][output], words, before);
      }
    }
  }
  for (const [value, told] of merged.diff!.values.changes) {
    told.forEach(([what, before]) => restore(value, strings[what], before));
  }
  side.scopes = {
    ...merged.scopes,
    name: [...merged.scopes.name],
    class_name: [...merged.scopes.class_name],
  };
  for (const [scope, name, className] of scopes.former) {
    side.scopes.name[scope] = name;
    side.scopes.class_name[scope] = className;
  }
}
