// The canvas by keyboard: arrow keys move a crosshair (with the Move tool: the photo), Space paints
// while it is held, Enter puts the pen down and lifts it.

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const FAR = 16; // CSS pixels of a step; with Shift one photo pixel, or one CSS pixel if that is more
const PAN = 80;
const MARGIN = 0.12; // of the canvas: nearer to its rim than this, the photo follows

export class Crosshair {
  #spaced = false; // Space is what put the pen down

  constructor(stage, viewer, brush, ink, gestures, say) {
    Object.assign(this, { stage, viewer, brush, ink, gestures, say });
    stage.addEventListener("keydown", (event) => this.#down(event));
    stage.addEventListener("keyup", (event) => this.#up(event));
    stage.addEventListener("blur", () => this.#blur());
    stage.addEventListener("focus", () => this.#wake());
    brush.addEventListener("tool", () => this.#wake());
  }

  #down(event) {
    if (!this.viewer.document || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target !== this.stage) return;
    if (event.key in STEPS) this.#step(STEPS[event.key], event.shiftKey);
    else if (event.key === " ") this.#space(event.repeat);
    else if (event.key === "Enter") this.#toggle();
    else return;
    event.preventDefault();
  }

  #up(event) {
    if (event.key !== " ") return;
    this.gestures.handHeld = false;
    this.stage.classList.remove("hand");
    if (this.#spaced) this.brush.end();
    this.#spaced = false;
  }

  #blur() {
    this.#up({ key: " " });
    this.ink.crosshair = null;
    this.ink.draw();
  }

  #wake() {
    if (this.stage.matches(":focus-visible") && !this.ink.pointer) this.#appear();
  }

  #appear() {
    if (this.brush.kind === "move" || !this.viewer.document) return;
    const { view } = this.viewer;
    const seen = view.seen;
    this.ink.crosshair ??= [(seen[0] + seen[2]) / 2, (seen[1] + seen[3]) / 2];
    this.ink.draw();
  }

  #step([dx, dy], fine) {
    const { viewer } = this;
    const { view, ratio } = viewer;
    if (this.brush.kind === "move") {
      const far = (fine ? 10 : PAN) * ratio;
      return viewer.move(() => view.pan(-dx * far, -dy * far));
    }
    this.#appear();
    const far = fine ? Math.max(1, ratio / view.scale) : (FAR * ratio) / view.scale;
    const { width, height } = view.photo;
    const [x, y] = this.ink.crosshair;
    this.ink.crosshair = [
      Math.min(Math.max(x + dx * far, 0), width),
      Math.min(Math.max(y + dy * far, 0), height),
    ];
    this.brush.extend(...this.ink.crosshair, 0);
    this.#follow();
    this.#tellSoon();
    return this.ink.draw();
  }

  #follow() {
    const { view, canvas } = this.viewer;
    const at = view.toCanvas(...this.ink.crosshair);
    const sides = [canvas.width, canvas.height];
    const [dx, dy] = at.map((place, axis) => {
      const margin = MARGIN * sides[axis];
      return place - Math.min(Math.max(place, margin), sides[axis] - margin);
    });
    if (dx || dy) this.viewer.move(() => view.pan(-dx, -dy));
  }

  #space(repeat) {
    if (repeat) return;
    if (this.ink.crosshair && this.brush.kind !== "move") {
      this.#spaced = !this.brush.stroke;
      if (this.#spaced) this.brush.begin(...this.ink.crosshair);
    } else {
      this.gestures.handHeld = true;
      this.stage.classList.add("hand");
    }
  }

  #toggle() {
    if (this.brush.kind === "move") return;
    this.#appear();
    if (this.brush.stroke) this.brush.end();
    else {
      this.brush.begin(...this.ink.crosshair);
      this.say("The pen is down: arrow keys draw, Enter lifts it, Escape drops the stroke");
    }
  }

  #timer = null;
  #tellSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (!this.ink.crosshair) return;
      const [x, y] = this.ink.crosshair.map(Math.round);
      this.say(`Crosshair at ${x}, ${y}${this.brush.stroke ? ", pen down" : ""}`);
    }, 500);
  }
}
