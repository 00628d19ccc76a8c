/** A graph without operators says so: an empty picture would look like an error. */

import * as strings from '../../i18n/strings';
import { element } from '../ui/dom';
import type { View } from '../core/view';

export function emptyStateFeature(view: View): void {
  const note = element('p', {
    class: 'empty-state',
    text: strings.emptyGraph(),
    attributes: { role: 'note' },
  });
  view.stage.node.append(note);
  view.events.on('graph', (h) => (note.hidden = h.nodes > 0));
}
