/** All that the explorer can do, one line each; a feature plugs itself into the `View` that it is given. */

import { detailsFeature } from './details';
import { findFeature } from './searchbox';
import { groupsFeature } from './groups';
import { helpFeature } from './help';
import { keyboardFeature } from './keyboard';
import { pointingFeature } from './pointing';
import { warningsFeature } from './warnings';
import { zoomFeature } from './zoom';
import type { View } from './view';

export type Feature = (view: View) => void;

export const FEATURES: Feature[] = [
  keyboardFeature,
  pointingFeature,
  findFeature,
  zoomFeature,
  groupsFeature,
  detailsFeature,
  warningsFeature,
  helpFeature,
];
