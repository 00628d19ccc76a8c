/**
 * What a trace says about the lines of the cells that it ran through. All of it stands in the view document that
 * the traced cell's output holds: the kernel sends nothing more, and a saved notebook shows its hints again. No DOM,
 * no JupyterLab.
 */

import * as strings from '../i18n/strings';
import { documentSizeNames, isNamed, type SizeNames } from '../model/sizenames';
import type { TraceDiagnostic, ViewDocument } from '../protocol/viewdocument';

/** The names of cells in `files`: the traced one, and others that it called into. */
const OWN = 'this cell';
const CELL = /^(this cell|cell( \d+)?)$/;
/** A hint names so many values; the hover lists the rest. */
const HINTED = 2;

const NUMBERS: SizeNames = new Map();

/** A statement, or what of it was traced, in one cell. */
export interface TracedLine {
  /** 1-based, as the trace counted; `last` is where the hint stands. */
  first: number;
  last: number;
  /** Written anew when sizes get names: see `nameSizes`. */
  hint: string;
  /** The values that it is of. */
  hinted: number[];
  /** What ran there, itself or in what it called, in the order of execution. */
  nodes: number[];
}

/** Where a warning stands in a cell. Columns count from 0. */
export interface DiagnosticRange {
  file: number;
  line: number;
  endLine: number;
  column: number;
  endColumn: number;
  /** The specialized expression itself, not a call that led to it. */
  exact: boolean;
}

export interface CellDiagnostic {
  /** Its row in the document. */
  index: number;
  warning: TraceDiagnostic;
  /** Innermost first: the warning is shown at the first that the notebook still has. */
  places: DiagnosticRange[];
  /** `model.py:12`, where the expression stands in no cell; else empty. */
  outside: string;
  /** Names of the outputs that depend on it. */
  outputs: string[];
}

export interface CellFile {
  /** Its row in the document. */
  file: number;
  /** The cell that was traced. */
  isTracedCell: boolean;
  /** It is the text behind `%trace`, not a cell. */
  isLineMagic: boolean;
  /** The text of the lines that the document holds, by number. */
  texts: Map<number, string>;
  lines: TracedLine[];
  /** First and last lines of all that is to be found in the cell: statements and warnings. */
  spans: [first: number, last: number][];
}

export interface CellTrace {
  view: ViewDocument;
  /** The names of sizes, as far as they are known. */
  names: SizeNames;
  files: CellFile[];
  warnings: CellDiagnostic[];
}

/** A column, which Python counts in characters, in the units of a string. */
export function unitOf(text: string, column: number): number {
  // Only characters beyond the first plane take two units.
  return /[\ud800-\udbff]/.test(text) ? [...text].slice(0, column).join('').length : column;
}

/** `float32[batch, 128]`, by number what has no name; the device where it is not the CPU. */
export function typeText(view: ViewDocument, value: number, names: SizeNames): string {
  const { dtype, shape, device, type } = view.values;
  if (shape[value] < 0) {
    return view.strings[type[value]];
  }
  const where = device[value] < 0 ? 'cpu' : view.strings[device[value]];
  const kind = dtype[value] < 0 ? 'Tensor' : view.strings[dtype[value]];
  return `${kind}[${(names.get(value) ?? view.shapes[shape[value]]).join(', ')}]${where === 'cpu' ? '' : ` ${where}`}`;
}

/** The frames of a source, innermost first. */
export function framesOf(view: ViewDocument, source: number): number[] {
  const found: number[] = [];
  // A caller's row may be anywhere: a damaged document must not send us round in circles.
  for (let at = source; at >= 0 && found.length <= view.sources.line.length; at = view.sources.caller[at]) {
    found.push(at);
  }
  return found;
}

/** What values are: with names where a person gave some; equal texts once, with how often they came. */
function hintOf(view: ViewDocument, values: readonly number[], names: SizeNames): string {
  const texts = values.map((value) =>
    typeText(view, value, isNamed(names.get(value) ?? []) ? names : NUMBERS),
  );
  const counts = new Map<string, number>();
  texts.forEach((text) => counts.set(text, (counts.get(text) ?? 0) + 1));
  const parts = [...counts].map(([text, count]) => (count === 1 ? text : `${text} ×${count}`));
  const more = parts.length - HINTED;
  return parts.slice(0, HINTED).join(' · ') + (more > 0 ? ` · ${strings.moreValues(more)}` : '');
}

/**
 * For each frame of a node, outermost first, the module call in which it ran: a line of `forward` runs once for each
 * call of the module. The class in a frame's qualified name leads down the node's scopes.
 */
function callsOf(view: ViewDocument, frames: readonly number[], scope: number): number[] {
  const { scopes, sources, strings } = view;
  const chain: number[] = [];
  for (let at = scope; at >= 0; at = scopes.parent[at]) {
    chain.unshift(at);
  }
  let reached = -1;
  return frames.map((frame) => {
    const name = sources.function[frame] < 0 ? '' : strings[sources.function[frame]];
    const owner = name.split('.').slice(-2, -1)[0] ?? '';
    const found = chain.findIndex((at, depth) => depth > reached && strings[scopes.class_name[at]] === owner);
    reached = found < 0 ? reached : found;
    return chain[Math.max(0, reached)];
  });
}

/** What ran on one line: `calls` says in which call of its module. */
interface Gathered {
  first: number;
  last: number;
  nodes: number[];
  calls: number[];
}

