/** Zooming by buttons and keys. */

import * as strings from '../../../i18n/strings';
import { icon } from '../../ui/icons';
import { ORDER } from '../../ui/toolbar';
import type { View } from '../../core/view';

export function zoomFeature({ toolbar, keys, stage }: View): void {
  const order = ORDER.zoom;
  toolbar.add({ label: strings.zoomOut(), face: icon('minus'), order, run: () => stage.zoom(1 / 1.3) });
  toolbar.add({ label: strings.zoomIn(), face: icon('plus'), order, run: () => stage.zoom(1.3) });
  toolbar.add({ label: strings.fit(), face: icon('fit'), order, run: () => stage.fit() });
  keys.bind({
    keys: ['f'],
    help: ['f', strings.helpFit()],
    anywhere: true,
    run: () => stage.fit(),
  });
  keys.bind({ keys: ['+', '='], help: ['+ −', strings.helpZoom()], run: () => stage.zoom(1.25) });
  keys.bind({ keys: ['-'], run: () => stage.zoom(0.8) });
}
