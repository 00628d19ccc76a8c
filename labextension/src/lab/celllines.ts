/**
 * What a trace says about the lines of its cell. All of it stands in the view document that the cell's output
 * holds: the kernel sends nothing more, and a saved notebook shows its hints again. No DOM, no JupyterLab.
 */

import { Role, type TraceWarning, type ViewDocument } from '../model/document';

/** The name of the traced cell in `files`. */
const OWN = 'this cell';
/** A hint names so many values; the hover lists the rest. */
const HINTED = 2;
const LISTED = 20;

export interface TracedLine {
  /** 1-based, as the trace counted; where it ends when the statement has several. */
  line: number;
  /** What stood there. */
  text: string;
  hint: string;
  /** Rows of the hover: name, type, operator, module. */
  rows: [string, string, string, string][];
  more: number;
  nodes: number[];
}

export interface CellWarning {
  warning: TraceWarning;
  line: number;
  endLine: number;
  column: number;
  endColumn: number;
  text: string;
  /** Names of the outputs that depend on it. */
  outputs: string[];
}

export interface CellTrace {
  lines: TracedLine[];
  warnings: CellWarning[];
  /** Lines that each node stands on, innermost first. */
  linesOf: Map<number, number[]>;
  /** The text of the lines that the document holds. */
  texts: Map<number, string>;
}

/** `float32[32, 128]`; the device where it is not the CPU. */
export function typeText(view: ViewDocument, value: number): string {
  const { dtype, shape, device, type } = view.values;
  if (shape[value] < 0) {
    return view.strings[type[value]];
  }
  const where = device[value] < 0 ? 'cpu' : view.strings[device[value]];
  const kind = dtype[value] < 0 ? 'Tensor' : view.strings[dtype[value]];
  return `${kind}[${view.shapes[shape[value]].join(', ')}]${where === 'cpu' ? '' : ` ${where}`}`;
}

function scopePath(view: ViewDocument, scope: number): string {
  const parts: string[] = [];
  for (let at = scope; at > 0; at = view.scopes.parent[at]) {
    parts.unshift(view.strings[view.scopes.name[at]]);
  }
  return parts.join('.');
}

/** Frames of a source that stand in the cell, innermost first. */
function ownFrames(view: ViewDocument, own: number, source: number): number[] {
  const found: number[] = [];
  for (let at = source; at >= 0; at = view.sources.caller[at]) {
    if (view.sources.file[at] === own) {
      found.push(at);
    }
  }
  return found;
}

/** Equal texts once, with how often they came. */
function hintOf(texts: string[]): string {
  const counts = new Map<string, number>();
  texts.forEach((text) => counts.set(text, (counts.get(text) ?? 0) + 1));
  const parts = [...counts].map(([text, count]) => (count === 1 ? text : `${text} ×${count}`));
  const more = parts.length - HINTED;
  return parts.slice(0, HINTED).join(' · ') + (more > 0 ? ` · ${more} more` : '');
}

/** Null where the document is of no cell. */
export function cellTrace(view: ViewDocument): CellTrace | null {
  const own = view.files.findIndex((file) => file.name === OWN);
  if (own < 0) {
    return null;
  }
  const texts = new Map(Object.entries(view.files[own].lines).map(([line, text]) => [Number(line), text]));
  const linesOf = new Map<number, number[]>();
  const nodesAt = new Map<number, number[]>();
  view.nodes.source.forEach((source, node) => {
    const lines = [...new Set(ownFrames(view, own, source).map((at) => view.sources.end_line[at]))];
    if (lines.length > 0) {
      linesOf.set(node, lines);
    }
    for (const line of lines) {
      nodesAt.set(line, [...(nodesAt.get(line) ?? []), node]);
    }
  });
  const readers = new Map<number, number[]>();
  view.nodes.inputs.forEach((values, node) =>
    values.forEach((value) => readers.set(value, [...(readers.get(value) ?? []), node])),
  );
  const outputs = new Set(view.outputs);
  const lines = [...nodesAt].map(([line, nodes]): TracedLine => {
    const here = new Set(nodes);
    const made = nodes.flatMap((node) => view.nodes.outputs[node]);
    // What leaves the line is what it bound: the steps inside of an expression are for the hover.
    const leaving = made.filter(
      (value) => outputs.has(value) || (readers.get(value) ?? []).some((node) => !here.has(node)),
    );
    const tensors = (leaving.length > 0 ? leaving : made.slice(-1)).filter(
      (value) => view.values.shape[value] >= 0,
    );
    return {
      line,
      text: texts.get(line) ?? '',
      hint: hintOf(tensors.map((value) => typeText(view, value))),
      rows: made.slice(0, LISTED).map((value) => {
        const node = view.values.node[value];
        return [
          view.strings[view.values.name[value]],
          typeText(view, value),
          view.values.role[value] === Role.Made ? view.strings[view.nodes.kind[node]] : '',
          node < 0 ? '' : scopePath(view, view.nodes.scope[node]),
        ];
      }),
      more: Math.max(0, made.length - LISTED),
      nodes,
    };
  });
  const warnings = view.warnings.flatMap((warning): CellWarning[] => {
    const [at] = ownFrames(view, own, warning.source);
    return at === undefined
      ? []
      : [
          {
            warning,
            line: view.sources.line[at],
            endLine: view.sources.end_line[at],
            column: view.sources.column[at],
            endColumn: view.sources.end_column[at],
            text: texts.get(view.sources.line[at]) ?? '',
            outputs: warning.taints.map((value) => view.strings[view.values.name[value]]),
          },
        ];
  });
  return { lines, warnings, linesOf, texts };
}

/**
 * How many lines further down the cell's text stands than the trace counted: IPython drops empty lines before
 * `%%trace`. The offset at which most lines read as they did; null where none does.
 */
export function offsetIn(trace: CellTrace, text: readonly string[]): number | null {
  let best: number | null = null;
  let most = 0;
  for (let offset = 0; offset < Math.min(text.length, 50); offset++) {
    const matches = trace.lines.filter(
      ({ line, text: was }) => was !== '' && text[line - 1 + offset] === was,
    ).length;
    if (matches > most) {
      [best, most] = [offset, matches];
    }
  }
  return best;
}
