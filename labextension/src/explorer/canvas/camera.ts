/** Where the person looks: screen = world * scale + (x, y), in CSS pixels. */

import type { Flow } from '../../layout/types';

export interface Camera {
  x: number;
  y: number;
  scale: number;
}

export interface Box {
  x: number;
  y: number;
  width: number;
  height: number;
}

const MOST = 3;
/** Small enough to see the whole of any graph. */
const LEAST = 0.0002;
/** A small graph is not blown up to fill the view. */
const FIT_MOST = 1.1;
/** Below this, text cannot be read: a fresh view shows the top of a long graph instead of all of it. */
export const LEAST_READABLE = 0.55;
const MARGIN = 28;
/** As little as this where a graph can be read, in all of its width, with no more. */
const LEAST_MARGIN = 4;

export const sameCamera = (one: Camera, other: Camera | null): boolean =>
  other !== null && one.x === other.x && one.y === other.y && one.scale === other.scale;

export const clampScale = (scale: number): number => Math.max(LEAST, Math.min(MOST, scale));

/** Zooms so that the point under the pointer stays there. */
export function zoomAt(camera: Camera, factor: number, atX: number, atY: number): Camera {
  const scale = clampScale(camera.scale * factor);
  const ratio = scale / camera.scale;
  return { scale, x: atX - (atX - camera.x) * ratio, y: atY - (atY - camera.y) * ratio };
}

/** Shows all of a box, in the middle. */
export function fit(box: Box, width: number, height: number): Camera {
  const scale = clampScale(
    Math.min(
      FIT_MOST,
      (width - 2 * MARGIN) / Math.max(1, box.width),
      (height - 2 * MARGIN) / Math.max(1, box.height),
    ),
  );
  return {
    scale,
    x: width / 2 - (box.x + box.width / 2) * scale,
    y: height / 2 - (box.y + box.height / 2) * scale,
  };
}

const mirrored = ({ x, y, width, height }: Box): Box => ({ x: y, y: x, width: height, height: width });

/**
 * The first view: everything where that is readable, else the top of the graph: all of its width where that is readable,
 * else with its first box as near to the middle as leaves no side empty.
 */
export function firstView(box: Box, first: Box, width: number, height: number, flow: Flow = 'down'): Camera {
  if (flow === 'right') {
    // The same, mirrored at the diagonal: the left of a long graph, in all of its height.
    const { x, y, scale } = firstView(mirrored(box), mirrored(first), height, width);
    return { x: y, y: x, scale };
  }
  const whole = fit(box, width, height);
  if (whole.scale >= LEAST_READABLE) {
    return whole;
  }
  const margin = Math.max(LEAST_MARGIN, Math.min(MARGIN, (width - box.width * LEAST_READABLE) / 2));
  const wide = Math.min(FIT_MOST - 0.2, (width - 2 * margin) / Math.max(1, box.width));
  const scale = wide < LEAST_READABLE - 1e-9 ? LEAST_READABLE + 0.15 : wide;
  const sides = [margin - box.x * scale, width - margin - (box.x + box.width) * scale];
  const x = width / 2 - (first.x + first.width / 2) * scale;
  return {
    scale,
    x: Math.max(Math.min(...sides), Math.min(Math.max(...sides), x)),
    y: MARGIN - box.y * scale,
  };
}

/** Moves as little as brings a box into view; one that is too large is centered by its top. */
export function bringIntoView(camera: Camera, box: Box, width: number, height: number): Camera {
  let { x, y, scale } = camera;
  if (scale < 0.4) {
    scale = 0.8;
    x = width / 2 - (box.x + box.width / 2) * scale;
    y = height / 2 - (box.y + Math.min(box.height, height / scale / 2) / 2) * scale;
    return { x, y, scale };
  }
  const left = box.x * scale + x;
  const top = box.y * scale + y;
  const right = left + box.width * scale;
  const bottom = top + box.height * scale;
  const margin = 40;
  if (right - left > width - 2 * margin) {
    x += left < margin && right > width - margin ? 0 : width / 2 - (left + right) / 2;
  } else if (left < margin) {
    x += margin - left;
  } else if (right > width - margin) {
    x -= right - (width - margin);
  }
  if (top < margin || bottom - top > height - 2 * margin) {
    y += margin - top;
  } else if (bottom > height - margin) {
    y -= bottom - (height - margin);
  }
  return { x, y, scale };
}

export function visibleWorld(camera: Camera, width: number, height: number): Box {
  return {
    x: -camera.x / camera.scale,
    y: -camera.y / camera.scale,
    width: width / camera.scale,
    height: height / camera.scale,
  };
}
