// The bundles that Python ships, each one file with no imports left in it: the anywidget, and the standalone page
// as its script and its template.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { pageTemplate, writePageScript } from './strings.mjs';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const static_ = (room) => resolve(here, '../tracelab', room, 'static');

/** The style sheet is a string to TypeScript; here it is minified as what it is. */
const styles = {
  name: 'styles',
  setup({ onLoad }) {
    onLoad({ filter: /explorer[\\/]style\.ts$/ }, async ({ path }) => {
      const [, sheet] = /STYLE = `([^`]*)`/.exec(readFileSync(path, 'utf8'));
      const { code } = await transform(sheet, { loader: 'css', minify: true });
      return { contents: `export const STYLE = ${JSON.stringify(code.trim())};` };
    });
  },
};

async function bundle(entry, outfile, limit) {
  mkdirSync(dirname(outfile), { recursive: true });
  const result = await build({
    entryPoints: [resolve(here, entry)],
    bundle: true,
    format: 'esm',
    minify: true,
    target: 'es2020',
    legalComments: 'none',
    metafile: true,
    plugins: [styles],
    outfile,
  });
  const bytes = Object.values(result.metafile.outputs)[0].bytes;
  console.log(`${outfile.replace(/.*\//, '')} ${(bytes / 1024).toFixed(1)} KB`);
  if (bytes > limit * 1024) {
    console.error(`${outfile} is over its limit of ${limit} KB`);
    process.exit(1);
  }
}

// The text of the widget travels to the page with every instance, so its size is a promise.
await bundle('src/widget.ts', resolve(static_('jupyter'), 'widget.js'), 150);
const page = resolve(static_('render'), 'page.js');
await bundle('src/page.ts', page, 390);
if (/<\/script/i.test(readFileSync(page, 'utf8'))) {
  console.error('page.js would end its own script element');
  process.exit(1);
}
writeFileSync(resolve(static_('render'), 'page.html'), pageTemplate());
// The plugin of JupyterLab saves pages too.
writePageScript(readFileSync(page, 'utf8'));
