// The bundles that Python ships, each one file with no imports left in it: the anywidget, and the standalone page
// as its script and its template.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
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

async function bundle(entry) {
  const result = await build({
    entryPoints: [resolve(here, entry)],
    bundle: true,
    format: 'esm',
    minify: true,
    target: 'es2022',
    legalComments: 'none',
    plugins: [styles],
    write: false,
  });
  return result.outputFiles[0].text;
}

const kilobytes = (text) => Buffer.byteLength(text) / 1024;

function put(outfile, text, limit, unpacked = text) {
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(outfile, text);
  const note = unpacked === text ? '' : ` (${kilobytes(unpacked).toFixed(1)} KB unpacked)`;
  console.log(`${outfile.replace(/.*\//, '')} ${kilobytes(text).toFixed(1)} KB${note}`);
  if (kilobytes(text) > limit) {
    console.error(`${outfile} is over its limit of ${limit} KB`);
    process.exitCode = 1;
  }
}

/**
 * A module that unpacks another. The text of a widget travels from the kernel to the page with every instance; packed
 * it is half as long. It is loaded from a Blob URL itself, so a page that shows it allows the second one too.
 */
const packed = (text) =>
  `const t="${gzipSync(text, { level: 9 }).toString('base64')}";` +
  'const s=new Blob([Uint8Array.from(atob(t),c=>c.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream("gzip"));' +
  'const m=await import(URL.createObjectURL(new Blob([await new Response(s).text()],{type:"text/javascript"})));' +
  'export default m.default;\n';

const widget = await bundle('src/widget.ts');
put(resolve(static_('jupyter'), 'widget.js'), packed(widget), 150, widget);
const page = resolve(static_('render'), 'page.js');
put(page, await bundle('src/page.ts'), 390);
if (/<\/script/i.test(readFileSync(page, 'utf8'))) {
  console.error('page.js would end its own script element');
  process.exit(1);
}
writeFileSync(resolve(static_('render'), 'page.html'), pageTemplate());
// The plugin of JupyterLab saves pages too.
writePageScript(readFileSync(page, 'utf8'));
