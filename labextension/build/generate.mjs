// Writes `src/generated`: what is text to the explorer but a file of its own here. All bundlers and the tests then read
// plain modules. An anywidget module is loaded from a Blob URL, so it has no address from which it could fetch any of it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const out = resolve(here, 'src/generated');

export const pageTemplate = () => readFileSync(resolve(here, 'src/page.html'), 'utf8');

function writeText(file, name, text) {
  writeFileSync(resolve(out, file), `export const ${name}: string =\n  ${JSON.stringify(text)};\n`);
}

export const writePageScript = (text) => writeText('pagescript.ts', 'PAGE_SCRIPT', text);

async function minified(entry, options) {
  const { outputFiles } = await build({
    entryPoints: [resolve(here, entry)],
    bundle: true,
    minify: true,
    target: 'es2020',
    write: false,
    ...options,
  });
  return outputFiles[0].text.trim();
}

/** Properties that never leave the layout: their names may be short. */
const WITHIN_LAYOUT =
  /^(ranks|upperOffset|lowerOffset|upper|lower|inPorts|outPorts|rows|source|target|members|start|count|kind|bends|bendNet|nets|items|signature|entry|exit|below|above|high|low|track|fixed|lanes|lane|used|apart|reach|steps|weight|still|lines)$/;

/** The layout as one function that refers to nothing outside of it, so that its text can start a worker. */
async function writeLayout() {
  const text = await minified('src/layout/worker.ts', {
    format: 'iife',
    globalName: 'tracelabLayout',
    mangleProps: WITHIN_LAYOUT,
  });
  writeFileSync(
    resolve(out, 'layout.ts'),
    `// @ts-nocheck\nexport function layoutModule(): typeof import('../layout/worker') {\n${text}\nreturn tracelabLayout;\n}\n`,
  );
}

mkdirSync(out, { recursive: true });
await writeLayout();
writeText('page.ts', 'PAGE_TEMPLATE', pageTemplate());
writeText('explorerstyle.ts', 'EXPLORER_STYLE', await minified('src/explorer/explorer.css', {}));
writeText('deferredstyle.ts', 'DEFERRED_STYLE', await minified('src/explorer/deferred.css', {}));
if (!existsSync(resolve(out, 'pagescript.ts'))) {
  // Filled when the bundles are built.
  writePageScript('');
}
