/** Which rows of a table name which item: lists of lists in two flat arrays. */

export interface Adjacency {
  /** Rows of item `i` are `rows[start[i]]` up to, not including, `rows[start[i + 1]]`. */
  start: Int32Array;
  rows: Int32Array;
}

/** Groups row numbers by the item in `key`; a negative key stands for no item. Rows keep their order. */
export function adjacency(items: number, key: Int32Array, length = key.length): Adjacency {
  const start = new Int32Array(items + 1);
  for (let row = 0; row < length; row++) {
    if (key[row] >= 0) {
      start[key[row] + 1]++;
    }
  }
  for (let item = 0; item < items; item++) {
    start[item + 1] += start[item];
  }
  const rows = new Int32Array(start[items]);
  const next = start.slice(0, items);
  for (let row = 0; row < length; row++) {
    if (key[row] >= 0) {
      rows[next[key[row]]++] = row;
    }
  }
  return { start, rows };
}
