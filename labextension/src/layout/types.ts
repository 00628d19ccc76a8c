/** What goes into a layout and what comes out of it: plain data, since both cross to a worker and back. */

/** Where the main path runs: from top to bottom, from left to right, or down in columns that stand side by side. */
export type Flow = 'down' | 'right' | 'columns';

export interface Wrap {
  /** The open group whose inside stands in columns, or -1 for the whole picture. */
  group: number;
  columns: number;
  /** The boxes with which all columns but the first begin, where they are known. */
  breaks?: number[];
}

export interface LayoutInput {
  /** Down where it is missing. */
  flow?: Flow;
  wrap?: Wrap;
  /** Index of the surrounding open group for each box, or -1; parents stand before their children. */
  parents: number[];
  /** Size of a box; of an open group, the least width that its header needs. */
  widths: number[];
  heights: number[];
  open: boolean[];
  /** What tells a group apart from picture to picture, so that it keeps its layout. */
  keys?: number[];
  /** How far left of its axis an open group's header begins; where it is missing, half its width. */
  headerOffsets?: number[];
  /** Boxes that stay in the first or last row: the graph's inputs (-1) and outputs (1). */
  pinned: number[];
  /** Ends of each edge; neither is an open group. */
  sources: number[];
  targets: number[];
  /** When a group was opened or closed in a picture that is on the screen: what must not move. */
  anchors?: Anchors;
}

export interface Anchors {
  /** The group that changed. All distances are from its axis and from its upper edge. */
  changed: number;
  /** Boxes above it, or above an open group around it. */
  boxes: number[];
  offsets: number[];
  heights: number[];
  /** Where lines pass, from its axis too. */
  waypoints: Waypoints;
  /** The open groups around it (-1: the picture), and how far below the beginning of their contents it was. */
  subgraphs: number[];
  depths: number[];
}

/** The same for the items of one group. */
export interface GroupAnchors {
  /** The changed group or the group around it. */
  changed: number;
  /** How far right of its middle the axis of the changed group is. */
  axis: number;
  items: number[];
  offsets: number[];
  /** How far above its upper edge. */
  heights: number[];
  /** How far below the beginning of the group it is. */
  depth: number;
  /** Bends by their net and rank. */
  nets: number[];
  ranks: number[];
  bends: number[];
}

/** Where lines pass the ranks of a group, at its upper border (rank 0) or at a bend. */
export interface Waypoints {
  /** The open group, or -1 for the whole picture. */
  subgraph: number[];
  /** The box that the line comes from. */
  net: number[];
  rank: number[];
  x: number[];
}

export interface Places {
  /** Top left corner of each box. */
  x: number[];
  y: number[];
  /**
   * Where the main line enters each open group: its middle if nothing does; of other boxes the middle. An x where
   * the picture runs down, a y where it runs to the right; so are the places of waypoints.
   */
  axis: number[];
}

export interface LayoutResult extends Places {
  width: number[];
  height: number[];
  waypoints: Waypoints;
  /** Corners of each edge's path, x and y by turns, from its source to its target. */
  paths: number[][];
  /** The boxes with which columns begin. */
  breaks?: number[];
  /** Where all would be if nothing stood in columns, for what must not move; so are the places of waypoints. */
  unwrapped?: Places;
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
  /** Open groups. */
  open: Uint8Array;
  /** -1: stays in the first row; 1: in the last. */
  pinned: Int8Array;
  net: Int32Array;
  source: Int32Array;
  target: Int32Array;
  /** Where a link leaves and enters, from the items' centers: not zero at an open group's ports. */
  exit: Float64Array;
  entry: Float64Array;
}

export interface GroupLayout {
  width: number;
  height: number;
  /** Center and upper edge of each item, from the group's own corner. */
  x: Float64Array;
  y: Float64Array;
  /** Bends: their nets, their ranks and where they stand. */
  bends: { net: Int32Array; rank: Int32Array; x: Float64Array };
  /** Corners of each link's path, from source to target. */
  paths: number[][];
}
