/** What changed of one element: a part of its details. */

import { changeText, differencesOf, Mark, markOf, SIGNS, WORDS } from '../model/diff';
import type { Element, Hierarchy } from '../model/hierarchy';
import { section } from './detailparts';
import { element } from './dom';

/** A table of what, before and after; null where the element is the same, or there is but one graph. */
export function changeSection(h: Hierarchy, at: Element): HTMLElement | null {
  const differences = differencesOf(h);
  const mark = markOf(h, at);
  const changes = differences?.changes.get(at) ?? [];
  if (differences === null || (mark === Mark.Same && changes.length === 0)) {
    return null;
  }
  const word = mark === Mark.Same ? 'Reads from another' : `${SIGNS[mark]} ${WORDS[mark]}`;
  const rows = changes.map((change) =>
    element(
      'tr',
      {},
      element('th', { text: change.what, attributes: { scope: 'row' } }),
      element('td', { class: 'mono', text: changeText({ ...change, what: 'operator' }) }),
    ),
  );
  return section(
    word,
    rows.length > 0
      ? element('table', { class: 'changes' }, ...rows)
      : element('p', { text: sentence(mark) }),
  );
}

const sentence = (mark: Mark): string =>
  mark === Mark.Added
    ? 'Only the second graph has it.'
    : mark === Mark.Removed
      ? 'Only the first graph has it.'
      : 'Something in it is different.';
