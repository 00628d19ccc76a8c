/** Zooming by buttons and keys. */

import { icon } from '../../ui/icons';
import { ORDER } from '../../ui/toolbar';
import type { View } from '../../core/view';

export function zoomFeature({ toolbar, keys, stage }: View): void {
  const order = ORDER.zoom;
  toolbar.add({ label: 'Zoom out', face: icon('minus'), order, run: () => stage.zoom(1 / 1.3) });
  toolbar.add({ label: 'Zoom in', face: icon('plus'), order, run: () => stage.zoom(1.3) });
  toolbar.add({ label: 'Fit (f)', face: icon('fit'), order, run: () => stage.fit() });
  keys.bind({
    keys: ['f'],
    help: ['f', 'fit the graph into view'],
    anywhere: true,
    run: () => stage.fit(),
  });
  keys.bind({ keys: ['+', '='], help: ['+ −', 'zoom'], run: () => stage.zoom(1.25) });
  keys.bind({ keys: ['-'], run: () => stage.zoom(0.8) });
}
