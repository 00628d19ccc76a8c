/**
 * Ranks with the least total length of lines: network simplex (Gansner, Koutsofios, North and Vo, 1993). Each step
 * costs time in proportion to the group, so it is for groups of a size that a person looks at.
 */

import { adjacency } from './adjacency';

export interface RankGraph {
  nodes: number;
  /** Each edge's ends, how many ranks it spans at least, and what each rank of it costs. */
  from: Int32Array;
  to: Int32Array;
  least: Uint8Array;
  weight: Uint8Array;
}

/** Steps taken before giving up on the very best. */
const MOST_STEPS = 2000;

/** Shortens the lines by moving `rank`, which must be allowed; node 0 stays. The graph must be connected. */
export function shorten(graph: RankGraph, rank: Int32Array): void {
  const { nodes, from, to, least } = graph;
  const edges = from.length;
  const out = adjacency(nodes, from);
  const into = adjacency(nodes, to);
  const inTree = new Uint8Array(edges);
  const parent = new Int32Array(nodes);
  const order = new Int32Array(nodes);
  const slack = (edge: number): number => rank[to[edge]] - rank[from[edge]] - least[edge];

  /** Walks the tree from node 0: fills `parent` with edges and `order`; with `grow`, takes in what is tight. */
  const seen = new Uint8Array(nodes);
  const walk = (grow: boolean): number => {
    seen.fill(0);
    seen[0] = 1;
    parent[0] = -1;
    order[0] = 0;
    let count = 1;
    for (let at = 0; at < count; at++) {
      const node = order[at];
      for (const [list, other] of [
        [out, to],
        [into, from],
      ] as const) {
        for (let row = list.start[node]; row < list.start[node + 1]; row++) {
          const edge = list.rows[row];
          const next = other[edge];
          if (seen[next] === 0 && (inTree[edge] === 1 || (grow && slack(edge) === 0))) {
            inTree[edge] = 1;
            seen[next] = 1;
            parent[next] = edge;
            order[count++] = next;
          }
        }
      }
    }
    return count;
  };

  while (walk(true) < nodes) {
    // The nearest node outside is drawn to the tree, together with the tree.
    let best = -1;
    for (let edge = 0; edge < edges; edge++) {
      if (seen[from[edge]] !== seen[to[edge]] && (best < 0 || slack(edge) < slack(best))) {
        best = edge;
      }
    }
    if (best < 0) {
      return;
    }
    const shift = seen[from[best]] === 1 ? slack(best) : -slack(best);
    for (let node = 0; node < nodes; node++) {
      rank[node] += seen[node] * shift;
    }
  }

  const sum = new Float64Array(nodes);
  const below = new Uint8Array(nodes);
  for (let step = 0; step < MOST_STEPS; step++) {
    const leaving = worstEdge(graph, order, parent, sum);
    if (leaving < 0) {
      break;
    }
    // The part of the tree that hangs from the leaving edge.
    const child = parent[to[leaving]] === leaving ? to[leaving] : from[leaving];
    below.fill(0);
    below[child] = 1;
    for (let at = 1; at < nodes; at++) {
      const node = order[at];
      const edge = parent[node];
      if (node !== child) {
        below[node] = below[from[edge] === node ? to[edge] : from[edge]];
      }
    }
    const tail = below[from[leaving]];
    let entering = -1;
    for (let edge = 0; edge < edges; edge++) {
      if (
        below[from[edge]] !== tail &&
        below[to[edge]] === tail &&
        (entering < 0 || slack(edge) < slack(entering))
      ) {
        entering = edge;
      }
    }
    if (entering < 0) {
      break;
    }
    const shift = tail === 1 ? -slack(entering) : slack(entering);
    for (let node = 0; node < nodes; node++) {
      rank[node] += below[node] * shift;
    }
    inTree[leaving] = 0;
    inTree[entering] = 1;
    walk(false);
  }
  const zero = rank[0];
  for (let node = 0; node < nodes; node++) {
    rank[node] -= zero;
  }
}

/** The tree edge whose lengthening shortens the rest most, or -1. */
function worstEdge(graph: RankGraph, order: Int32Array, parent: Int32Array, sum: Float64Array): number {
  const { from, to, weight } = graph;
  sum.fill(0);
  for (let edge = 0; edge < from.length; edge++) {
    sum[from[edge]] += weight[edge];
    sum[to[edge]] -= weight[edge];
  }
  let worst = -1;
  let least = 0;
  for (let at = order.length - 1; at > 0; at--) {
    const node = order[at];
    const edge = parent[node];
    const up = from[edge] === node ? to[edge] : from[edge];
    const cut = from[edge] === node ? sum[node] : -sum[node];
    if (cut < least) {
      least = cut;
      worst = edge;
    }
    sum[up] += sum[node];
  }
  return worst;
}
