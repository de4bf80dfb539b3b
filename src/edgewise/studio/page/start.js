// The first mask of a photo that has none: a box, or scribbles that are collected until they are sent.
import { ordered } from "./brush.js";

const SMALLEST = 4; // photo pixels: a smaller box is a slip of the hand

export class Start extends EventTarget {
  scribbles = [];

  /** A stroke was drawn. Resolves to what is to be sent, or null while scribbles are collected. */
  take(stroke) {
    if (stroke.tool === "box") return this.#box(stroke);
    this.scribbles.push(stroke);
    this.dispatchEvent(new Event("change"));
    return null;
  }

  undo() {
    this.scribbles.pop();
    this.dispatchEvent(new Event("change"));
  }

  clear() {
    this.scribbles = [];
    this.dispatchEvent(new Event("change"));
  }

  get ready() {
    return this.scribbles.some((stroke) => stroke.tool === "add");
  }

  /** What the scribbles are to the server. */
  get body() {
    const strokes = this.scribbles.map(({ tool, radius, points }) => ({ mode: tool, radius, points }));
    return { strokes };
  }

  #box(stroke) {
    const box = ordered(stroke.points);
    const large = box[2] - box[0] >= SMALLEST && box[3] - box[1] >= SMALLEST;
    return large ? { box } : null;
  }
}
