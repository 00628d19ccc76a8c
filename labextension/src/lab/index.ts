/** The plugins for JupyterLab and Notebook 7. */

import { files } from './files/plugin';
import { hints } from './hints/plugin';
import { renderer } from './renderer/renderer';
import { traces } from './traces/plugin';

export default [renderer, hints, traces, files];
