// Draws photo and mask. Colours are those of the report: the coarse mask orange and dashed, the
// refined one blue, each on a dark halo, so that they differ by more than hue.
import { Composed, part } from "./composed.js";

export const MODES = ["contour", "tint", "checker", "white", "black", "none"];
const STYLES = {
  coarse: { line: "#ff7a1a", dash: [6, 4], tint: "#e69f00" },
  current: { line: "#4fb3ff", dash: [], tint: "#0072b2" },
};
const HALO = "rgba(0, 0, 0, 0.55)";
const LOCK = "#f0e442";

function canvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

function checker() {
  const side = 24;
  const tile = canvas(side, side);
  const context = tile.getContext("2d");
  context.fillStyle = "#ffffff";
  context.fillRect(0, 0, side, side);
  context.fillStyle = "#d2d2d2";
  context.fillRect(0, 0, side / 2, side / 2);
  context.fillRect(side / 2, side / 2, side / 2, side / 2);
  return context.createPattern(tile, "repeat");
}

function hatch() {
  const side = 12;
  const tile = canvas(side, side);
  const context = tile.getContext("2d");
  context.lineWidth = 2.5;
  for (const [colour, shift] of [["rgba(0,0,0,.6)", 2], [LOCK, 0]]) {
    context.strokeStyle = colour;
    context.beginPath();
    for (let at = -side; at <= 2 * side; at += side) {
      context.moveTo(at + shift - 2, -2);
      context.lineTo(at + shift + side + 2, side + 2);
    }
    context.stroke();
  }
  return context.createPattern(tile, "repeat");
}

function drawPiece(context, view, piece, image) {
  const { width, height } = image;
  context.drawImage(image, ...part(piece, width, height), ...view.rectangle(piece.spot));
}

/** The same of a bitmap that shows just the piece's spot. */
function drawWhole(context, view, { spot }, bitmap) {
  context.drawImage(bitmap, ...view.rectangle(spot));
}

function fill(context, view, { spot }, { colour, opacity = 1 }) {
  context.globalAlpha = opacity;
  context.fillStyle = colour;
  context.fillRect(...view.rectangle(spot));
  context.globalAlpha = 1;
}

const where = (pieces) => new Map(pieces.map((piece) => [piece.spot.key, piece]));

export class Overlay {
  #layer = canvas(1, 1);
  #context = this.#layer.getContext("2d");
  #checker = checker();
  #hatch = hatch();
  #composed = new Composed();

  begin() {
    this.#composed.begin();
  }

  clear() {
    this.#composed.clear();
  }

  drawPhoto(context, view, pieces) {
    context.imageSmoothingEnabled = view.scale < 2;
    for (const piece of pieces) drawPiece(context, view, piece, piece.content);
  }

  /** Draw a photo and its mask in a mode of MODES; `which` and `style` are "coarse" or "current". */
  paint(context, view, { photo, mask }, { which, style, mode, ratio }) {
    context.imageSmoothingEnabled = view.scale < 2;
    if (mode === "none") return this.drawPhoto(context, view, photo);
    if (mode === "tint") return this.#tint(context, view, photo, where(mask), { which, style });
    if (mode !== "contour") return this.#cut(context, view, photo, where(mask), { which, mode });
    this.drawPhoto(context, view, photo);
    return drawContour(context, view, mask, STYLES[style], ratio);
  }

  #tint(context, view, photo, masks, { which, style }) {
    const { tint } = STYLES[style];
    for (const piece of photo) {
      const mask = masks.get(piece.spot.key);
      const mixed = mask?.content.bitmap;
      if (mixed) drawWhole(context, view, piece, this.#composed.tile(piece, mask, { which, tint }));
      else drawPiece(context, view, piece, piece.content);
      if (mask?.content.uniform === 255) fill(context, view, piece, { colour: tint, opacity: 0.5 });
    }
  }

  /** The object alone on a ground; a part whose mask is not here yet is shown whole. */
  #cut(context, view, photo, masks, { which, mode }) {
    const colour = mode === "checker" ? anchored(this.#checker, view) : mode;
    for (const piece of photo) {
      const mask = masks.get(piece.spot.key);
      if (mask && mask.content.uniform !== 255) fill(context, view, piece, { colour });
      if (!mask || mask.content.uniform === 255) drawPiece(context, view, piece, piece.content);
      else if (mask.content.bitmap)
        drawWhole(context, view, piece, this.#composed.tile(piece, mask, { which }));
    }
  }

  /** Hatch what is locked, within the rectangle `region`. */
  paintLock(context, view, pieces, [left, top, width, height]) {
    if (pieces.every(({ content }) => content.uniform === 0)) return;
    const full = context.canvas;
    if (this.#layer.width !== full.width || this.#layer.height !== full.height)
      Object.assign(this.#layer, { width: full.width, height: full.height });
    const layer = this.#context;
    layer.save();
    layer.beginPath();
    layer.rect(left, top, width, height);
    layer.clip();
    layer.clearRect(left, top, width, height);
    layer.imageSmoothingEnabled = view.scale < 2;
    for (const piece of pieces) {
      if (piece.content.uniform === 255) fill(layer, view, piece, { colour: "#000" });
      else if (piece.content.bitmap) drawAlpha(layer, view, piece);
    }
    layer.globalCompositeOperation = "source-in";
    layer.fillStyle = anchored(this.#hatch, view);
    layer.fillRect(left, top, width, height);
    layer.restore();
    context.globalAlpha = 0.75;
    context.drawImage(this.#layer, left, top, width, height, left, top, width, height);
    context.globalAlpha = 1;
  }
}

function drawAlpha(context, view, piece) {
  const { bitmap, width, height } = piece.content;
  context.drawImage(bitmap, ...part(piece, width, height), ...view.rectangle(piece.spot));
}

/** A pattern that moves with the photo. */
function anchored(pattern, view) {
  pattern.setTransform(new DOMMatrix([1, 0, 0, 1, ...view.origin]));
  return pattern;
}

function drawContour(context, view, pieces, style, ratio) {
  context.lineJoin = "round";
  const passes = [
    { colour: HALO, width: 3.6 * ratio, dash: [] },
    { colour: style.line, width: 1.8 * ratio, dash: style.dash.map((length) => length * ratio) },
  ];
  for (const pass of passes)
    for (const piece of pieces) if (piece.content.path) strokePiece(context, view, piece, pass);
}

function strokePiece(context, view, { content, spot, from }, { colour, width, dash }) {
  const [left, top, across, down] = view.rectangle(from);
  const [sx, sy] = [across / content.width, down / content.height];
  context.save();
  if (spot !== from && spot.key !== from.key) {
    context.beginPath();
    context.rect(...view.rectangle(spot));
    context.clip();
  }
  context.setTransform(sx, 0, 0, sy, left, top);
  context.lineWidth = width / sx;
  context.setLineDash(dash.map((length) => length / sx));
  context.strokeStyle = colour;
  context.stroke(content.path);
  context.restore();
}
