// The bundles that Python ships, each one file with no imports left in it: the anywidget, and the standalone page
// as its script and its template. The widget's holds two parts: `parts.mjs` says how.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';
import { bundleParts, composed } from './parts.mjs';
import { pageTemplate, writePageScript } from './strings.mjs';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const static_ = (room) => resolve(here, '../tracelab', room, 'static');

/** A style sheet is a string to TypeScript; here it is minified as what it is. */
const styles = {
  name: 'styles',
  setup({ onLoad }) {
    onLoad({ filter: /\w*style\.ts$/ }, async ({ path }) => {
      const [, name, sheet] = /(\w+) = `([^`]*)`/.exec(readFileSync(path, 'utf8'));
      const { code } = await transform(sheet, { loader: 'css', minify: true });
      return { contents: `export const ${name} = ${JSON.stringify(code.trim())};` };
    });
  },
};

const SETTINGS = {
  bundle: true,
  format: 'esm',
  minify: true,
  target: 'es2022',
  legalComments: 'none',
  write: false,
};

async function bundle(entry) {
  const result = await build({ ...SETTINGS, entryPoints: [resolve(here, entry)], plugins: [styles] });
  return result.outputFiles[0].text;
}

/** What a browser reads of each, in kilobytes of 1,000 bytes: the smaller kilobyte makes the stricter limit. */
const kilobytes = (text) => Buffer.byteLength(text) / 1000;

function report(name, text, limit) {
  console.log(`${name} ${kilobytes(text).toFixed(1)} KB${limit === undefined ? '' : ` of ${limit}`}`);
  if (kilobytes(text) > limit) {
    console.error(`${name} is over its limit of ${limit} KB`);
    process.exitCode = 1;
  }
}

function put(outfile, text, limit) {
  mkdirSync(dirname(outfile), { recursive: true });
  writeFileSync(outfile, text);
  report(outfile.replace(/.*\//, ''), text, limit);
}

/** Inside a script element a text must not end it. */
function mustFitIntoPage(name, text) {
  if (/<\/script/i.test(text)) {
    console.error(`${name} would end its own script element`);
    process.exit(1);
  }
}

/**
 * A module that unpacks others. The text of a widget travels from the kernel to the page with every instance; packed
 * it is half as long. It is loaded from a Blob URL itself, so a page that shows it allows the second one too. All
 * widgets of a page share one copy of what is inside.
 */
function packed({ first, later }) {
  const parts = JSON.stringify([first, later]);
  const name = `tracelab ${createHash('sha256').update(parts).digest('hex').slice(0, 16)}`;
  return `const t="${gzipSync(parts, { level: 9 }).toString('base64')}";
const u=(...s)=>URL.createObjectURL(new Blob(s,{type:"text/javascript"}));
const m=await(globalThis[Symbol.for("${name}")]??=(async()=>{
const s=new Blob([Uint8Array.from(atob(t),c=>c.charCodeAt(0))]).stream().pipeThrough(new DecompressionStream("gzip"));
const[f,l]=JSON.parse(await new Response(s).text());
const p=JSON.stringify([u(${composed('later', 'l')}),u(${composed('page', 'f', 'l')})]);
return import(u(${composed('widget', 'p', 'f')}))})());
export default m.default;
`;
}

const parts = await bundleParts({
  entry: resolve(here, 'src/widget.ts'),
  later: resolve(here, 'src/explorer/deferred.ts'),
  joint: resolve(here, 'src/explorer/parts.ts'),
  settings: SETTINGS,
  plugins: [styles],
});
report('widget, what is read before the first picture:', parts.first, 150);
report('widget, what is read after it:', parts.later);
mustFitIntoPage('widget.js', parts.first + parts.later);
put(resolve(static_('jupyter'), 'widget.js'), packed(parts), 150);
const page = await bundle('src/page.ts');
mustFitIntoPage('page.js', page);
put(resolve(static_('render'), 'page.js'), page, 390);
writeFileSync(resolve(static_('render'), 'page.html'), pageTemplate());
// The plugin of JupyterLab saves pages too.
writePageScript(page);
