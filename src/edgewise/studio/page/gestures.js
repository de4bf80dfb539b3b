// Mouse, touch and pen on the canvas: the tool's strokes, panning, pinching, the wheel.

const ERASER = 32; // the bit in `buttons` of a pen's other end
const WHEEL = 0.0022; // log of the zoom by a pixel of wheel

export class Gestures {
  handHeld = false; // Space is down: any drag pans
  #pointers = new Map();
  #pinch = null;
  #panning = null;
  #pen = false; // a pen has been seen: fingers only pan then, a palm must not paint

  constructor(stage, viewer, brush, ink) {
    Object.assign(this, { stage, viewer, brush, ink });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    stage.addEventListener("pointerup", (event) => this.#up(event));
    stage.addEventListener("pointercancel", (event) => this.#cancel(event));
    stage.addEventListener("pointerleave", () => this.#leave());
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  #at(event) {
    const box = this.stage.getBoundingClientRect();
    const { ratio } = this.viewer;
    return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
  }

  #down(event) {
    if (!this.viewer.document || event.target.closest("button, [role=slider], a, input")) return;
    this.stage.setPointerCapture(event.pointerId);
    this.#pen ||= event.pointerType === "pen";
    this.#pointers.set(event.pointerId, this.#at(event));
    this.ink.crosshair = null;
    if (this.#pointers.size === 2) this.#startPinch();
    else if (this.#pointers.size === 1) this.#start(event);
  }

  #start(event) {
    const at = this.#at(event);
    const finger = this.#pen && event.pointerType === "touch";
    const pans = this.brush.kind === "move" || this.handHeld || finger || event.button === 1;
    if (pans) {
      this.#panning = at;
      this.stage.classList.add("grabbing");
    } else if (event.button === 0 || event.buttons & ERASER) {
      const rubbed = event.buttons & ERASER && this.brush.kind === "stroke";
      this.brush.begin(...this.viewer.view.toPhoto(...at), rubbed ? "remove" : undefined);
    }
  }

  #startPinch() {
    this.brush.cancel();
    this.#panning = null;
    this.#pinch = this.#fingers();
  }

  #fingers() {
    const [[ax, ay], [bx, by]] = [...this.#pointers.values()];
    return { left: (ax + bx) / 2, top: (ay + by) / 2, apart: Math.hypot(ax - bx, ay - by) || 1 };
  }

  #move(event) {
    const at = this.#at(event);
    if (event.pointerType !== "touch") this.#hover(at);
    if (!this.#pointers.has(event.pointerId)) return;
    this.#pointers.set(event.pointerId, at);
    if (this.#pinch) this.#stretch();
    else if (this.#panning) this.#drag(at);
    else this.#paint(event);
  }

  #hover(at) {
    this.ink.pointer = at;
    this.ink.crosshair = null;
    this.ink.draw();
  }

  #stretch() {
    if (this.#pointers.size < 2) return;
    const [before, now] = [this.#pinch, this.#fingers()];
    this.viewer.move((view) => {
      view.pan(now.left - before.left, now.top - before.top);
      view.zoomBy(now.apart / before.apart, now.left, now.top);
    });
    this.#pinch = now;
  }

  #drag(at) {
    const [left, top] = this.#panning;
    this.viewer.move((view) => view.pan(at[0] - left, at[1] - top));
    this.#panning = at;
  }

  #paint(event) {
    const { view, ratio } = this.viewer;
    const steps = event.getCoalescedEvents?.() ?? [];
    for (const step of steps.length ? steps : [event])
      this.brush.extend(...view.toPhoto(...this.#at(step)), ratio / view.scale);
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#pinch) {
      if (this.#pointers.size === 0) this.#pinch = null; // the second finger ends it, not a stroke
    } else if (this.#panning) this.#rest();
    else this.brush.end();
    if (event.pointerType === "touch") this.#leave();
  }

  #cancel(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#pointers.size === 0) this.#pinch = null;
    this.#rest();
    this.brush.cancel();
  }

  #rest() {
    this.#panning = null;
    this.stage.classList.remove("grabbing");
  }

  #leave() {
    this.ink.pointer = null;
    this.ink.draw();
  }

  #wheel(event) {
    if (!this.viewer.document) return;
    event.preventDefault();
    const pixels = event.deltaY * [1, 16, 400][event.deltaMode];
    if (event.shiftKey) return this.viewer.move((view) => view.pan(-(event.deltaX || pixels), 0));
    const factor = Math.exp(-pixels * (event.ctrlKey ? 4 : 1) * WHEEL);
    this.viewer.move((view) => view.zoomBy(factor, ...this.#at(event)));
  }
}
