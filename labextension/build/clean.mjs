// Output files carry hashes in their names: what an earlier build left behind would be shipped too.
import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
for (const folder of ['lib', '../tracelab/labextension']) {
  rmSync(resolve(here, folder), { recursive: true, force: true });
}
