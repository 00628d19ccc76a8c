/** What the first picture does without: a part of its own, which the browser reads when that picture is up. */

import { contextMenuFeature } from './contextmenu';
import { minimapFeature } from './minimap';
import { tooltipFeature } from './tooltip';
import { linesFeature } from './lines';
import { compareFeature } from './compare';
import { diffFeature } from './diff';
import { runFeature } from './run';
import { savingFeature } from './saving';
import { helpFeature } from './help';
import { element } from './dom';
import type { Feature } from './features';
import { LATER_STYLE } from './laterstyle';
import { RUN_STYLE } from './runstyle';
import { sidesFeature, type MakeView } from './sides';
import type { View } from './view';

const FEATURES: Feature[] = [
  contextMenuFeature,
  minimapFeature,
  tooltipFeature,
  linesFeature,
  compareFeature,
  diffFeature,
  runFeature,
  savingFeature,
  helpFeature,
];

/** `makePane` makes one of the views that stand side by side; in them there are no more of these. */
export function plugIn(view: View, makePane?: MakeView): void {
  const { events, frame, panel, theme } = view;
  const before = events.listening();
  frame.shadow.append(element('style', { text: LATER_STYLE + RUN_STYLE }));
  FEATURES.forEach((feature) => feature(view));
  if (makePane !== undefined) {
    sidesFeature(view, makePane);
  }
  events.catchUp(before, 'theme', theme);
  if (view.graph !== null) {
    events.catchUp(before, 'graph', view.graph);
  }
  if (view.scene !== null) {
    events.catchUp(before, 'scene', view.scene);
  }
  if (view.selected >= 0) {
    events.catchUp(before, 'select', view.selected, false);
  }
  panel.refresh();
  view.stage.repaint();
}
