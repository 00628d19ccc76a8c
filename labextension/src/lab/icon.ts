/** The mark of tracelab in tabs, menus and cards; its colours are the theme's. */

import { LabIcon } from '@jupyterlab/ui-components';

export const traceIcon = new LabIcon({
  name: 'tracelab:trace',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <rect x="8" y="2" width="8" height="5" rx="1.5"/>
    <rect x="2" y="10" width="8" height="5" rx="1.5"/>
    <rect x="14" y="10" width="8" height="5" rx="1.5"/>
    <rect x="8" y="18" width="8" height="5" rx="1.5"/>
    <path d="M10.6 6h1.6L7 11H5.400zM13.400 6h-1.600l5.200 5h1.600zM5.400 14H7l5.200 5h-1.600zM18.600 14H17l-5.200 5h1.600z"/>
  </g>
</svg>`,
});
