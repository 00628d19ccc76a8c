/**
 * What the explorer can do as soon as it shows a picture, one line each; `later.ts` lists what can wait until then. A
 * feature plugs itself into the `View` that it is given.
 */

import { keyboardFeature } from './keyboard';
import { pointingFeature } from './pointing';
import { historyFeature } from './history';
import { crumbsFeature } from './crumbs';
import { findFeature } from './find';
import { zoomFeature } from './zoom';
import { groupsFeature } from './groups';
import { repeatsFeature } from './repeats';
import { detailsFeature } from './details';
import { lightingFeature } from './lighting';
import { warningsFeature } from './warnings';
import { stopsFeature } from './stops';
import { emptyFeature } from './empty';
import type { View } from './view';

export type Feature = (view: View) => void;

export const FEATURES: Feature[] = [
  keyboardFeature,
  pointingFeature,
  historyFeature,
  crumbsFeature,
  findFeature,
  zoomFeature,
  groupsFeature,
  repeatsFeature,
  detailsFeature,
  lightingFeature,
  warningsFeature,
  stopsFeature,
  emptyFeature,
];
