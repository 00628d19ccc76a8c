/** Which of many rectangles lie in a part of the plane: a grid of cells, built once, in flat arrays. */

/** On average so many rectangles lie in a cell. */
const PER_CELL = 3;
/** What would lie in more cells than this is looked at each time instead. */
const MOST_CELLS = 64;

export interface SpatialIndex {
  /** Numbers of the rectangles that may overlap, in rising order, each once. */
  query(left: number, top: number, right: number, bottom: number): number[];
  /** For each cell with something in it: what its small rectangles cover together, and one of them. */
  cells(visit: (left: number, top: number, right: number, bottom: number, sample: number) => void): void;
}

/** `bounds` holds left, top, right and bottom of each rectangle by turns. */
export function createSpatialIndex(bounds: ArrayLike<number>): SpatialIndex {
  const count = Math.floor(bounds.length / 4);
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let at = 0; at < count; at++) {
    left = Math.min(left, bounds[4 * at]);
    top = Math.min(top, bounds[4 * at + 1]);
    right = Math.max(right, bounds[4 * at + 2]);
    bottom = Math.max(bottom, bounds[4 * at + 3]);
  }
  const width = Math.max(1, right - left);
  const height = Math.max(1, bottom - top);
  const side = Math.max(64, Math.sqrt((width * height * PER_CELL) / Math.max(1, count)));
  const columns = count === 0 ? 1 : Math.ceil(width / side);
  const rows = count === 0 ? 1 : Math.ceil(height / side);
  const column = (x: number): number => Math.max(0, Math.min(columns - 1, Math.floor((x - left) / side)));
  const row = (y: number): number => Math.max(0, Math.min(rows - 1, Math.floor((y - top) / side)));

  const large: number[] = [];
  const start = new Int32Array(columns * rows + 1);
  /** Calls back for each cell of each small rectangle. */
  const spread = (visit: (cell: number, at: number) => void, onLarge: (at: number) => void): void => {
    for (let at = 0; at < count; at++) {
      const a = column(bounds[4 * at]);
      const b = column(bounds[4 * at + 2]);
      const c = row(bounds[4 * at + 1]);
      const d = row(bounds[4 * at + 3]);
      if ((b - a + 1) * (d - c + 1) > MOST_CELLS) {
        onLarge(at);
        continue;
      }
      for (let y = c; y <= d; y++) {
        for (let x = a; x <= b; x++) {
          visit(y * columns + x, at);
        }
      }
    }
  };
  spread(
    (cell) => start[cell + 1]++,
    (at) => large.push(at),
  );
  for (let cell = 0; cell < columns * rows; cell++) {
    start[cell + 1] += start[cell];
  }
  const inside = new Int32Array(start[columns * rows]);
  const next = start.slice(0, columns * rows);
  spread(
    (cell, at) => (inside[next[cell]++] = at),
    () => undefined,
  );

  const seen = new Uint32Array(count);
  let turn = 0;
  const meets = (at: number, l: number, t: number, r: number, b: number): boolean =>
    bounds[4 * at] <= r && bounds[4 * at + 2] >= l && bounds[4 * at + 1] <= b && bounds[4 * at + 3] >= t;
  return {
    query(l, t, r, b) {
      turn++;
      const found: number[] = large.filter((at) => meets(at, l, t, r, b));
      if (count > 0 && l <= right && r >= left && t <= bottom && b >= top) {
        const from = column(l);
        const to = column(r);
        for (let y = row(t), last = row(b); y <= last; y++) {
          for (let slot = start[y * columns + from]; slot < start[y * columns + to + 1]; slot++) {
            const at = inside[slot];
            if (seen[at] !== turn && meets(at, l, t, r, b)) {
              seen[at] = turn;
              found.push(at);
            }
          }
        }
      }
      return found.sort((one, two) => one - two);
    },
    cells(visit) {
      for (let cell = 0; cell < columns * rows; cell++) {
        if (start[cell] === start[cell + 1]) {
          continue;
        }
        let [l, t, r, b] = [Infinity, Infinity, -Infinity, -Infinity];
        for (let slot = start[cell]; slot < start[cell + 1]; slot++) {
          const at = 4 * inside[slot];
          l = Math.min(l, bounds[at]);
          t = Math.min(t, bounds[at + 1]);
          r = Math.max(r, bounds[at + 2]);
          b = Math.max(b, bounds[at + 3]);
        }
        visit(l, t, r, b, inside[start[cell]]);
      }
    },
  };
}
