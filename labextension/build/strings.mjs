// What other files hold that must travel inside a bundle: an anywidget module is loaded from a Blob URL, so it has no
// address from which the layout's worker or the page's template could be fetched.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');

/** The page without the white space between its elements. */
export const pageTemplate = () =>
  readFileSync(resolve(here, 'src/page.html'), 'utf8').replace(/\n\s+/g, ' ').replace(/> </g, '>\n<');

const out = resolve(here, 'src/generated');

export function writePageScript(text) {
  writeFileSync(
    resolve(out, 'pagescript.ts'),
    `export const PAGE_SCRIPT: string =\n  ${JSON.stringify(text)};\n`,
  );
}

/** The layout as one function that refers to nothing outside of it, so that its text can start a worker. */
async function layoutFunction() {
  const result = await build({
    entryPoints: [resolve(here, 'src/layout/worker.ts')],
    bundle: true,
    format: 'esm',
    minify: true,
    target: 'es2020',
    write: false,
  });
  const [, body, names] = /^(.*)export\{(.*?)\};?\s*$/s.exec(result.outputFiles[0].text);
  const returned = names.split(',').map((each) => each.split(' as ').reverse().join(':'));
  return `${body}return{${returned.join(',')}};`;
}

export async function buildStrings() {
  mkdirSync(out, { recursive: true });
  writeFileSync(
    resolve(out, 'layout.ts'),
    `// @ts-nocheck\nexport function layoutModule(): typeof import('../layout/worker') {\n${await layoutFunction()}\n}\n`,
  );
  writeFileSync(
    resolve(out, 'page.ts'),
    `export const PAGE_TEMPLATE: string =\n  ${JSON.stringify(pageTemplate())};\n`,
  );
  if (!existsSync(resolve(out, 'pagescript.ts'))) {
    // Filled when the bundles are built.
    writePageScript('');
  }
}

await buildStrings();
