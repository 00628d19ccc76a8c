/** What the first picture does without: a part of its own, which the browser reads when that picture is up. */

import { contextMenuFeature } from './features/input/contextmenu';
import { minimapFeature } from './features/minimap';
import { tooltipFeature } from './features/tooltip';
import { sourcePanelFeature } from './panels/sourcepanel';
import { compareFeature } from './panels/compare';
import { diffFeature } from './diff/differences';
import { runFeature } from './run/runbar';
import { exportFeature } from './features/export/export';
import { storyFeature } from './features/story';
import { sizeNamesFeature } from './features/sizenames';
import { helpFeature } from './features/help';
import { element } from './ui/dom';
import { sideBySideFeature } from './diff/sidebyside';
import { DEFERRED_STYLE } from '../generated/deferredstyle';
import type { Feature, MakeView, View } from './core/view';

const FEATURES: Feature[] = [
  contextMenuFeature,
  minimapFeature,
  tooltipFeature,
  sourcePanelFeature,
  compareFeature,
  diffFeature,
  runFeature,
  storyFeature,
  sizeNamesFeature,
  exportFeature,
  helpFeature,
];

/** `makePane` makes one of the views that stand side by side; in them there are no more of these. */
export function plugIn(view: View, makePane?: MakeView): void {
  const { events, frame, panel, theme } = view;
  const before = events.listening();
  frame.shadow.append(element('style', { text: DEFERRED_STYLE }));
  FEATURES.forEach((feature) => feature(view));
  if (makePane !== undefined) {
    sideBySideFeature(view, makePane);
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
