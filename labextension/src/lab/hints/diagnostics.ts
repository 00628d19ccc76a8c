/** The message of a diagnostic, and its actions. */

import type { Action } from '@codemirror/lint';
import type { TraceGraph, PlacedDiagnostic } from './cellannotations';
import type { CellDiagnostic } from '../celltrace';
import { quickFixPreview } from '../quickfix/quickfix';

export interface DiagnosticTexts {
  specialized(value: string): string;
  outputs(names: string): string;
  /** Where the specialized expression is, if not here. */
  outside(place: string): string;
  check(answer: string): string;
  show: string;
  counterexample: string;
  quickFix: string;
  /** Why a quick fix was not applied. */
  changed: string;
}

/** A check found an input for which the trace is wrong; else it says how many it tried. */
const isCounterexample = (answer: string | undefined): boolean => answer?.startsWith('wrong for ') ?? false;

export function messageParts(
  { warning, outside, outputs }: CellDiagnostic,
  texts: DiagnosticTexts,
): string[] {
  return [
    ...(outside === '' ? [] : [texts.outside(outside)]),
    warning.message,
    ...(warning.constant === '' ? [] : [texts.specialized(warning.constant)]),
    ...(outputs.length === 0 ? [] : [texts.outputs(outputs.join(', '))]),
    ...(warning.verdict ? [texts.check(warning.verdict)] : []),
  ];
}

export function renderDiagnostic({ rewrite }: PlacedDiagnostic, parts: readonly string[]): HTMLElement {
  const node = document.createElement('div');
  node.className = 'tracelab-warning';
  parts.forEach((text) => (node.appendChild(document.createElement('div')).textContent = text));
  if (rewrite !== null) {
    node.appendChild(quickFixPreview(rewrite));
  }
  return node;
}

export function actionsFor(
  { warning: { warning, index }, rewrite }: PlacedDiagnostic,
  graph: TraceGraph,
  texts: DiagnosticTexts,
  applyFix: () => void,
): Action[] {
  const actions: Action[] = [];
  if (warning.node >= 0) {
    actions.push({ name: texts.show, apply: () => graph.select(warning.node) });
  }
  if (isCounterexample(warning.verdict)) {
    actions.push({ name: texts.counterexample, apply: () => graph.showDiagnostic(index) });
  }
  if (rewrite !== null) {
    actions.push({ name: texts.quickFix, apply: applyFix });
  }
  return actions;
}
