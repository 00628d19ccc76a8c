// The bundles that Python ships, each one file with no imports left in it: the anywidget, and the standalone page as its
// script and its template. `src/loader.ts` says of what the widget's consists.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { pageTemplate, writePageScript } from './generate.mjs';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const static_ = (room) => resolve(here, '../tracelab', room, 'static');

const bundle = async (options) => {
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    bundle: true,
    minify: true,
    target: 'es2022',
    legalComments: 'none',
    metafile: true,
    write: false,
    ...options,
  });
  return { text: outputFiles[0].text.trimEnd(), metafile };
};

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
 * The core: a script that defines `tracelab`. `required` holds the modules that the deferred part requires: numbers and
 * paths. `deferredFrom` evaluates that part.
 */
function bundleCore(required) {
  const contents = `
    export { createWidget } from './src/widget';
    export { startPage } from './src/explorer/standalone';
    ${required.map(([number, path]) => `import * as module${number} from './${path}';`).join('\n')}
    const modules = { ${required.map(([number]) => `${number}: module${number}`)} };
    export function deferredFrom(factory) {
      const module = { exports: {} };
      factory((number) => modules[number], module, module.exports);
      return module.exports;
    }`;
  return bundle({ stdin: { contents, resolveDir: here }, format: 'iife', globalName: 'tracelab' });
}

/**
 * The deferred part as a CommonJS module. A module of the core stays outside of it, so that there is one copy: it is
 * required by its place in `core`.
 */
function bundleDeferred(core) {
  const fromCore = {
    name: 'from-core',
    setup({ onResolve, resolve: find }) {
      onResolve({ filter: /^\./ }, async ({ path, pluginData, ...rest }) => {
        if (pluginData === fromCore) {
          return undefined;
        }
        const found = await find(path, { ...rest, pluginData: fromCore });
        const number = core.indexOf(relative(here, found.path).replaceAll('\\', '/'));
        return number < 0 ? found : { path: String(number), external: true };
      });
    },
  };
  return bundle({ entryPoints: ['src/explorer/deferred.ts'], format: 'cjs', plugins: [fromCore] });
}

async function bundleWidget() {
  const modules = Object.keys((await bundleCore([])).metafile.inputs);
  const deferred = await bundleDeferred(modules);
  const [{ imports }] = Object.values(deferred.metafile.outputs);
  const numbers = new Set(imports.map(({ path }) => Number(path)));
  const core = await bundleCore([...numbers].map((number) => [number, modules[number]]));
  const parts = JSON.stringify([core.text, deferred.text]);
  mustFitIntoPage('widget.js', parts);
  report('widget, what is read before the first picture:', core.text, 150);
  report('widget, what is read after it:', deferred.text);
  const loader = await bundle({
    entryPoints: ['src/loader.ts'],
    format: 'esm',
    define: {
      PACKED: JSON.stringify(gzipSync(parts, { level: 9 }).toString('base64')),
      VERSION: JSON.stringify(createHash('sha256').update(parts).digest('hex').slice(0, 16)),
    },
  });
  return loader.text;
}

async function bundlePage() {
  const { text } = await bundle({ entryPoints: ['src/page.ts'], format: 'esm' });
  mustFitIntoPage('page.js', text);
  return text;
}

put(resolve(static_('jupyter'), 'widget.js'), await bundleWidget(), 110);
const page = await bundlePage();
put(resolve(static_('render'), 'page.js'), page, 230);
writeFileSync(resolve(static_('render'), 'page.html'), pageTemplate());
// The plugin of JupyterLab saves pages too.
writePageScript(page);
