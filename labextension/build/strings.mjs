// What other files hold that must travel inside a bundle, written out as strings: an anywidget module is loaded from
// a Blob URL, so it has no address from which the layout's worker or the page's template could be fetched.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The page without the white space between its elements. */
export const pageTemplate = () =>
  readFileSync(resolve(here, 'src/page.html'), 'utf8').replace(/\n\s+/g, ' ').replace(/> </g, '>\n<');

export async function buildStrings() {
  const result = await build({
    entryPoints: [resolve(here, 'src/layout/worker.ts')],
    bundle: true,
    format: 'iife',
    minify: true,
    target: 'es2020',
    write: false,
  });
  const out = resolve(here, 'src/generated');
  mkdirSync(out, { recursive: true });
  const write = (file, name, text) =>
    writeFileSync(resolve(out, file), `export const ${name}: string =\n  ${JSON.stringify(text)};\n`);
  write('worker.ts', 'WORKER_SOURCE', result.outputFiles[0].text);
  write('page.ts', 'PAGE_TEMPLATE', pageTemplate());
}

await buildStrings();
