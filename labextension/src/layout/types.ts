/** What goes into a layout and what comes out of it: plain data, since both cross to a worker and back. */

export interface LayoutInput {
  /** Index of the surrounding open group for each box, or -1; parents stand before their children. */
  parents: number[];
  /** Size of a box; of an open group, the least width that its header needs. */
  widths: number[];
  heights: number[];
  open: boolean[];
  /** Boxes that stay in the first or last row: the graph's inputs (-1) and outputs (1). */
  pinned: number[];
  /** Ends of each edge; neither is an open group. */
  sources: number[];
  targets: number[];
}

export interface LayoutResult {
  /** Top left corner of each box. */
  x: number[];
  y: number[];
  width: number[];
  height: number[];
  /** Corners of each edge's path, x and y by turns, from its source down to its target. */
  paths: number[][];
}

/** A box, a group's port or a bend, while one group is laid out. */
export interface Item {
  width: number;
  height: number;
  rank: number;
  /** Centre. */
  x: number;
  /** Top edge. */
  y: number;
  /** Where it stood in the trace: the order that is kept where nothing speaks against it. */
  order: number;
  kind: 'box' | 'in' | 'out' | 'bend';
  pinned: number;
}

/** One line from an item to another in the same group. A net is all that leaves one visible box. */
export interface Link {
  net: number;
  source: number;
  target: number;
  /** Where it leaves and enters, from the items' centres: not zero at an open group's ports. */
  exit: number;
  entry: number;
  /** Filled in by the router: corners from source to target. */
  path: number[];
}
