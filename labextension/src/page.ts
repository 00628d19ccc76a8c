/** The script of a standalone page that Python writes: `traced.to_html(path)`. */

import { startPage } from './explorer/standalone';

void startPage();
