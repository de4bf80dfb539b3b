// The line where a soft mask crosses one half, by marching squares (Lorensen and Cline, 1987, in two
// dimensions), as polylines in the tile's pixels.

const HALF = 127.5;

// For each of 16 cases of a cell's corners (bit 0 top left, 1 top right, 2 bottom right, 3 bottom
// left inside) the sides that a line enters and leaves by, inside on its right; 0 top, 1 right,
// 2 bottom, 3 left. The two ambiguous cases join the outside, as for 4-connected objects.
const CASES = [
  [], [[0, 3]], [[1, 0]], [[1, 3]], [[2, 1]], [[0, 3], [2, 1]], [[2, 0]], [[2, 3]],
  [[3, 2]], [[0, 2]], [[1, 0], [3, 2]], [[1, 2]], [[3, 1]], [[0, 1]], [[3, 0]], [],
];

/** Lines as one Float32Array each, x0, y0, x1, y1, ...; `grey` is Uint8, `width` x `height`.
 * The tile's own rim is repeated outwards by half a pixel, so that lines reach the next tile. */
export function contour(grey, width, height) {
  const next = new Map();
  const entered = new Set();
  const points = new Map();
  const stride = width + 1;

  const at = (x, y) =>
    grey[Math.min(Math.max(y, 0), height - 1) * width + Math.min(Math.max(x, 0), width - 1)];

  // A side's number, the same for the two cells that share it: even for top, odd for left.
  const number = (x, y, side) =>
    2 * ((y + 1 + (side === 2)) * (stride + 1) + (x + 1 + (side === 1))) + (side % 2);

  function point(x, y, side) {
    const key = number(x, y, side);
    if (!points.has(key)) {
      const [ax, ay] = [x + (side === 1), y + (side === 2)];
      const [bx, by] = side % 2 ? [ax, ay + 1] : [ax + 1, ay];
      const [a, b] = [at(ax, ay), at(bx, by)];
      const share = (HALF - a) / (b - a);
      points.set(key, [
        Math.min(Math.max(ax + share * (bx - ax) + 0.5, 0), width),
        Math.min(Math.max(ay + share * (by - ay) + 0.5, 0), height),
      ]);
    }
    return key;
  }

  for (let y = -1; y < height; y++) {
    for (let x = -1; x < width; x++) {
      const which =
        (at(x, y) > HALF) | ((at(x + 1, y) > HALF) << 1) |
        ((at(x + 1, y + 1) > HALF) << 2) | ((at(x, y + 1) > HALF) << 3);
      for (const [enter, leave] of CASES[which]) {
        const [from, to] = [point(x, y, enter), point(x, y, leave)];
        next.set(from, to);
        entered.add(to);
      }
    }
  }
  return trace(next, entered, points);
}

function trace(next, entered, points) {
  const lines = [];
  const open = [...next.keys()].filter((key) => !entered.has(key));
  for (const start of [...open, ...next.keys()]) {
    if (!next.has(start)) continue;
    const line = [];
    let key = start;
    while (key !== undefined) {
      add(line, points.get(key));
      const following = next.get(key);
      next.delete(key);
      key = following;
    }
    lines.push(Float32Array.from(line));
  }
  return lines;
}

/** Append a point; the one before is dropped where it lies on the straight line. */
function add(line, [x, y]) {
  const n = line.length;
  if (n >= 4) {
    const [ax, ay, bx, by] = line.slice(n - 4);
    if (Math.abs((bx - ax) * (y - ay) - (by - ay) * (x - ax)) < 1e-3) line.length = n - 2;
  }
  line.push(x, y);
}
