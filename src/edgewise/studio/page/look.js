// How the mask is shown: the six looks, coarse beside or instead of refined, the locks.
import { Swipe } from "./compare.js";
import { MODES } from "./overlay.js";

const NAMES = {
  contour: "contour", tint: "tint", checker: "cut-out on a checkerboard",
  white: "cut-out on white", black: "cut-out on black", none: "photo alone",
};

export class Look {
  constructor({ form, handle, stage, locks }, viewer, { say, refresh }) {
    Object.assign(this, { form, stage, locks, viewer, say, refresh });
    this.swipe = new Swipe(handle, stage, viewer);
    form.addEventListener("change", () => this.#set(form.elements.look.value));
    locks.addEventListener("change", () => this.#showLocks(locks.checked));
    this.#set(form.elements.look.value, { quiet: true }); // a browser may restore a form
    this.#showLocks(locks.checked);
  }

  step(by) {
    const at = MODES.indexOf(this.viewer.mode);
    const mode = MODES[(at + by + MODES.length) % MODES.length];
    this.form.elements.look.value = mode;
    this.#set(mode);
  }

  flip(on) {
    this.viewer.flipped = on;
    this.stage.classList.toggle("flipped", on);
    this.viewer.draw();
  }

  toggleSwipe(on) {
    this.swipe.toggle(on);
    this.stage.classList.toggle("swiping", this.swipe.on);
    this.refresh();
  }

  toggleLocks(on = !this.locks.checked) {
    this.locks.checked = on;
    this.#showLocks(on);
  }

  #set(mode, { quiet = false } = {}) {
    this.viewer.mode = mode;
    this.viewer.draw();
    if (!quiet) this.say(`Look: ${NAMES[mode]}`);
  }

  #showLocks(on) {
    this.viewer.showLocks = on;
    this.viewer.draw();
  }
}
