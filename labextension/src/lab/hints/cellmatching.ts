/** Matches the files of a trace with the cells of a notebook, and traced lines with lines of cells. No DOM, no JupyterLab. */

import type { TraceGraph, CellAnnotations, PlacedLine, PlacedDiagnostic } from './cellannotations';
import type { CellFile, CellTrace, CellDiagnostic } from '../celltrace';
import { quickFixEdit } from '../quickfix/quickfix';
import { alignLines, matchesLine, type LineAlignment } from './linematching';

/** What matching needs to know of a code cell. */
export interface CellText {
  lines(): readonly string[];
  /** `[3]` in front of the cell; null before it ran. */
  readonly count: number | null;
}

/** A file of the trace, found in a cell. */
export interface CellMatch<C extends CellText> {
  cell: C;
  lines: PlacedLine[];
  warnings: Map<CellDiagnostic, PlacedDiagnostic>;
}

interface Candidate<C extends CellText> {
  cell: C;
  placement: LineAlignment;
}

/** The cell of a file: where most of what ran still stands; of copies the one that ran last before the trace. */
function cellOf<C extends CellText>(file: CellFile, cells: readonly C[], own: C): Candidate<C> | null {
  let best: Candidate<C> | null = null;
  const traced = file.spans.map(([, last]) => file.texts.get(last) ?? '');
  const rank = ({ count }: C): number =>
    count === null || (own.count !== null && count > own.count) ? -1 : count;
  for (const cell of cells) {
    const lines = cell.lines();
    if (!traced.some((text) => lines.some((line) => matchesLine(line, text)))) {
      continue;
    }
    const placement = alignLines(file, lines);
    const { exact } = placement;
    // A line alone may read like any other.
    const enough = exact > 0 && 2 * exact >= file.spans.length;
    const better =
      best === null ||
      exact > best.placement.exact ||
      (exact === best.placement.exact && rank(cell) > rank(best.cell));
    if (enough && better) {
      best = { cell, placement };
    }
  }
  return best;
}

function textsOf({ places }: LineAlignment, first: number, last: number): string[] | null {
  const texts: string[] = [];
  for (let line = first; line <= last; line++) {
    const place = places.get(line);
    if (place === undefined) {
      return null;
    }
    texts.push(place.text);
  }
  return texts;
}

function cellMatchOf<C extends CellText>(
  trace: CellTrace,
  file: CellFile,
  { cell, placement }: Candidate<C>,
): CellMatch<C> {
  const lines = file.lines.flatMap((line): PlacedLine[] => {
    const end = placement.places.get(line.last);
    const texts = textsOf(placement, line.first, line.last);
    return end === undefined || texts === null
      ? []
      : [{ line, file: file.file, at: end.line, shift: end.shift, texts }];
  });
  const warnings = new Map<CellDiagnostic, PlacedDiagnostic>();
  for (const warning of trace.warnings) {
    // Of several frames in this file the innermost.
    const place = warning.places.find(({ file: at }) => at === file.file);
    const end = place && placement.places.get(place.endLine);
    const texts = place && textsOf(placement, place.line, place.endLine);
    if (place && end && texts) {
      const rewrite =
        place.exact && !file.isLineMagic ? quickFixEdit(warning.warning, file.texts, place.endLine) : null;
      warnings.set(warning, { warning, place, at: end.line, shift: end.shift, texts, rewrite });
    }
  }
  return { cell, lines, warnings };
}

/** The cell of a file of a trace. `skip`: how many equal `%trace` lines come before this one in its cell. */
export function matchFile<C extends CellText>(
  trace: CellTrace,
  file: CellFile,
  own: C,
  cells: readonly C[],
  skip: number,
): CellMatch<C> | null {
  if (file.isTracedCell) {
    const placement = alignLines(file, own.lines(), skip);
    if (placement.exact > 0) {
      return cellMatchOf(trace, file, { cell: own, placement });
    }
    if (file.isLineMagic) {
      return null;
    }
  }
  const found = cellOf(file, cells, own);
  return found && cellMatchOf(trace, file, found);
}

/** The annotations of each cell, from the matches of the files of a trace. */
export function annotationsOf<C extends CellText>(
  trace: CellTrace,
  graph: TraceGraph,
  links: ReadonlyMap<number, CellMatch<C>>,
): Map<C, CellAnnotations> {
  const layers = new Map<C, CellAnnotations>();
  const layerAt = (cell: C): CellAnnotations => {
    let layer = layers.get(cell);
    if (layer === undefined) {
      layers.set(cell, (layer = { trace, graph, lines: [], warnings: [] }));
    }
    return layer;
  };
  links.forEach(({ cell, lines }) => layerAt(cell).lines.push(...lines));
  for (const warning of trace.warnings) {
    const at = warning.places.find(({ file }) => links.get(file)?.warnings.has(warning));
    const link = at && links.get(at.file);
    if (link !== undefined) {
      layerAt(link.cell).warnings.push(link.warnings.get(warning)!);
    }
  }
  return layers;
}
