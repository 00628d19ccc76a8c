/**
 * How long a layout takes, ours and the peers', in one run:
 * `npm run bench:layout -- [--limit SECONDS] [--sizes 1000,3000] [--rounds N] [--json]`.
 *
 * Ours and a peer take turns, after one of ours to warm up; a ratio is the median of those of the rounds. A peer runs in a
 * thread that is stopped when its time is up, and is not asked for a larger graph after that. `--json` prints one
 * object a line: `{case, ours, peer, theirs, ratio, note}`, in milliseconds.
 */

import { Worker } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { layout } from '../src/layout/layout';
import { flatInput, transformer, type PlainGraph } from './graphs';
import type { Peer } from './peers';

const PEERS: Peer[] = ['dagre', 'dot', 'elk'];
const { values: options } = parseArgs({
  options: {
    limit: { type: 'string', default: '120' },
    sizes: { type: 'string', default: '1000,3000,5000,20000,100000' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const limit = Number(options.limit);
const sizes = options.sizes.split(',').map(Number);
const rounds = Number(options.rounds);

interface Row {
  case: string;
  ours: number;
  peer: string;
  theirs: number | null;
  ratio: number | null;
  note: string;
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function ours(graph: PlainGraph): number {
  const input = flatInput(graph);
  const start = performance.now();
  layout(input);
  return performance.now() - start;
}

/** One run of a peer: milliseconds, or why there are none. */
function once(worker: Worker): Promise<number | string> {
  return new Promise((resolve) => {
    const end = (found: number | string): void => {
      clearTimeout(clock);
      worker.off('message', answered).off('error', failed);
      resolve(found);
    };
    const clock = setTimeout(() => end(`takes more than ${limit} s`), limit * 1000);
    const answered = ({ elapsed, error }: { elapsed?: number; error?: string }): void =>
      end(elapsed ?? `raises: ${error!.slice(0, 60)}`);
    const failed = (error: Error): void => end(`raises: ${error.message.slice(0, 60)}`);
    worker.on('message', answered).on('error', failed);
    worker.postMessage('run');
  });
}

async function against(peer: Peer, graph: PlainGraph, name: string): Promise<Row> {
  const worker = new Worker(new URL('./peers.mjs', import.meta.url), {
    workerData: { peer, graph },
    stderr: true,
  });
  const mine: number[] = [];
  const theirs: number[] = [];
  let note = '';
  for (let round = 0; round < rounds && note === ''; round++) {
    mine.push(ours(graph));
    const found = await once(worker);
    if (typeof found === 'string') {
      note = found;
    } else {
      theirs.push(found);
    }
  }
  await worker.terminate();
  const whole = note === '';
  return {
    case: name,
    ours: median(mine),
    peer,
    theirs: whole ? median(theirs) : null,
    ratio: whole ? median(mine.map((time, at) => time / theirs[at])) : null,
    note,
  };
}

const given = new Set<Peer>();
for (const hubs of [false, true]) {
  given.clear();
  for (const nodes of sizes) {
    const graph = transformer(nodes, hubs);
    const name = `transformer of ${nodes.toLocaleString('en')} nodes${hubs ? ', with hubs' : ''}`;
    ours(graph);
    const rows: Row[] = [];
    for (const peer of PEERS.filter((each) => limit > 0 && !given.has(each))) {
      const row = await against(peer, graph, name);
      if (row.note !== '') {
        given.add(peer);
      }
      rows.push(row);
    }
    if (rows.length === 0) {
      const alone = median(Array.from({ length: rounds }, () => ours(graph)));
      rows.push({ case: name, ours: alone, peer: '', theirs: null, ratio: null, note: '' });
    }
    if (options.json) {
      rows.forEach((row) => console.log(JSON.stringify(row)));
      continue;
    }
    const cells = rows.map(({ peer, theirs, ratio, note }) =>
      theirs === null ? `${peer} ${note}` : `${peer} ${theirs.toFixed(0)} ms (ratio ${ratio!.toFixed(3)})`,
    );
    console.log(`${name}: ours ${rows[0].ours.toFixed(0)} ms | ${cells.join(' | ')}`);
  }
}
