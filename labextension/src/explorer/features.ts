/** All that the explorer can do, one line each; a feature plugs itself into the `View` that it is given. */

import { detailsFeature } from './details';
import { emptyFeature } from './empty';
import { findFeature } from './find';
import { historyFeature } from './history';
import { contextMenuFeature } from './contextmenu';
import { crumbsFeature } from './crumbs';
import { lightingFeature } from './lighting';
import { compareFeature } from './compare';
import { linesFeature } from './lines';
import { savingFeature } from './saving';
import { stopsFeature } from './stops';
import { tooltipFeature } from './tooltip';
import { groupsFeature } from './groups';
import { repeatsFeature } from './repeats';
import { diffFeature } from './diff';
import { helpFeature } from './help';
import { keyboardFeature } from './keyboard';
import { minimapFeature } from './minimap';
import { pointingFeature } from './pointing';
import { runFeature } from './run';
import { warningsFeature } from './warnings';
import { zoomFeature } from './zoom';
import type { View } from './view';

export type Feature = (view: View) => void;

export const FEATURES: Feature[] = [
  keyboardFeature,
  pointingFeature,
  contextMenuFeature,
  minimapFeature,
  tooltipFeature,
  historyFeature,
  crumbsFeature,
  findFeature,
  zoomFeature,
  groupsFeature,
  repeatsFeature,
  detailsFeature,
  linesFeature,
  compareFeature,
  lightingFeature,
  warningsFeature,
  diffFeature,
  runFeature,
  stopsFeature,
  savingFeature,
  emptyFeature,
  helpFeature,
];
