/** Which row each item of a group stands in. */

import type { Item, Link } from './types';

/** Lines that run against the order of the trace (a group left and entered again) do not count for ranks. */
export const isBackward = (items: Item[], link: Link): boolean =>
  items[link.source].order >= items[link.target].order;

/**
 * Longest path from the top; then what depends on nothing (a constant, an `arange`) moves down to just above
 * its first user, so that its line stays short. Ports take the first and last rank.
 */
export function assignRanks(items: Item[], links: Link[]): number {
  const byOrder = items.map((_, index) => index).sort((a, b) => items[a].order - items[b].order);
  const outgoing: number[][] = items.map(() => []);
  for (const link of links) {
    if (!isBackward(items, link)) {
      outgoing[link.source].push(link.target);
    }
  }
  const isTop = (item: Item): boolean => item.kind === 'in' || item.pinned < 0;
  const hasTop = items.some(isTop);
  // What comes from the group's inputs; all the rest is free to move down.
  const fed = new Uint8Array(items.length);
  for (const index of byOrder) {
    const item = items[index];
    item.rank = Math.max(item.rank, isTop(item) || !hasTop ? 0 : 1);
    fed[index] ||= Number(isTop(item));
    for (const target of outgoing[index]) {
      items[target].rank = Math.max(items[target].rank, item.rank + 1);
      fed[target] ||= fed[index];
    }
  }
  for (let at = byOrder.length - 1; hasTop && at >= 0; at--) {
    const index = byOrder[at];
    const item = items[index];
    if (item.kind === 'box' && item.pinned === 0 && !fed[index] && outgoing[index].length > 0) {
      item.rank = Math.max(item.rank, Math.min(...outgoing[index].map((target) => items[target].rank)) - 1);
    }
  }
  let last = 0;
  for (const item of items) {
    last = Math.max(last, item.rank);
  }
  for (const item of items) {
    if (item.kind === 'out' || item.pinned > 0) {
      item.rank = last;
    }
  }
  // Nothing else may share the row of the outputs.
  const crowded = items.some(
    (item) => item.rank === last && item.kind === 'box' && item.pinned <= 0 && items.length > 1,
  );
  const hasOut = items.some((item) => item.kind === 'out' || item.pinned > 0);
  if (crowded && hasOut) {
    last++;
    for (const item of items) {
      if (item.kind === 'out' || item.pinned > 0) {
        item.rank = last;
      }
    }
  }
  return last + 1;
}
