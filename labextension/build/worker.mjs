// Bundles the layout worker and writes it out as a string: an anywidget module is loaded from a Blob URL, so it
// has no address from which a worker file could be fetched.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');

export async function buildWorker() {
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
  const text = JSON.stringify(result.outputFiles[0].text);
  writeFileSync(resolve(out, 'worker.ts'), `export const WORKER_SOURCE: string =\n  ${text};\n`);
}

await buildWorker();
