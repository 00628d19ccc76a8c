/** Groups laid out before: a group opened again, and each of a hundred equal layers, is laid out once. */

import { layoutGroup } from './group';
import type { GroupLayout, GroupProblem } from './types';

interface Entry {
  signature: Float64Array;
  layout: GroupLayout;
  used: number;
}

/** A layout that was not used in as many pictures is dropped. */
const KEPT = 6;

export interface LayoutCache {
  group(problem: GroupProblem): GroupLayout;
  /** Called once after each picture. */
  sweep(): void;
}

export function createCache(): LayoutCache {
  const known = new Map<number, Entry[]>();
  let picture = 0;
  return {
    group(problem) {
      const signature = signatureOf(problem);
      const key = hash(signature);
      let entries = known.get(key);
      const found = entries?.find((entry) => equal(entry.signature, signature));
      if (found !== undefined) {
        found.used = picture;
        return found.layout;
      }
      const layout = layoutGroup(problem);
      if (entries === undefined) {
        entries = [];
        known.set(key, entries);
      }
      entries.push({ signature, layout, used: picture });
      return layout;
    },
    sweep() {
      picture++;
      for (const [key, entries] of known) {
        const kept = entries.filter((entry) => picture - entry.used <= KEPT);
        if (kept.length === 0) {
          known.delete(key);
        } else if (kept.length < entries.length) {
          known.set(key, kept);
        }
      }
    },
  };
}

/** Everything that a group's layout depends on. */
function signatureOf(problem: GroupProblem): Float64Array {
  const { width, height, kind, pinned, net, source, target, exit, entry, held } = problem;
  const columns: ArrayLike<number>[] = [width, height, kind, pinned, net, source, target, exit, entry];
  if (held !== undefined) {
    columns.push([held.anchor, held.axis], held.items, held.offsets, held.heights);
  }
  const signature = new Float64Array(2 + columns.reduce((sum, column) => sum + column.length, 0));
  signature[0] = width.length;
  signature[1] = net.length;
  let at = 2;
  for (const column of columns) {
    signature.set(column, at);
    at += column.length;
  }
  return signature;
}

/** FNV-1a over the bits. */
function hash(signature: Float64Array): number {
  const bits = new Uint32Array(signature.buffer);
  let key = 0x811c9dc5;
  for (let at = 0; at < bits.length; at++) {
    key = Math.imul(key ^ bits[at], 0x01000193);
    key ^= key >>> 15;
  }
  return key >>> 0;
}

function equal(a: Float64Array, b: Float64Array): boolean {
  if (a.length !== b.length) {
    return false;
  }
  for (let at = 0; at < a.length; at++) {
    if (a[at] !== b[at]) {
      return false;
    }
  }
  return true;
}
