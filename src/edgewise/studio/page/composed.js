// Tiles of photo and mask in one: made once, so that a frame draws each pixel once.

const LIMIT = 96; // tiles that are kept though the last frame had no use for them

/** The part of the content's pixels that shows `spot`, where the content covers `from`. */
export function part({ spot, from }, width, height) {
  const [across, down] = [width / (from.x1 - from.x0), height / (from.y1 - from.y0)];
  return [
    (spot.x0 - from.x0) * across,
    (spot.y0 - from.y0) * down,
    (spot.x1 - spot.x0) * across,
    (spot.y1 - spot.y0) * down,
  ];
}

export class Composed {
  #tiles = new Map(); // {photo, mask, bitmap, frame}, the longest unused first
  #frame = 0;

  /** A frame begins: what it does not use may go. */
  begin() {
    this.#frame += 1;
    for (const [key, tile] of this.#tiles) {
      if (this.#tiles.size <= LIMIT || tile.frame >= this.#frame - 1) break;
      this.#drop(key);
    }
  }

  /** A bitmap of the photo's piece cut out by the mask's, or with `tint` over what is inside. */
  tile(photo, mask, { which, tint = null }) {
    const key = `${which} ${tint} ${photo.spot.key}`;
    const held = this.#tiles.get(key);
    const same = held && held.photo === photo.content && held.mask === mask.content;
    if (held && !same) this.#drop(key);
    const bitmap = same ? held.bitmap : compose(photo, mask, tint);
    this.#tiles.delete(key);
    const [one, other] = [photo.content, mask.content];
    this.#tiles.set(key, { photo: one, mask: other, bitmap, frame: this.#frame });
    return bitmap;
  }

  clear() {
    for (const key of [...this.#tiles.keys()]) this.#drop(key);
  }

  #drop(key) {
    this.#tiles.get(key).bitmap.close();
    this.#tiles.delete(key);
  }
}

function compose(photo, mask, tint) {
  const { spot } = photo;
  const step = 2 ** spot.level;
  const [width, height] = [spot.x1 - spot.x0, spot.y1 - spot.y0].map((side) => Math.ceil(side / step));
  const surface = new OffscreenCanvas(width, height);
  const context = surface.getContext("2d");
  const lay = (piece, image, { content } = piece) =>
    context.drawImage(image, ...part(piece, content.width, content.height), 0, 0, width, height);
  lay(mask, mask.content.bitmap);
  context.globalCompositeOperation = "source-in";
  if (tint) {
    context.globalAlpha = 0.5;
    context.fillStyle = tint;
    context.fillRect(0, 0, width, height);
    context.globalAlpha = 1;
    context.globalCompositeOperation = "destination-over";
  }
  lay(photo, photo.content);
  return surface.transferToImageBitmap();
}
