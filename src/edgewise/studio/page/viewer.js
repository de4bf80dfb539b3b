// The canvas that shows the photo and its mask: a frame is drawn when something asked for one.
import { Kept } from "./kept.js";
import { Overlay } from "./overlay.js";
import { maskSource, photoSource } from "./sources.js";
import { Pyramid, TileSet } from "./tiles.js";
import { View } from "./view.js";

export class Viewer extends EventTarget {
  view = new View();
  mode = "contour";
  swipe = null; // the share of the width that shows the coarse mask, or null
  flipped = false;
  showLocks = false;
  ratio = 1; // device pixels by CSS pixel, as the canvas was made
  #overlay = new Overlay();
  #kept = new Kept();
  #document = null;
  #sets = {};
  #asked = false;
  #ground = "#000";

  constructor(canvas) {
    super();
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { alpha: false }); // laid on the page without blending
    this.#followTheme();
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#followRatio();
    this.#resize();
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
    this.#overlay.clear();
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

  /** Draw all of it again. */
  draw() {
    this.#kept.spoil();
    this.#ask();
  }

  /** A step of the view, e.g. `viewer.move((view) => view.fit())`. */
  move(step) {
    step(this.view);
    this.#ask();
  }

  #ask() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  #tiles(load, limit) {
    const onLoad = (spot) => {
      this.#kept.spoil(spot);
      this.#ask();
    };
    return new TileSet(this.pyramid, load, { limit, onLoad });
  }

  /** The canvas has no transparency: it takes the ground's colour, and another with the theme. */
  #followTheme() {
    const take = () => {
      this.#ground = getComputedStyle(this.canvas.parentElement).backgroundColor;
      this.draw();
    };
    new MutationObserver(take).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", take);
    take();
  }

  /** A window on another screen, or zoomed, has other pixels, even where its size stays. */
  #followRatio() {
    const another = () => {
      this.#resize();
      this.#followRatio();
    };
    const same = matchMedia(`(resolution: ${window.devicePixelRatio}dppx)`);
    same.addEventListener("change", another, { once: true });
  }

  #masks(which) {
    const now = () => this.#document;
    return this.#tiles(maskSource(() => now().id, which, () => now().revision), 120);
  }

  #resize() {
    const box = this.canvas.getBoundingClientRect();
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [box.width, box.height].map((side) => Math.round(side * ratio));
    if (!width || !height) return;
    this.ratio = ratio;
    Object.assign(this.canvas, { width, height });
    this.view.resize(width, height);
    this.#kept.spoil();
    this.#paint(); // at once: setting the size has emptied the canvas
  }

  #paint() {
    const scene = this.#scene();
    const how = { look: scene.look, ratio: this.ratio };
    this.#overlay.begin();
    for (const region of this.#kept.regions(this.context, this.view, how))
      this.#paintRegion(scene, region);
    this.dispatchEvent(new Event("frame"));
  }

  /** What there is to draw: the pieces of each picture, and which masks are shown where. */
  #scene() {
    if (!this.#document) return { look: "nothing", parts: [] };
    const level = this.pyramid.levelFor(this.view.scale);
    const { seen } = this.view;
    const pieces = (which) => this.#sets[which]?.pieces(level, seen) ?? [];
    const parts = this.#parts().map((one) => ({ ...one, mask: one.which ? pieces(one.which) : [] }));
    const lock = this.showLocks ? pieces("lock") : [];
    const { mode, showLocks } = this;
    const split = parts.map(({ which, left, right }) => `${which} ${left} ${right}`).join();
    const look = `${mode} ${showLocks} ${level} ${split} ${this.#document.refined}`;
    return { look, photo: pieces("photo"), parts, lock };
  }

  /** Columns of the canvas and the mask that is shown in each, or null. */
  #parts() {
    const { width } = this.canvas;
    const { coarse, current } = this.#sets;
    const one = current ? "current" : coarse ? "coarse" : null;
    if (!(coarse && current)) return [{ which: one, left: 0, right: width }];
    if (this.flipped) return [{ which: "coarse", left: 0, right: width }];
    if (this.swipe === null) return [{ which: one, left: 0, right: width }];
    const split = Math.round(width * this.swipe);
    return [
      { which: "coarse", left: 0, right: split },
      { which: "current", left: split, right: width },
    ];
  }

  #paintRegion({ photo, parts, lock = [] }, region) {
    const { context, view } = this;
    this.#within(region, () => {
      context.fillStyle = this.#ground;
      context.fillRect(...region);
    });
    const near = (pieces, box) => pieces.filter(({ spot }) => meet(view.rectangle(spot), box));
    for (const { which, mask, left, right } of parts) {
      const x0 = Math.max(left, region[0]);
      const box = [x0, region[1], Math.min(right, region[0] + region[2]) - x0, region[3]];
      if (box[2] <= 0 || !photo) continue;
      const pieces = { photo: near(photo, box), mask: near(mask, box) };
      const style = this.#document.refined ? which : "coarse"; // until it is refined it is coarse
      const mode = which ? this.mode : "none";
      this.#within(box, () =>
        this.#overlay.paint(context, view, pieces, { which, style, mode, ratio: this.ratio }));
    }
    if (lock.length) this.#overlay.paintLock(context, view, near(lock, region), region);
  }

  #within(box, draw) {
    const { context } = this;
    context.save();
    context.beginPath();
    context.rect(...box);
    context.clip();
    draw();
    context.restore();
  }
}

/** Whether a piece's rectangle, with the rim that its lines take, and a box have pixels in common. */
function meet([left, top, across, down], [x, y, width, height]) {
  const rim = 8;
  return (
    left - rim < x + width && left + across + rim > x && top - rim < y + height && top + down + rim > y
  );
}
