/** What a squiggle says, and what can be done about it. */

import type { Action } from '@codemirror/lint';
import type { Graph, PlacedWarning } from './placed';
import type { CellWarning } from '../celltrace';
import { previewOf } from '../quickfix/quickfix';

export interface WarningWords {
  frozen(value: string): string;
  outputs(names: string): string;
  /** Where the frozen expression stands, if not here. */
  outside(place: string): string;
  check(answer: string): string;
  show: string;
  counterexample: string;
  mend: string;
  /** Why a mend was not made. */
  changed: string;
}

/** A check found an input for which the trace is wrong; else it says how many it tried. */
const isCounterexample = (answer: string | undefined): boolean => answer?.startsWith('wrong for ') ?? false;

export function messageParts({ warning, outside, outputs }: CellWarning, words: WarningWords): string[] {
  return [
    ...(outside === '' ? [] : [words.outside(outside)]),
    warning.message,
    ...(warning.value === '' ? [] : [words.frozen(warning.value)]),
    ...(outputs.length === 0 ? [] : [words.outputs(outputs.join(', '))]),
    ...(warning.answer ? [words.check(warning.answer)] : []),
  ];
}

export function renderWarning({ rewrite }: PlacedWarning, parts: readonly string[]): HTMLElement {
  const node = document.createElement('div');
  node.className = 'tracelab-warning';
  parts.forEach((text) => (node.appendChild(document.createElement('div')).textContent = text));
  if (rewrite !== null) {
    node.appendChild(previewOf(rewrite));
  }
  return node;
}

export function actionsFor(
  { warning: { warning, index }, rewrite }: PlacedWarning,
  graph: Graph,
  words: WarningWords,
  mend: () => void,
): Action[] {
  const actions: Action[] = [];
  if (warning.node >= 0) {
    actions.push({ name: words.show, apply: () => graph.select(warning.node) });
  }
  if (isCounterexample(warning.answer)) {
    actions.push({ name: words.counterexample, apply: () => graph.warn(index) });
  }
  if (rewrite !== null) {
    actions.push({ name: words.mend, apply: mend });
  }
  return actions;
}
