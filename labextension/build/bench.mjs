// Bundles the benchmarks for Node and runs the one that is named, with the rest of the command line.
import { spawnSync } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import './generate.mjs';

const here = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const [name, ...rest] = process.argv.slice(2);
await build({
  entryPoints: [`benchmarks/${name}.ts`, 'benchmarks/peers.ts'].map((path) => resolve(here, path)),
  bundle: true,
  platform: 'node',
  format: 'esm',
  // elkjs and others are CommonJS: they stay outside.
  packages: 'external',
  logLevel: 'warning',
  outdir: resolve(here, 'lib/benchmarks'),
  outExtension: { '.js': '.mjs' },
});
process.exit(
  spawnSync(process.execPath, [resolve(here, `lib/benchmarks/${name}.mjs`), ...rest], { stdio: 'inherit' })
    .status ?? 1,
);
