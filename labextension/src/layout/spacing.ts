/** Distances of the picture, in CSS pixels at zoom 1. */

export const GROUP_SIDE = 18;
export const GROUP_TOP = 32;
export const GROUP_BOTTOM = 4;
/** Between boxes that stand side by side. */
export const BOX_GAP = 26;
/** Between lines, and between a line and a box. */
export const LINE_GAP = 12;
/** Between two ranks with nothing but straight lines between them. */
export const RANK_GAP = 30;
/** What each horizontal stretch of a line adds to that. */
export const TRACK = 9;
/** From a box to the first horizontal stretch: room for an arrowhead and a round corner. */
export const TRACK_MARGIN = 15;
/** Lines that pass more ranks than this run beside the boxes instead of between them. */
export const LONGEST_INSIDE = 8;
/** How far from a box's corner a line may end. */
export const CORNER = 12;
