// The anywidget bundle: one ES module, no imports left in it.
import { mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import './worker.mjs';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const out = resolve(here, '../tracelab/jupyter/static');
const LIMIT = 150 * 1024;

mkdirSync(out, { recursive: true });
const result = await build({
  entryPoints: [resolve(here, 'src/widget.ts')],
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2020',
  legalComments: 'none',
  metafile: true,
  outfile: resolve(out, 'widget.js'),
});
const bytes = Object.values(result.metafile.outputs)[0].bytes;
console.log(`widget.js ${(bytes / 1024).toFixed(1)} KB`);
// The text of the bundle travels to the page with every widget, so its size is a promise.
if (bytes > LIMIT) {
  console.error(`widget.js is over its limit of ${LIMIT / 1024} KB`);
  process.exit(1);
}
