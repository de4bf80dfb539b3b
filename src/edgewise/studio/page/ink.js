// The canvas above the photo: strokes on their way, the brush's outline, the crosshair, the place
// that was jumped to. It is drawn apart from the photo, since it follows the pointer.
import { TOOLS, ordered } from "./brush.js";

const DARK = "rgba(0, 0, 0, 0.65)";

export class Ink {
  pointer = null; // canvas pixels
  crosshair = null; // photo pixels
  place = null;
  strokes = new Set(); // sent, not seen in the tiles yet; or scribbles of a start
  #asked = false;

  constructor(canvas, viewer, brush) {
    Object.assign(this, { canvas, viewer, brush });
    this.context = canvas.getContext("2d");
    for (const type of ["tool", "size", "stroke"]) brush.addEventListener(type, () => this.draw());
    viewer.addEventListener("frame", () => this.#paint());
  }

  draw() {
    if (this.#asked) return;
    this.#asked = true;
    requestAnimationFrame(() => {
      this.#asked = false;
      this.#paint();
    });
  }

  #paint() {
    const { canvas, viewer, context, brush } = this;
    const { width, height } = viewer.canvas;
    const hidden = !this.#any();
    if (canvas.hidden !== hidden) canvas.hidden = hidden; // an empty layer costs time as well
    if (hidden) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    context.clearRect(0, 0, width, height);
    for (const stroke of this.strokes) this.#stroke(stroke);
    if (brush.stroke?.tool === "box") this.#box(brush.stroke);
    else if (brush.stroke) this.#stroke(brush.stroke);
    if (this.place) this.#ring(this.place);
    if (this.crosshair) this.#cross(viewer.view.toCanvas(...this.crosshair));
    const at = this.crosshair ? viewer.view.toCanvas(...this.crosshair) : this.pointer;
    if (at && brush.kind === "stroke") this.#outline(at);
  }

  /** Whether there is anything to draw. */
  #any() {
    const { brush, viewer } = this;
    const outlined = this.pointer && brush.kind === "stroke";
    const drawn = this.strokes.size || brush.stroke || this.place || this.crosshair || outlined;
    return Boolean(viewer.document && drawn);
  }

  #stroke({ tool, radius, points }) {
    const { context, viewer } = this;
    const line = points.map(([x, y]) => viewer.view.toCanvas(x, y));
    context.save();
    context.globalAlpha = 0.5;
    context.strokeStyle = TOOLS[tool].colour;
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = 2 * radius * viewer.view.scale;
    context.beginPath();
    context.moveTo(...line[0]);
    for (const point of line) context.lineTo(...point);
    context.stroke();
    context.restore();
  }

  /** A line that is seen on any ground: dark below, light above. */
  #trace(draw, colour, dash = []) {
    const { context, viewer } = this;
    for (const [style, width] of [[DARK, 3.5], [colour, 1.5]]) {
      context.beginPath();
      draw(context);
      context.strokeStyle = style;
      context.lineWidth = width * viewer.ratio;
      context.setLineDash(dash.map((part) => part * viewer.ratio));
      context.stroke();
    }
    context.setLineDash([]);
  }

  #box({ points }) {
    const [x0, y0, x1, y1] = ordered(points);
    const [left, top] = this.viewer.view.toCanvas(x0, y0);
    const [right, bottom] = this.viewer.view.toCanvas(x1, y1);
    this.#trace((c) => c.rect(left, top, right - left, bottom - top), TOOLS.box.colour, [8, 4]);
  }

  #outline([left, top]) {
    const { colour, sign } = TOOLS[this.brush.tool];
    const { ratio, view } = this.viewer;
    const radius = Math.max((this.brush.size / 2) * view.scale, 1.5 * ratio);
    const dash = this.brush.tool === "remove" ? [5, 3] : [];
    this.#trace((c) => c.arc(left, top, radius, 0, 2 * Math.PI), colour, dash);
    if (!sign || radius < 7 * ratio) return;
    const arm = 4 * ratio;
    this.#trace((c) => {
      c.moveTo(left - arm, top);
      c.lineTo(left + arm, top);
      if (sign !== "+") return;
      c.moveTo(left, top - arm);
      c.lineTo(left, top + arm);
    }, colour);
  }

  #cross([left, top]) {
    const { ratio } = this.viewer;
    const [gap, arm] = [6 * ratio, 18 * ratio];
    this.#trace((c) => {
      for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        c.moveTo(left + dx * gap, top + dy * gap);
        c.lineTo(left + dx * arm, top + dy * arm);
      }
    }, "#ffffff");
  }

  #ring({ x, y, size }) {
    const { ratio, view } = this.viewer;
    const [left, top] = view.toCanvas(x, y);
    const radius = Math.max(size * view.scale * 0.6, 24 * ratio);
    this.#trace((c) => c.arc(left, top, radius, 0, 2 * Math.PI), "#ffffff", [2, 5]);
  }
}
