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
  /** When a group was opened or closed in a picture that is on the screen: what must not move. */
  hold?: Hold;
}

export interface Hold {
  /** The group that changed, and the open groups around it, from the inside out. */
  anchors: number[];
  /** The same two distances for the first port of the group around each anchor; NaN: it stands in none. */
  portOffsets: number[];
  portHeights: number[];
  /** Boxes above an anchor in the same group: how far right of its axis, and how far above its upper edge, they stand. */
  boxes: number[];
  offsets: number[];
  heights: number[];
}

/** The same for the items of one group. */
export interface Held {
  anchor: number;
  /** Where the anchor's axis is, from its middle. */
  axis: number;
  items: number[];
  offsets: number[];
  heights: number[];
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

export enum Kind {
  Box = 0,
  /** A port in a group's upper or lower border. */
  In = 1,
  Out = 2,
  /** Where a line passes a rank. */
  Bend = 3,
}

/**
 * One open group by itself. Items stand in trace order: ports in the upper border, boxes, ports in the lower
 * border. A net is all that leaves one visible box; its links share one line as far as they go together.
 */
export interface GroupProblem {
  width: Float64Array;
  height: Float64Array;
  kind: Uint8Array;
  /** -1: stays in the first row; 1: in the last. */
  pinned: Int8Array;
  net: Int32Array;
  source: Int32Array;
  target: Int32Array;
  /** Where a link leaves and enters, from the items' centres: not zero at an open group's ports. */
  exit: Float64Array;
  entry: Float64Array;
  held?: Held;
}

export interface GroupLayout {
  width: number;
  height: number;
  /** Centre and upper edge of each item, from the group's own corner. */
  x: Float64Array;
  y: Float64Array;
  /** Corners of each link's path, from source to target. */
  paths: number[][];
}
