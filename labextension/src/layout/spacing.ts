/** Distances of the picture, in CSS pixels at zoom 1. */

export const GROUP_SIDE = 14;
export const GROUP_TOP = 28;
export const GROUP_BOTTOM = 2;
/** At the right border of a group, in a picture from left to right. */
export const GROUP_END = 6;
/** Between boxes that stand side by side. */
export const BOX_GAP = 22;
/** Between lines, and between a line and a box. */
export const LINE_GAP = 10;
/** Between two ranks with nothing but straight lines between them. */
export const RANK_GAP = 28;
/** The same beside the border of an open group, inside of which there is room again. */
export const GROUP_GAP = 14;
/** The same where one of them holds no box, only ports and bends. */
export const PORT_GAP = 8;
/** Between two horizontal stretches of lines, one below the other. */
export const TRACK = 5;
/** From a box down to the first stretch, and from the last one down to a box: round corners, an arrowhead. */
export const BELOW_BOX = 7;
export const ABOVE_BOX = 12;
/** The same where there is no box. */
export const BESIDE_BEND = 5;
/** Lines that pass more ranks than this run beside the boxes instead of between them. */
export const LONGEST_INSIDE = 40;
/** How far from a box's corner a line may end. */
export const CORNER = 12;
