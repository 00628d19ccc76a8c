/** The panel takes room from the picture, and gives it back: what is selected stays in sight. */

import type { View } from './view';

export interface PanelPlacement {
  open(tab?: string, recenter?: boolean): void;
  close(): void;
}

/** `resized` measures the picture anew. */
export function createPanelPlacement(view: View, resized: () => void): PanelPlacement {
  const { events, frame, panel, stage, tree } = view;
  /** How far the picture stepped aside for the panel, in pixels. */
  let shifted = 0;

  /** What the panel leaves of the picture; on a narrow page it lies over it. */
  const freeWidth = (): number =>
    frame.root.classList.contains('narrow') ? stage.width - panel.node.offsetWidth : stage.width;

  const isHidden = (index: number): boolean => {
    const scene = view.scene!;
    const right = (scene.x[index] + Math.min(scene.width[index], 60)) * stage.camera.scale + stage.camera.x;
    return right > freeWidth();
  };

  const revealBeside = (index: number): void => {
    const scene = view.scene!;
    stage.reveal(index);
    const { scale, x } = stage.camera;
    const middle = (scene.x[index] + scene.width[index] / 2) * scale + x;
    if (isHidden(index) && freeWidth() > 0) {
      stage.pan(freeWidth() / 2 - middle, 0);
      shifted += freeWidth() / 2 - middle;
    }
  };

  return {
    open(tab, recenter = false) {
      const beside = !panel.shown;
      const before = stage.width;
      panel.show(tab);
      events.emit('panel', true);
      if (beside) {
        resized();
        // Recentered, the picture moves to the middle of what the panel leaves; never so under a pointer.
        shifted = recenter ? (stage.width - before) / 2 : 0;
        stage.pan(shifted, 0);
        const index = view.selectedIndex;
        if (index >= 0 && isHidden(index)) {
          revealBeside(index);
        }
      }
    },
    close() {
      panel.hide();
      events.emit('panel', false);
      resized();
      stage.pan(-shifted, 0);
      shifted = 0;
      tree.node.focus();
    },
  };
}
