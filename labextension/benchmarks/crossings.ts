/** Counting what makes a drawing hard to read. */

export function length(paths: number[][]): number {
  let sum = 0;
  for (const path of paths) {
    for (let at = 2; at < (path?.length ?? 0); at += 2) {
      sum += Math.hypot(path[at] - path[at - 2], path[at + 1] - path[at - 1]);
    }
  }
  return sum;
}

interface Piece {
  net: number;
  ax: number;
  ay: number;
  bx: number;
  by: number;
}

const CELL = 120;

/** Points where the lines of two sources cross; equal points of the same two sources count once. */
export function crossings(paths: number[][], sources: number[]): number {
  const pieces: Piece[] = [];
  const cells = new Map<string, number[]>();
  paths.forEach((path, edge) => {
    for (let at = 2; at < path.length; at += 2) {
      const [ax, ay, bx, by] = path.slice(at - 2, at + 2);
      const piece = pieces.push({ net: sources[edge], ax, ay, bx, by }) - 1;
      for (let x = Math.floor(Math.min(ax, bx) / CELL); x <= Math.floor(Math.max(ax, bx) / CELL); x++) {
        for (let y = Math.floor(Math.min(ay, by) / CELL); y <= Math.floor(Math.max(ay, by) / CELL); y++) {
          const key = `${x},${y}`;
          const cell = cells.get(key);
          if (cell === undefined) {
            cells.set(key, [piece]);
          } else {
            cell.push(piece);
          }
        }
      }
    }
  });
  const found = new Set<string>();
  for (const cell of cells.values()) {
    for (let i = 0; i < cell.length; i++) {
      for (let j = i + 1; j < cell.length; j++) {
        const a = pieces[cell[i]];
        const b = pieces[cell[j]];
        const point = a.net === b.net ? null : meeting(a, b);
        if (point !== null) {
          const nets = a.net < b.net ? `${a.net},${b.net}` : `${b.net},${a.net}`;
          found.add(`${nets},${Math.round(point[0])},${Math.round(point[1])}`);
        }
      }
    }
  }
  return found.size;
}

/** Where two pieces cross properly, neither only touching the other. */
function meeting(a: Piece, b: Piece): [number, number] | null {
  const ux = a.bx - a.ax;
  const uy = a.by - a.ay;
  const vx = b.bx - b.ax;
  const vy = b.by - b.ay;
  const cross = ux * vy - uy * vx;
  if (Math.abs(cross) < 1e-9) {
    return null;
  }
  const t = ((b.ax - a.ax) * vy - (b.ay - a.ay) * vx) / cross;
  const s = ((b.ax - a.ax) * uy - (b.ay - a.ay) * ux) / cross;
  const eps = 1e-6;
  return t > eps && t < 1 - eps && s > eps && s < 1 - eps ? [a.ax + t * ux, a.ay + t * uy] : null;
}
