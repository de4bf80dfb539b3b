// What becomes of a stroke: an operation for the server, or a scribble while there is no mask. Its
// preview stays on the ink until the tiles show what it did.
import { TOOLS } from "./brush.js";

export class Painting {
  #settling = new Set(); // done by the server, not yet seen

  constructor({ session, viewer, ink, start, lockPaint }) {
    Object.assign(this, { session, viewer, ink, start, lockPaint });
    start.addEventListener("change", () => this.showScribbles());
    viewer.addEventListener("frame", () => this.#settle());
  }

  take(stroke) {
    if (this.session.document.has_mask) return this.#paint(stroke);
    const body = this.start.take(stroke);
    return body && this.session.operate("start", body);
  }

  showScribbles() {
    this.ink.strokes.clear();
    for (const stroke of this.start.scribbles) this.ink.strokes.add(stroke);
    this.ink.draw();
  }

  async #paint(stroke) {
    this.ink.strokes.add(stroke);
    const done = await this.session.operate(TOOLS[stroke.tool].verb, this.#body(stroke));
    if (done) this.#settling.add(stroke);
    else this.ink.strokes.delete(stroke);
    this.ink.draw();
    this.viewer.draw();
  }

  #body({ tool, radius, points }) {
    if (tool === "refine") return { radius, points };
    const painted = tool === "add" || tool === "remove";
    return { mode: tool, radius, points, lock: painted && this.lockPaint.checked };
  }

  #settle() {
    if (!this.#settling.size || !this.viewer.complete) return;
    for (const stroke of this.#settling) this.ink.strokes.delete(stroke);
    this.#settling.clear();
    this.ink.draw();
  }
}
