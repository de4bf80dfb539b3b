// Where the photo lies on the canvas. Lengths are photo pixels or device pixels; a scale of 1 shows
// one photo pixel by one device pixel.

export const MOST = 8;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export class View {
  constructor() {
    this.photo = { width: 1, height: 1 };
    this.canvas = { width: 1, height: 1 };
    this.scale = 1;
    this.x = 0.5; // the photo's point in the canvas' middle
    this.y = 0.5;
    this.fitted = true;
  }

  get fitScale() {
    const { photo, canvas } = this;
    return Math.min(canvas.width / photo.width, canvas.height / photo.height, MOST) * 0.96;
  }

  get least() {
    return Math.min(this.fitScale / 2, 1);
  }

  /** A new photo is shown whole. */
  show(width, height) {
    this.photo = { width, height };
    this.fit();
  }

  resize(width, height) {
    this.canvas = { width: Math.max(width, 1), height: Math.max(height, 1) };
    if (this.fitted) this.fit();
    else this.#settle();
  }

  fit() {
    this.scale = this.fitScale;
    this.x = this.photo.width / 2;
    this.y = this.photo.height / 2;
    this.fitted = true;
  }

  toPhoto(left, top) {
    return [
      this.x + (left - this.canvas.width / 2) / this.scale,
      this.y + (top - this.canvas.height / 2) / this.scale,
    ];
  }

  toCanvas(x, y) {
    return [
      (x - this.x) * this.scale + this.canvas.width / 2,
      (y - this.y) * this.scale + this.canvas.height / 2,
    ];
  }

  /** The photo's corner on the canvas, on a whole pixel: all that is drawn lies relative to it, so
   * that a frame is the one before moved by whole pixels, where the scale stays. */
  get origin() {
    return this.toCanvas(0, 0).map(Math.round);
  }

  /** The canvas rectangle of a spot, on whole pixels: neighbours share an edge and show no seam. */
  rectangle({ x0, y0, x1, y1 }) {
    const [left, top] = this.origin;
    const [dx, dy] = [Math.round(x0 * this.scale), Math.round(y0 * this.scale)];
    const [across, down] = [Math.round(x1 * this.scale) - dx, Math.round(y1 * this.scale) - dy];
    return [left + dx, top + dy, across, down];
  }

  /** Change the scale; the photo's point under (left, top) stays there. */
  zoomTo(scale, left = this.canvas.width / 2, top = this.canvas.height / 2) {
    const [x, y] = this.toPhoto(left, top);
    this.scale = clamp(scale, this.least, MOST);
    this.x = x - (left - this.canvas.width / 2) / this.scale;
    this.y = y - (top - this.canvas.height / 2) / this.scale;
    this.fitted = false;
    this.#settle();
  }

  zoomBy(factor, left, top) {
    this.zoomTo(this.scale * factor, left, top);
  }

  /** Move the photo by device pixels. */
  pan(dx, dy) {
    this.x -= dx / this.scale;
    this.y -= dy / this.scale;
    this.fitted = false;
    this.#settle();
  }

  centre(x, y, scale = this.scale) {
    this.scale = clamp(scale, this.least, MOST);
    this.x = x;
    this.y = y;
    this.fitted = false;
    this.#settle();
  }

  /** The part of the photo that is seen, [x0, y0, x1, y1]. */
  get seen() {
    const [x0, y0] = this.toPhoto(0, 0);
    const [x1, y1] = this.toPhoto(this.canvas.width, this.canvas.height);
    const { width, height } = this.photo;
    return [clamp(x0, 0, width), clamp(y0, 0, height), clamp(x1, 0, width), clamp(y1, 0, height)];
  }

  #settle() {
    this.x = clamp(this.x, 0, this.photo.width);
    this.y = clamp(this.y, 0, this.photo.height);
  }
}
