/** Lanes: where lines that pass very many ranks run, beside all boxes of their group. */

import type { Lane } from './grid';
import { LINE_GAP } from '../spacing';

/** From a lane to the group's edge. */
const MARGIN = 4;
/** More lanes than this on one side are bundled: nobody could follow them one by one. */
const MOST_SLOTS = 40;

/** Gives lanes that overlap in rank different places outside the boxes. */
export function placeLanes(lanes: Lane[], left: number, right: number): { left: number; right: number } {
  const edges = { left, right };
  for (const side of [-1, 1] as const) {
    const mine = lanes.filter((lane) => lane.side === side);
    // The shortest lanes lie nearest to the boxes, so that they cross no other.
    mine.sort((a, b) => a.to - a.from - (b.to - b.from) || a.from - b.from);
    const slots: Slot[] = [];
    for (const lane of mine) {
      let slot = slots.findIndex((taken) => taken.free(lane.from, lane.to));
      if (slot < 0 && slots.length === MOST_SLOTS) {
        slot = lane.net % MOST_SLOTS;
      } else {
        slot = slot < 0 ? slots.push(new Slot()) - 1 : slot;
        slots[slot].take(lane.from, lane.to);
      }
      const away = (slot + 1) * LINE_GAP + MARGIN;
      lane.x = side < 0 ? left - away : right + away;
      edges.left = Math.min(edges.left, lane.x - MARGIN);
      edges.right = Math.max(edges.right, lane.x + MARGIN);
    }
  }
  return edges;
}

/** The ranks that are taken in one slot, as intervals that do not overlap, sorted. */
class Slot {
  private readonly from: number[] = [];
  private readonly to: number[] = [];

  /** The first interval that ends at or below a rank. */
  private find(rank: number): number {
    let low = 0;
    let high = this.to.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.to[middle] < rank) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  free(from: number, to: number): boolean {
    const at = this.find(from);
    return at === this.to.length || this.from[at] > to;
  }

  take(from: number, to: number): void {
    const at = this.find(from);
    this.from.splice(at, 0, from);
    this.to.splice(at, 0, to);
  }
}
