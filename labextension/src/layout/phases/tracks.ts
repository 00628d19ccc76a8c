/** Horizontal stretches between two ranks: which lies above which, so that few lines cross. */

/** All that one net does between two ranks: it comes from above at `tops` and goes on below at `bottoms`. */
export interface Stretch {
  net: number;
  low: number;
  high: number;
  tops: number[];
  bottoms: number[];
  track: number;
}

/** More stretches than this in one gap are only packed, not untangled. */
const MOST_COMPARED = 64;
const MOST_TRACKS = 40;
/** Stretches on one track keep this much apart. */
const APART = 8;

function between(xs: number[], stretch: Stretch): number {
  let count = 0;
  for (const x of xs) {
    count += Number(x > stretch.low + 0.01 && x < stretch.high - 0.01);
  }
  return count;
}

/** Gives each stretch of one gap its track, counted from above; returns how many there are. */
export function assignTracks(stretches: Stretch[]): number {
  if (stretches.length === 1) {
    return 1;
  }
  return stretches.length > MOST_COMPARED ? pack(stretches) : untangle(stretches);
}

/** Greedily takes the stretch that costs least above all that are left, then packs in that order. */
function untangle(stretches: Stretch[]): number {
  const count = stretches.length;
  // What it costs to have `a` above `b`, less what the reverse costs.
  const cost = new Float64Array(count * count);
  const score = new Float64Array(count);
  for (let a = 0; a < count; a++) {
    for (let b = a + 1; b < count; b++) {
      const one = stretches[a];
      const two = stretches[b];
      const above = between(one.bottoms, two) + between(two.tops, one);
      const below = between(two.bottoms, one) + between(one.tops, two);
      cost[a * count + b] = above - below;
      cost[b * count + a] = below - above;
      score[a] += above - below;
      score[b] += below - above;
    }
  }
  const placed: Stretch[] = [];
  const done = new Uint8Array(count);
  let tracks = 0;
  for (let turn = 0; turn < count; turn++) {
    let next = -1;
    for (let at = 0; at < count; at++) {
      if (
        done[at] === 0 &&
        (next < 0 ||
          score[at] < score[next] ||
          (score[at] === score[next] && length(stretches[at]) > length(stretches[next])))
      ) {
        next = at;
      }
    }
    done[next] = 1;
    for (let at = 0; at < count; at++) {
      score[at] -= cost[at * count + next];
    }
    const stretch = stretches[next];
    stretch.track = 0;
    for (const other of placed) {
      if (other.high + APART >= stretch.low && other.low - APART <= stretch.high) {
        stretch.track = Math.max(stretch.track, other.track + 1);
      }
    }
    placed.push(stretch);
    tracks = Math.max(tracks, stretch.track + 1);
  }
  return tracks;
}

const length = (stretch: Stretch): number => stretch.high - stretch.low;

/** First fit from left to right: the fewest tracks, up to a limit beyond which stretches share one. */
function pack(stretches: Stretch[]): number {
  stretches.sort((a, b) => a.low - b.low || b.high - a.high);
  const ends: number[] = [];
  for (const stretch of stretches) {
    let track = ends.findIndex((end) => end + APART < stretch.low);
    if (track < 0) {
      track = ends.length < MOST_TRACKS ? ends.length : ends.indexOf(Math.min(...ends));
    }
    ends[track] = Math.max(ends[track] ?? -Infinity, stretch.high);
    stretch.track = track;
  }
  return ends.length;
}
