/**
 * How long a layout takes, ours and the peers', in one run: `npm run bench:layout -- [seconds a peer may take]`.
 * Ours is the median of several runs after one to warm up; a peer runs once, in a thread that is stopped when its
 * time is up, and is not asked for a larger graph after that.
 */

import { Worker } from 'node:worker_threads';
import { layout } from '../src/layout/layout';
import { flatInput, transformer, type PlainGraph } from './graphs';
import type { Peer } from './peers';

const SIZES = [1000, 3000, 5000, 20_000, 100_000];
const PEERS: Peer[] = ['dagre', 'dot', 'elk'];
const limit = Number(process.argv[2] ?? 120);

function ours(graph: PlainGraph): number {
  const times: number[] = [];
  for (let run = 0; run < (graph.nodes > 50_000 ? 4 : 8); run++) {
    const input = flatInput(graph);
    const start = performance.now();
    layout(input);
    times.push(performance.now() - start);
  }
  const warm = times.slice(1).sort((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)];
}

function peer(name: Peer, graph: PlainGraph): Promise<string> {
  const worker = new Worker(new URL('./peers.mjs', import.meta.url), {
    workerData: { peer: name, graph },
    stderr: true,
  });
  return new Promise((resolve) => {
    const clock = setTimeout(() => end(`> ${limit} s`), limit * 1000);
    const end = (text: string): void => {
      clearTimeout(clock);
      void worker.terminate();
      resolve(text);
    };
    worker.on('message', ({ elapsed, error }: { elapsed?: number; error?: string }) =>
      end(elapsed === undefined ? `error: ${error!.slice(0, 40)}` : `${elapsed.toFixed(0)} ms`),
    );
    worker.on('error', (error) => end(`error: ${error.message.slice(0, 40)}`));
  });
}

const given = new Set<Peer>();
for (const hubs of [false, true]) {
  given.clear();
  for (const nodes of SIZES) {
    const graph = transformer(nodes, hubs);
    const cells = [`ours ${ours(graph).toFixed(0)} ms`];
    for (const name of limit > 0 ? PEERS : []) {
      const text = given.has(name) ? '–' : await peer(name, graph);
      if (!text.endsWith(' ms')) {
        given.add(name);
      }
      cells.push(`${name} ${text}`);
    }
    console.log(`${nodes} nodes, ${graph.sources.length} edges${hubs ? ', hubs' : ''}: ${cells.join(' | ')}`);
  }
}
