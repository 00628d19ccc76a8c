/** The panel takes room from the picture, and gives it back: what is selected stays in sight. */

import type { View } from './view';

export interface PanelPlacement {
  open(tab?: string, recenter?: boolean): void;
  close(): void;
}

/** Of a box that is larger than what the panel leaves, this much is to be seen, in pixels. */
const PART = 60;

/** `resized` measures the picture anew. */
export function createPanelPlacement(view: View, resized: () => void): PanelPlacement {
  const { events, panel, stage, tree } = view;
  /** How far the picture stepped aside for the panel, in pixels. */
  let aside = { x: 0, y: 0 };

  /** Whether a box goes on under the panel, beside the picture or below it; or left the picture when that stepped aside. */
  const isHidden = (index: number): boolean => {
    const scene = view.scene!;
    const { scale, x, y } = stage.camera;
    const left = scene.x[index] * scale + x;
    const isCut = (start: number, size: number, free: number): boolean =>
      start + (size > free ? Math.min(PART * scale, size) : size) > free;
    return (
      isCut(left, scene.width[index] * scale, stage.width) ||
      (aside.x < left && left < 0 && scene.width[index] * scale < stage.width) ||
      isCut(scene.y[index] * scale + y, scene.height[index] * scale, stage.height)
    );
  };

  return {
    open(tab, recenter = false) {
      const isOpening = !panel.shown;
      const { width } = stage;
      panel.show(tab);
      events.emit('panel', true);
      if (isOpening) {
        resized();
        // Recentered, the picture moves to the middle of what the panel leaves; never so under a pointer.
        aside = { x: recenter ? (stage.width - width) / 2 : 0, y: 0 };
        stage.pan(aside.x, 0);
      }
      const index = view.selectedIndex;
      if (index >= 0 && isHidden(index)) {
        const before = stage.camera;
        stage.reveal(index);
        if (stage.camera.scale === before.scale) {
          aside = { x: aside.x + stage.camera.x - before.x, y: aside.y + stage.camera.y - before.y };
        }
      }
    },
    close() {
      panel.hide();
      events.emit('panel', false);
      resized();
      stage.pan(-aside.x, -aside.y);
      aside = { x: 0, y: 0 };
      tree.node.focus();
    },
  };
}
