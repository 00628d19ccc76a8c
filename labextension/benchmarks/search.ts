/**
 * How long a keystroke in the search field takes over a trace of 100,000 nodes, ours against one text per element
 * that is scanned whole (what most explorers do): `npm run bench -- search`.
 */

import { buildHierarchy } from '../src/model/hierarchy';
import { buildIndex, search, type SearchIndex } from '../src/model/search';
import { DocumentBuilder } from '../tests/fixtures/builder';
import type { ViewDocument } from '../src/protocol/viewdocument';

/** Blocks of 20 operators, each in its own place in a file, with names and parameters of their own. */
function trace(nodes: number): ViewDocument {
  const b = new DocumentBuilder('Deep');
  let x = b.input('x', [8, 64, 256]);
  const kinds = [
    'linear',
    'relu',
    'add',
    'layer_norm',
    'view',
    'transpose',
    'matmul',
    'softmax',
    'conv2d',
    'dropout',
  ];
  for (let block = 0; block < nodes / 20; block++) {
    x = b.module(`layer${block}`, 'Block', () => {
      for (let step = 0; step < 20; step++) {
        const weight = b.parameter(`layer${block}.part${step}.weight`, [64, 256]);
        x = b.op(kinds[step % kinds.length], [x, weight], [8, 64, (block % 7) * 64], `hidden_${step}`);
        b.source(
          'model.py',
          10 + ((block * 20 + step) % 400),
          `    h${step} = self.part${step}(h)`,
          'self',
          'forward',
        );
      }
      return x;
    });
  }
  b.output(x);
  return b.document;
}

/** The same words as ours, as one text for each element. */
const separate = ({ text, starts }: SearchIndex): string[] =>
  Array.from(starts.subarray(0, -1), (start, element) => text.slice(start, starts[element + 1] - 1));

const median = (times: number[]): number => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

function time(run: () => unknown): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

const h = buildHierarchy(trace(100_000));
let index = buildIndex(h);
const building = median([1, 2, 3].map(() => time(() => (index = buildIndex(h)))));
const texts = separate(index);
process.stdout.write(
  `${h.nodes.toLocaleString('en-US')} nodes; before the first keystroke: ${building.toFixed(0)} ms\n\n`,
);
process.stdout.write('| query | found | ms | one text each, ms |\n|---|---|---|---|\n');
for (const query of [
  'l',
  'lay',
  'layer12',
  'hidden_7',
  'part3.weight',
  'op:conv',
  'op:conv shape:64 in:layer3',
  'self.part4',
  'shape:64x256',
  'line:42',
  'nothing like it',
]) {
  const ours: number[] = [];
  const theirs: number[] = [];
  let found = 0;
  for (let run = 0; run < 9; run++) {
    ours.push(time(() => (found = search(h, index, query).length)));
    const words = query.toLowerCase().split(' ');
    theirs.push(time(() => texts.filter((text) => words.every((word) => text.includes(word))).length));
  }
  process.stdout.write(
    `| \`${query}\` | ${found} | ${median(ours).toFixed(1)} | ${query.includes(':') ? '' : median(theirs).toFixed(1)} |\n`,
  );
}