/** By file, by last line. */
function gather(view: ViewDocument, files: ReadonlySet<number>): Map<number, Map<number, Gathered>> {
  const { sources, nodes } = view;
  const found = new Map([...files].map((file) => [file, new Map<number, Gathered>()]));
  const known = new Map<string, [frame: number, call: number][]>();
  nodes.source.forEach((source, node) => {
    const scope = nodes.scope[node];
    const key = `${source} ${scope}`;
    let places = known.get(key);
    if (places === undefined) {
      const frames = framesOf(view, source).reverse();
      const calls = callsOf(view, frames, scope);
      places = frames.flatMap((frame, at): [number, number][] =>
        files.has(sources.file[frame]) ? [[frame, calls[at]]] : [],
      );
      known.set(key, places);
    }
    for (const [frame, call] of places) {
      const lines = found.get(sources.file[frame])!;
      const last = Math.max(sources.line[frame], sources.end_line[frame]);
      let line = lines.get(last);
      if (line === undefined) {
        lines.set(last, (line = { first: sources.line[frame], last, nodes: [], calls: [] }));
      }
      line.first = Math.min(line.first, sources.line[frame]);
      // A function that calls itself runs on the same line twice: the outermost call is the line's.
      if (line.nodes[line.nodes.length - 1] !== node) {
        line.nodes.push(node);
        line.calls.push(call);
      }
    }
  });
  return found;
}

function hintedValues(
  view: ViewDocument,
  line: Gathered,
  readers: readonly number[][],
  outputs: Set<number>,
  marks: Set<number>,
): number[] {
  const here = new Map(line.nodes.map((node, at) => [node, line.calls[at]]));
  // A gradient that is read to be forgotten is nothing that the line made.
  const nodes = line.nodes.filter((node) => !marks.has(node));
  const made = nodes.flatMap((node) => view.nodes.outputs[node]);
  // What leaves the line is what it bound: the steps inside of an expression are for the hover.
  const leaving = made.filter(
    (value) =>
      outputs.has(value) ||
      readers[value].some((node) => here.get(node) !== here.get(view.values.node[value])),
  );
  return (leaving.length > 0 ? leaving : made.slice(-1)).filter((value) => view.values.shape[value] >= 0);
}

/** Writes the hints with these names of sizes; false where that changes nothing. */
export function nameSizes(trace: CellTrace, names: SizeNames): boolean {
  if (trace.names === names || (trace.names.size === 0 && names.size === 0)) {
    return false;
  }
  trace.names = names;
  for (const line of trace.files.flatMap(({ lines }) => lines)) {
    line.hint = hintOf(trace.view, line.hinted, names);
  }
  return true;
}

function cellWarnings(view: ViewDocument, cells: ReadonlySet<number>): CellDiagnostic[] {
  const { sources } = view;
  return view.warnings.flatMap((warning, index): CellDiagnostic[] => {
    const frames = framesOf(view, warning.source);
    const places = frames
      .filter((frame) => cells.has(sources.file[frame]))
      .map((frame) => ({
        file: sources.file[frame],
        line: sources.line[frame],
        endLine: Math.max(sources.line[frame], sources.end_line[frame]),
        column: sources.column[frame],
        endColumn: sources.end_column[frame],
        exact: frame === warning.source,
      }));
    const file = sources.file[warning.source];
    const inCell = places[0]?.exact === true || file < 0 || file === undefined;
    return places.length === 0
      ? []
      : [
          {
            index,
            warning,
            places,
            outside: inCell ? '' : `${view.files[file].name}:${sources.line[warning.source]}`,
            outputs: warning.affects.map((value) => view.strings[view.values.name[value]]),
          },
        ];
  });
}

/** Null where the document is of no cell, and ran through none. */
export function cellTrace(view: ViewDocument): CellTrace | null {
  const cells = new Set(view.files.flatMap(({ name }, file) => (CELL.test(name) ? [file] : [])));
  if (cells.size === 0) {
    return null;
  }
  const readers: number[][] = view.values.name.map(() => []);
  view.nodes.inputs.forEach((values, node) => values.forEach((value) => readers[value].push(node)));
  const outputs = new Set(view.outputs);
  const names = documentSizeNames(view);
  const marks = new Set(view.nodes.markers?.flatMap(([node, maker]) => (maker < 0 ? [node] : [])));
  const gathered = gather(view, cells);
  const warnings = cellWarnings(view, cells);
  const files = [...cells].map((file): CellFile => {
    const own = view.files[file].name === OWN;
    const texts = new Map(Object.entries(view.files[file].lines).map(([line, text]) => [Number(line), text]));
    const lines = [...gathered.get(file)!.values()]
      .sort((a, b) => a.last - b.last)
      .map(({ first, last, nodes, calls }) => {
        const hinted = hintedValues(view, { first, last, nodes, calls }, readers, outputs, marks);
        const hint = hintOf(view, hinted, names);
        return { first, last, hint, hinted, nodes };
      });
    const spans = lines.map(({ first, last }): [number, number] => [first, last]);
    for (const place of warnings.flatMap(({ places }) => places)) {
      if (place.file === file && !spans.some(([a, b]) => a === place.line && b === place.endLine)) {
        spans.push([place.line, place.endLine]);
      }
    }
    // The first line of a cell is `%%trace` itself, which runs nothing.
    return {
      file,
      isTracedCell: own,
      isLineMagic: own && spans.some(([first]) => first === 1),
      texts,
      lines,
      spans,
    };
  });
  return { view, names, files, warnings };
}

/** Where a node stands: in each cell the innermost line that ran it; innermost frame first. */
export function linesOf(trace: CellTrace, node: number): { file: number; line: number }[] {
  const { sources, nodes } = trace.view;
  const found = new Map<number, { file: number; line: number }>();
  for (const frame of framesOf(trace.view, nodes.source[node] ?? -1)) {
    const file = sources.file[frame];
    if (!found.has(file)) {
      found.set(file, { file, line: Math.max(sources.line[frame], sources.end_line[frame]) });
    }
  }
  return [...found.values()];
}
