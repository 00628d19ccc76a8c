/** Graphs to lay out, as plain ends of edges: each engine builds its own input from them. */

import type { LayoutInput } from '../src/layout/types';

export interface PlainGraph {
  nodes: number;
  sources: number[];
  targets: number[];
}

/**
 * A transformer as a flat list of operators, 20 a layer: norm, three branches, attention, residual, a feed-forward
 * with an activation written out, residual. With `hubs`, a mask feeds the attention of every layer and a pair of
 * position tables two operators of each.
 */
export function transformer(nodes: number, hubs = true): PlainGraph {
  const graph: PlainGraph = { nodes, sources: [], targets: [] };
  const edge = (source: number, target: number): void => {
    if (target < nodes) {
      graph.sources.push(source);
      graph.targets.push(target);
    }
  };
  // 0 ids, 1 mask, 2 cos, 3 sin, 4 embedding.
  edge(0, 4);
  let stream = 4;
  for (let at = 5; at < nodes; at += 20) {
    const op = (offset: number): number => at + offset;
    edge(stream, op(0)); // norm
    for (const branch of [1, 2, 3]) {
      edge(op(0), op(branch)); // q, k, v
      edge(op(branch), op(branch + 3)); // heads
    }
    edge(op(4), op(7)); // rotate q
    edge(op(5), op(8)); // rotate k
    if (hubs) {
      edge(2, op(7));
      edge(3, op(7));
      edge(2, op(8));
      edge(3, op(8));
      edge(1, op(9));
    }
    edge(op(7), op(9)); // scores
    edge(op(8), op(9));
    edge(op(9), op(10)); // softmax
    edge(op(10), op(11)); // weighted values
    edge(op(6), op(11));
    edge(op(11), op(12)); // projection
    edge(op(12), op(13)); // residual
    edge(stream, op(13));
    edge(op(13), op(14)); // norm
    edge(op(14), op(15)); // gate
    edge(op(14), op(16)); // up
    edge(op(15), op(17)); // activation
    edge(op(17), op(18)); // down
    edge(op(16), op(18));
    edge(op(18), op(19)); // residual
    edge(op(13), op(19));
    stream = op(19);
  }
  return graph;
}

export function flatInput(graph: PlainGraph): LayoutInput {
  const boxes = Array.from({ length: graph.nodes }, (_, index) => index);
  return {
    parents: boxes.map(() => -1),
    widths: boxes.map((box) => 70 + ((box * 37) % 60)),
    heights: boxes.map(() => 42),
    open: boxes.map(() => false),
    pinned: boxes.map((box) => (box < 4 ? -1 : 0)),
    sources: graph.sources,
    targets: graph.targets,
  };
}
