// The swipe: a handle over the canvas with the coarse mask on its left and the refined on its right.

const STEP = 0.02;

export class Swipe {
  #share = 0.5;

  constructor(handle, stage, viewer) {
    Object.assign(this, { handle, stage, viewer });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    handle.addEventListener("pointermove", (event) => {
      if (handle.hasPointerCapture(event.pointerId)) this.#follow(event);
    });
    handle.addEventListener("keydown", (event) => this.#key(event));
  }

  get on() {
    return this.viewer.swipe !== null;
  }

  toggle(on = !this.on) {
    this.handle.hidden = !on;
    this.viewer.swipe = on ? this.#share : null;
    this.#place();
  }

  move(by) {
    this.#set(this.#share + by * STEP);
  }

  #follow(event) {
    const box = this.stage.getBoundingClientRect();
    this.#set((event.clientX - box.left) / box.width);
  }

  #key(event) {
    const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageUp: 5, PageDown: -5 };
    const ends = { Home: 0, End: 1 };
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key in ends) this.#set(ends[event.key]);
    else return;
    event.preventDefault();
  }

  #set(share) {
    this.#share = Math.min(Math.max(share, 0), 1);
    if (this.on) this.viewer.swipe = this.#share;
    this.#place();
  }

  #place() {
    const percent = Math.round(100 * this.#share);
    this.handle.style.left = `${100 * this.#share}%`;
    this.handle.setAttribute("aria-valuenow", percent);
    this.handle.setAttribute("aria-valuetext", `coarse on the left ${percent} %`);
    this.viewer.draw();
  }
}
