/**
 * The hint at the end of a line: the shape of what the line made; and its hover, which lists every value of the line
 * and, after a run in place, its time and statistics.
 */

import { WidgetType } from '@codemirror/view';
import { Role, type ViewDocument } from '../../protocol/viewdocument';
import { plainText, secondsText } from '../../model/run/metrics';
import type { RunData, Statistics } from '../../model/run/rundata';
import { typeText, type CellTrace, type TracedLine } from '../celltrace';
import { tracedShape } from '../../model/describe';

export class Hint extends WidgetType {
  constructor(
    readonly text: string,
    readonly stale: string,
  ) {
    super();
  }

  override eq(other: Hint): boolean {
    return other.text === this.text && other.stale === this.stale;
  }

  toDOM(): HTMLElement {
    const node = document.createElement('span');
    node.className = 'tracelab-hint' + (this.stale ? ' tracelab-hint-stale' : '');
    node.textContent = this.text;
    node.title = this.stale;
    // What a screen reader should read is the code.
    node.setAttribute('aria-hidden', 'true');
    return node;
  }

  override ignoreEvent(): boolean {
    return false;
  }
}

const LISTED = 200;

export interface HoverTexts {
  value: string;
  type: string;
  operator: string;
  module: string;
  time: string;
  statistics: string;
  more(count: number): string;
  total(seconds: string): string;
  /** Lowest, highest, mean and standard deviation. */
  spread(min: string, max: string, mean: string, std: string): string;
  nonfinite(nans: number, infs: number): string;
}

function scopePath(view: ViewDocument, scope: number): string {
  const parts: string[] = [];
  for (let at = scope; at > 0; at = view.scopes.parent[at]) {
    parts.unshift(view.strings[view.scopes.name[at]]);
  }
  return parts.join('.');
}

function statisticsText(found: Statistics | undefined, texts: HoverTexts): string {
  if (found === undefined) {
    return '';
  }
  const { min, max, mean, std, nans, infs } = found;
  const parts: string[] = [];
  if (min !== null && max !== null) {
    const text = (number: number | null): string => (number === null ? '–' : plainText(number));
    parts.push(texts.spread(text(min), text(max), text(mean), text(std)));
  }
  if (nans > 0 || infs > 0) {
    parts.push(texts.nonfinite(nans, infs));
  }
  return parts.join(', ');
}

function timeText(run: RunData, node: number): string {
  const seconds = run.seconds[node];
  return seconds === undefined || Number.isNaN(seconds) ? '' : secondsText(seconds);
}

/** `float32[batch, 128]`, and the sizes at the trace where these have names. */
function wholeType({ view, names }: CellTrace, value: number): string {
  const type = typeText(view, value, names);
  return names.has(value) ? `${type} = ${tracedShape(view, value)}` : type;
}

export function hoverOf(
  trace: CellTrace,
  line: TracedLine,
  run: RunData | null,
  texts: HoverTexts,
): HTMLElement {
  const { view } = trace;
  const node = document.createElement('div');
  node.className = 'tracelab-hover';
  const made = line.nodes.flatMap((at) => view.nodes.outputs[at]);
  const titles = [texts.value, texts.type, texts.operator, texts.module, texts.time, texts.statistics];
  const rows = made.slice(0, LISTED).map((value) => {
    const maker = view.values.node[value];
    return [
      view.strings[view.values.name[value]],
      wholeType(trace, value),
      view.values.role[value] === Role.Computed && maker >= 0 ? view.strings[view.nodes.kind[maker]] : '',
      maker < 0 ? '' : scopePath(view, view.nodes.scope[maker]),
      run === null ? '' : timeText(run, maker),
      run === null ? '' : statisticsText(run.statistics.get(value), texts),
    ];
  });
  // Of a cell without modules, or before a run, some columns are empty.
  const columns = titles.map((_, at) => at).filter((at) => rows.some((row) => row[at] !== ''));
  const table = node.appendChild(document.createElement('table'));
  const header = table.createTHead().insertRow();
  for (const at of columns) {
    const cell = header.appendChild(document.createElement('th'));
    cell.scope = 'col';
    cell.textContent = titles[at];
  }
  const body = table.createTBody();
  for (const texts of rows) {
    const row = body.insertRow();
    columns.forEach((at) => (row.insertCell().textContent = texts[at]));
  }
  if (made.length > LISTED) {
    node.appendChild(document.createElement('div')).textContent = texts.more(made.length - LISTED);
  }
  if (run !== null) {
    const ran = line.nodes.map((at) => run.seconds[at] ?? NaN).filter((seconds) => !Number.isNaN(seconds));
    if (ran.length > 1) {
      const total = ran.reduce((sum, seconds) => sum + seconds, 0);
      node.appendChild(document.createElement('div')).textContent = texts.total(secondsText(total));
    }
  }
  return node;
}
