/**
 * Other layout engines on the same plain graph; each runs in a thread of its own, which can be stopped, once for each
 * message.
 */

import { parentPort, workerData } from 'node:worker_threads';
import { graphlib, layout as dagre } from '@dagrejs/dagre';
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import ELK from 'elkjs/lib/elk.bundled.js';
import { flatInput, type PlainGraph } from './graphs';

export type Peer = 'dagre' | 'dot' | 'elk';

async function run(peer: Peer, graph: PlainGraph): Promise<number> {
  const { widths, heights } = flatInput(graph);
  const edges = graph.sources.map((source, at) => [source, graph.targets[at]] as const);
  if (peer === 'dagre') {
    const made = new graphlib.Graph({ multigraph: true });
    made.setGraph({});
    widths.forEach((width, node) => made.setNode(String(node), { width, height: heights[node] }));
    edges.forEach(([a, b], at) => made.setEdge(String(a), String(b), {}, String(at)));
    const start = performance.now();
    dagre(made);
    return performance.now() - start;
  }
  if (peer === 'dot') {
    const graphviz = await Graphviz.load();
    const lines = widths.map((width, node) => `${node} [width=${width / 72}, height=${heights[node] / 72}]`);
    const text = `digraph { node [shape=box, fixedsize=true, label=""]\n${lines.join('\n')}\n${edges
      .map(([a, b]) => `${a}->${b}`)
      .join('\n')} }`;
    const start = performance.now();
    graphviz.layout(text, 'plain', 'dot');
    return performance.now() - start;
  }
  const elk = new ELK();
  const start = performance.now();
  await elk.layout({
    id: 'root',
    layoutOptions: { 'elk.algorithm': 'layered', 'elk.direction': 'DOWN' },
    children: widths.map((width, node) => ({ id: String(node), width, height: heights[node] })),
    edges: edges.map(([a, b], at) => ({ id: `e${at}`, sources: [String(a)], targets: [String(b)] })),
  });
  return performance.now() - start;
}

const { peer, graph } = workerData as { peer: Peer; graph: PlainGraph };
parentPort!.on('message', () => {
  run(peer, graph).then(
    (elapsed) => parentPort!.postMessage({ elapsed }),
    (error: unknown) => parentPort!.postMessage({ error: String(error) }),
  );
});
