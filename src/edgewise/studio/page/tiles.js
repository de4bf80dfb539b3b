// The tiles of a pyramid: which are needed, which are here, and fetching of the missing ones.

const AT_ONCE = 4;
const AGAIN = 2000; // ms before a tile that failed is asked for again

/** The geometry: at level L the photo is reduced 2^L times and cut into squares of `tile`. */
export class Pyramid {
  constructor({ width, height, tile, levels }) {
    Object.assign(this, { width, height, tile, levels });
  }

  levelFor(scale) {
    const level = Math.floor(Math.log2(1 / scale) + 0.01);
    return Math.min(Math.max(level, 0), this.levels - 1);
  }

  spot(level, column, row) {
    const step = this.tile * 2 ** level;
    return {
      key: `${level}/${column}/${row}`,
      level,
      column,
      row,
      x0: column * step,
      y0: row * step,
      x1: Math.min((column + 1) * step, this.width),
      y1: Math.min((row + 1) * step, this.height),
    };
  }

  /** The tiles of a level that touch a box of the photo, the middle ones first. */
  spots(level, [x0, y0, x1, y1]) {
    const step = this.tile * 2 ** level;
    const last = [Math.ceil(this.width / step) - 1, Math.ceil(this.height / step) - 1];
    const found = [];
    for (let row = Math.floor(y0 / step); row <= Math.min(last[1], Math.floor(y1 / step)); row++)
      for (let column = Math.floor(x0 / step); column <= Math.min(last[0], Math.floor(x1 / step)); column++)
        found.push(this.spot(level, column, row));
    const away = (spot) =>
      Math.hypot((spot.x0 + spot.x1 - x0 - x1) / 2, (spot.y0 + spot.y1 - y0 - y1) / 2);
    return found.sort((a, b) => away(a) - away(b));
  }
}

const touches = (spot, [x0, y0, x1, y1]) =>
  spot.x0 < x1 && spot.x1 > x0 && spot.y0 < y1 && spot.y1 > y0;

/** The tiles of one picture. `load(spot)` promises what is to be drawn; `onLoad(spot)` asks for a
 * frame, in which the spot may look different. */
export class TileSet {
  #tiles = new Map(); // by key, the longest unused first: {spot, content, stale, frame}
  #loading = new Map();
  #failed = new Map();
  #wanted = [];
  #frame = 0;
  #closed = false;

  constructor(pyramid, load, { limit = 160, onLoad }) {
    Object.assign(this, { pyramid, load, limit, onLoad });
  }

  /** What to draw of `seen`: pieces {content, spot, from}; where a tile is missing, part of a coarser
   * one (`from` is the spot that its content covers). */
  pieces(level, seen) {
    this.#frame += 1;
    const spots = this.pyramid.spots(level, seen);
    const top = this.pyramid.spots(this.pyramid.levels - 1, seen); // something to show at once
    this.#wanted = [...top, ...spots].filter((spot) => this.#lacks(spot.key));
    const found = spots.map((spot) => this.#best(spot)).filter(Boolean);
    this.#pump();
    return found;
  }

  /** Whether all that the last frame asked for is here and fresh. */
  get complete() {
    return this.#wanted.length === 0 && this.#loading.size === 0;
  }

  /** The photo's box has changed: its tiles are shown until newer ones have come. */
  stale(box) {
    for (const tile of this.#tiles.values()) tile.stale ||= touches(tile.spot, box);
    for (const record of this.#loading.values()) record.dirty ||= touches(record.spot, box);
  }

  close() {
    this.#closed = true;
    for (const tile of this.#tiles.values()) tile.content.close?.();
    this.#tiles.clear();
  }

  #lacks(key) {
    const tile = this.#tiles.get(key);
    return !tile || tile.stale;
  }

  #use(key) {
    const tile = this.#tiles.get(key);
    if (!tile) return null;
    tile.frame = this.#frame;
    this.#tiles.delete(key);
    this.#tiles.set(key, tile);
    return tile;
  }

  #best(spot) {
    for (let level = spot.level, { column, row } = spot; level < this.pyramid.levels; level++) {
      const tile = this.#use(`${level}/${column}/${row}`);
      if (tile) return { content: tile.content, spot, from: tile.spot };
      column >>= 1;
      row >>= 1;
    }
    return null;
  }

  #pump() {
    const now = performance.now();
    for (const spot of this.#wanted) {
      if (this.#loading.size >= AT_ONCE) return;
      const resting = now - (this.#failed.get(spot.key) ?? -AGAIN) < AGAIN;
      if (!this.#loading.has(spot.key) && !resting) this.#fetch(spot);
    }
  }

  async #fetch(spot) {
    const record = { spot, dirty: false };
    this.#loading.set(spot.key, record);
    try {
      const content = await this.load(spot);
      if (this.#closed) content.close?.();
      else this.#keep(spot, content, record.dirty);
    } catch {
      this.#failed.set(spot.key, performance.now());
      setTimeout(() => this.#closed || this.onLoad(spot), AGAIN);
    } finally {
      this.#loading.delete(spot.key);
      this.#wanted = this.#wanted.filter((other) => this.#lacks(other.key));
      if (!this.#closed) {
        this.#pump();
        this.onLoad(spot);
      }
    }
  }

  #keep(spot, content, stale) {
    this.#failed.delete(spot.key);
    this.#tiles.get(spot.key)?.content.close?.();
    this.#tiles.delete(spot.key);
    this.#tiles.set(spot.key, { spot, content, stale, frame: this.#frame });
    for (const [key, tile] of this.#tiles) {
      if (this.#tiles.size <= this.limit || tile.frame === this.#frame) break;
      tile.content.close?.();
      this.#tiles.delete(key);
    }
  }
}
