// The tools, the brush's size, and the stroke that is being drawn.

export const TOOLS = {
  move: { label: "Move", kind: "move" },
  add: { label: "Add", kind: "stroke", verb: "strokes", colour: "#56b4e9", sign: "+" },
  remove: { label: "Remove", kind: "stroke", verb: "strokes", colour: "#e0621a", sign: "−" },
  lock: { label: "Lock", kind: "stroke", verb: "strokes", colour: "#f0e442", sign: "" },
  unlock: { label: "Unlock", kind: "stroke", verb: "strokes", colour: "#f5f5f3", sign: "" },
  refine: { label: "Refine here", kind: "stroke", verb: "refine", colour: "#cc79a7", sign: "" },
  box: { label: "Box", kind: "box", colour: "#f0e442", sign: "" },
};
export const LARGEST = 1000;
const STEP = 1.25;
const MOST = 8000; // points of a stroke; of a longer one every second point is kept

const tenth = (value) => Math.round(10 * value) / 10;

export class Brush extends EventTarget {
  tool = "move";
  size = 40; // diameter in photo pixels
  stroke = null; // {tool, radius, points}, or {tool: "box", points: [corner, corner]}

  get kind() {
    return TOOLS[this.tool].kind;
  }

  choose(tool) {
    if (this.stroke) this.cancel();
    this.tool = tool;
    this.#tell("tool");
  }

  resize(size) {
    this.size = Math.min(Math.max(tenth(size), 1), LARGEST);
    this.#tell("size");
  }

  step(direction) {
    const size = this.size * STEP ** direction;
    const whole = direction > 0 ? Math.ceil(size) : Math.floor(size);
    this.resize(whole);
  }

  begin(x, y, tool = this.tool) {
    this.stroke = { tool, radius: this.size / 2, points: [[tenth(x), tenth(y)]] };
    if (tool === "box") this.stroke.points.push([tenth(x), tenth(y)]);
    this.#tell("stroke");
  }

  /** The pen has moved; points nearer than `least` photo pixels to the last one are left out. */
  extend(x, y, least = 0.5) {
    if (!this.stroke) return;
    const { tool, points } = this.stroke;
    if (tool === "box") points[1] = [tenth(x), tenth(y)];
    else if (Math.hypot(x - points.at(-1)[0], y - points.at(-1)[1]) >= least)
      points.push([tenth(x), tenth(y)]);
    if (points.length > MOST) this.stroke.points = points.filter((_, at) => at % 2 === 0);
    this.#tell("stroke");
  }

  /** The pen is lifted: the stroke is handed out as an event "done". */
  end() {
    const { stroke } = this;
    if (!stroke) return;
    this.stroke = null;
    this.dispatchEvent(new CustomEvent("done", { detail: stroke }));
    this.#tell("stroke");
  }

  cancel() {
    this.stroke = null;
    this.#tell("stroke");
  }

  #tell(type) {
    this.dispatchEvent(new Event(type));
  }
}

/** A box's corners in order, [x0, y0, x1, y1]. */
export function ordered([[ax, ay], [bx, by]]) {
  return [Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)];
}
