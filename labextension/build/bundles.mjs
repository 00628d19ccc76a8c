// The bundles that Python ships, each one file with no imports left in it: the anywidget, and the standalone page as its
// script and its template. The widget's is packed: see `src/loader.ts`.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { minify } from 'terser';
import { pageTemplate, writePageScript } from './generate.mjs';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const static_ = (room) => resolve(here, '../tracelab', room, 'static');

/** In one file nothing is loaded later, and each module that could be would stand in a function of its own: 5 KB. */
const inOneFile = {
  name: 'in one file',
  setup({ onLoad }) {
    onLoad({ filter: /explorer[\\/]loaddeferred\.ts$/ }, () => ({
      contents: "import { plugIn } from './deferred'; export const loadDeferred = async () => ({ plugIn });",
      loader: 'ts',
    }));
  },
};

/** Properties of what the explorer makes for itself: no document, message or page knows their names. */
const WITHIN_EXPLORER =
  /^(addLayer|boxWidth|caseIndex|catchUp|closePanel|disconnectedReason|edgeLabel|foldedInto|gradientMaker|gradientsOf|inputIndex|isAdditive|isBackground|isDefaultOpened|isFunction|isPhase|nodeWarnings|onClick|onDoubleClick|onToggle|onWheelRefused|opCount|openPanel|parameterCount|qualifier|repaint|scopeFailed|scopeWarnings|setCamera|setGraph|setOverlay|widthBySize)$/;

const bundle = async (options) => {
  const { outputFiles } = await build({
    absWorkingDir: here,
    bundle: true,
    minify: true,
    target: 'es2022',
    legalComments: 'none',
    write: false,
    plugins: [inOneFile],
    mangleProps: WITHIN_EXPLORER,
    ...options,
  });
  // What esbuild has put together, terser makes smaller once more: 3 % of it, and 6 % when it is packed.
  // No function of ours is a constructor, so each may be an arrow.
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2020,
    module: options.format === 'esm',
    compress: { passes: 3, unsafe_arrows: true },
  });
  return code.trimEnd();
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

async function bundleWidget() {
  const script = await bundle({ entryPoints: ['src/widget.ts'], format: 'iife', globalName: 'tracelab' });
  mustFitIntoPage('widget.js', script);
  report('widget, unpacked:', script, 230);
  return bundle({
    entryPoints: ['src/loader.ts'],
    format: 'esm',
    define: {
      PACKED: JSON.stringify(gzipSync(script, { level: 9 }).toString('base64')),
      VERSION: JSON.stringify(createHash('sha256').update(script).digest('hex').slice(0, 16)),
    },
  });
}

async function bundlePage() {
  const script = await bundle({ entryPoints: ['src/page.ts'], format: 'esm' });
  mustFitIntoPage('page.js', script);
  return script;
}

put(resolve(static_('jupyter'), 'widget.js'), await bundleWidget(), 116);
const page = await bundlePage();
put(resolve(static_('render'), 'page.js'), page, 230);
writeFileSync(resolve(static_('render'), 'page.html'), pageTemplate());
// The plugin of JupyterLab saves pages too.
writePageScript(page);
