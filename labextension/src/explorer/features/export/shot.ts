/** What of the picture is saved. */

import type { Camera } from '../../canvas/camera';
import type { Scene } from '../../canvas/scene';
import type { View } from '../../core/view';

export interface Shot {
  camera: Camera;
  width: number;
  height: number;
}

export const onScreen = ({ stage: { camera, width, height } }: View): Shot => ({ camera, width, height });

export const wholeOf = ({ bounds }: Scene, margin: number): Shot => ({
  camera: { x: margin - bounds.x, y: margin - bounds.y, scale: 1 },
  width: bounds.width + 2 * margin,
  height: bounds.height + 2 * margin,
});
