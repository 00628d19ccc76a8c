/** Of several recordings: which one is shown, as a list in the toolbar. */

import * as strings from '../../i18n/strings';
import type { TraceCase } from '../../protocol/viewdocument';
import { element } from '../ui/dom';
import { ORDER } from '../ui/toolbar';
import type { View } from '../core/view';

export function casesFeature(view: View): void {
  let listed: readonly TraceCase[] = [];
  const list = element('select', {
    class: 'select cases',
    attributes: { 'aria-label': strings.recording() },
  });
  list.hidden = true;
  list.addEventListener('change', () => {
    view.showCase(Number(list.value));
    view.frame.announce(strings.recordingShown(list.selectedOptions[0]?.textContent ?? ''));
  });
  view.toolbar.place(list, ORDER.cases);
  view.events.on('graph', () => {
    const { cases, caseIndex } = view;
    list.hidden = cases.length < 2;
    if (cases !== listed) {
      listed = cases;
      list.replaceChildren(
        ...cases.map(({ label }, at) =>
          element('option', { text: label, attributes: { value: String(at) } }),
        ),
      );
    }
    list.value = String(caseIndex);
    // The name may be cut off in the list.
    list.title = `${cases[caseIndex]?.label ?? ''}\n${strings.recordingHelp()}`;
  });
}
