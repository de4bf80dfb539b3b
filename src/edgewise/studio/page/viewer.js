// The canvas that shows the photo and its mask: a frame is drawn when something asked for one.
import { Overlay, drawPhoto } from "./overlay.js";
import { maskSource, photoSource } from "./sources.js";
import { Pyramid, TileSet } from "./tiles.js";
import { View } from "./view.js";

export class Viewer extends EventTarget {
  view = new View();
  mode = "contour";
  swipe = null; // the share of the width that shows the coarse mask, or null
  flipped = false;
  showLocks = false;
  #overlay = new Overlay();
  #document = null;
  #sets = {};
  #asked = false;

  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.context = canvas.getContext("2d");
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  get ratio() {
    return window.devicePixelRatio || 1;
  }

  get document() {
    return this.#document;
  }

  /** Whether the last frame had all its tiles. */
  get complete() {
    return Object.values(this.#sets).every((set) => set.complete);
  }

  /** Show another document, whole. */
  open(document) {
    this.close();
    this.#document = document;
    this.pyramid = new Pyramid(document);
    this.view.show(document.width, document.height);
    this.#sets.photo = this.#tiles(photoSource(() => this.#document.id), 200);
    this.update(document);
  }

  close() {
    for (const set of Object.values(this.#sets)) set.close();
    this.#sets = {};
    this.#document = null;
    this.draw();
  }

  /** The same document after an operation; `box` is the part that changed, null for none of it. */
  update(document, box = [0, 0, document.width, document.height]) {
    this.#document = document;
    if (box) for (const which of ["current", "lock"]) this.#sets[which]?.stale(box);
    const has = { current: document.has_mask, coarse: document.has_coarse, lock: document.has_mask };
    for (const [which, there] of Object.entries(has)) {
      if (there && !this.#sets[which]) this.#sets[which] = this.#masks(which);
      if (!there && this.#sets[which]) {
        this.#sets[which].close();
        delete this.#sets[which];
      }
    }
    this.draw();
  }

  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  /** A step of the view, e.g. `viewer.move((view) => view.fit())`. */
  move(step) {
    step(this.view);
    this.draw();
  }

  #tiles(load, limit) {
    return new TileSet(this.pyramid, load, { limit, onLoad: () => this.draw() });
  }

  #masks(which) {
    const now = () => this.#document;
    return this.#tiles(maskSource(() => now().id, which, () => now().revision), 120);
  }

  #resize() {
    const box = this.canvas.getBoundingClientRect();
    const [width, height] = [box.width, box.height].map((side) => Math.round(side * this.ratio));
    if (!width || !height) return;
    Object.assign(this.canvas, { width, height });
    this.view.resize(width, height);
    this.#paint(); // at once: setting the size has emptied the canvas
  }

  #paint() {
    const { context, view } = this;
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (this.#document) {
      const level = this.pyramid.levelFor(view.scale);
      drawPhoto(context, view, this.#sets.photo.pieces(level, view.seen));
      this.#paintMasks(level);
    }
    this.dispatchEvent(new Event("frame"));
  }

  #paintMasks(level) {
    const { width } = this.canvas;
    const both = this.#sets.coarse && this.#sets.current;
    if (both && this.flipped) return this.#paintMask(level, "coarse", 0, width);
    if (both && this.swipe !== null) {
      const split = Math.round(width * this.swipe);
      this.#paintMask(level, "coarse", 0, split);
      this.#paintMask(level, "current", split, width);
    } else if (this.#sets.current) this.#paintMask(level, "current", 0, width);
    else if (this.#sets.coarse) this.#paintMask(level, "coarse", 0, width);
    if (this.showLocks && this.#sets.lock)
      this.#overlay.paintLock(this.context, this.view, this.#sets.lock.pieces(level, this.view.seen));
  }

  #paintMask(level, which, left, right) {
    const { context, view } = this;
    const pieces = this.#sets[which].pieces(level, view.seen);
    context.save();
    context.beginPath();
    context.rect(left, 0, right - left, this.canvas.height);
    context.clip();
    const style = this.#document.refined ? which : "coarse"; // until it is refined it is coarse
    this.#overlay.paint(context, view, pieces, { style, mode: this.mode, ratio: this.ratio });
    context.restore();
  }
}
