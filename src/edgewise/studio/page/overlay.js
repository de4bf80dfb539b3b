// Draws a mask over the photo. Colours are those of the report: the coarse mask orange and dashed,
// the refined one blue, each on a dark halo, so that they differ by more than hue.

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

/** The canvas rectangle of a spot, on whole pixels: neighbours share an edge and show no seam. */
export function rectangle(view, { x0, y0, x1, y1 }) {
  const [left, top] = view.toCanvas(x0, y0).map(Math.round);
  const [right, bottom] = view.toCanvas(x1, y1).map(Math.round);
  return [left, top, right - left, bottom - top];
}

/** The part of the content's pixels that shows `spot`, where the content covers `from`. */
function part({ spot, from }, width, height) {
  const [across, down] = [width / (from.x1 - from.x0), height / (from.y1 - from.y0)];
  return [
    (spot.x0 - from.x0) * across,
    (spot.y0 - from.y0) * down,
    (spot.x1 - spot.x0) * across,
    (spot.y1 - spot.y0) * down,
  ];
}

export function drawPhoto(context, view, pieces) {
  context.imageSmoothingEnabled = view.scale < 2;
  for (const piece of pieces) {
    const { content } = piece;
    context.drawImage(
      content, ...part(piece, content.width, content.height), ...rectangle(view, piece.spot),
    );
  }
}

function drawAlpha(context, view, pieces) {
  context.imageSmoothingEnabled = view.scale < 2;
  for (const piece of pieces) {
    const { content } = piece;
    const target = rectangle(view, piece.spot);
    if (content.uniform === 255) context.fillRect(...target);
    else if (content.bitmap)
      context.drawImage(content.bitmap, ...part(piece, content.width, content.height), ...target);
  }
}

/** A tile's shape, or what is outside of it, in a colour: made once, so that a frame only draws it. */
function coloured(content, colour, outside) {
  const key = `${colour} ${outside}`;
  if (content.colouredKey === key) return content.coloured;
  content.coloured ??= new OffscreenCanvas(content.width, content.height);
  const context = content.coloured.getContext("2d");
  context.globalCompositeOperation = "copy";
  context.drawImage(content.bitmap, 0, 0);
  context.globalCompositeOperation = outside ? "source-out" : "source-in";
  context.fillStyle = colour;
  context.fillRect(0, 0, content.width, content.height);
  content.colouredKey = key;
  return content.coloured;
}

function drawShape(context, view, pieces, { colour, opacity = 1, outside = false }) {
  context.imageSmoothingEnabled = view.scale < 2;
  context.globalAlpha = opacity;
  context.fillStyle = colour;
  for (const piece of pieces) {
    const { content } = piece;
    const target = rectangle(view, piece.spot);
    if (content.uniform === (outside ? 0 : 255)) context.fillRect(...target);
    else if (content.bitmap)
      context.drawImage(
        coloured(content, colour, outside), ...part(piece, content.width, content.height), ...target,
      );
  }
  context.globalAlpha = 1;
}

export class Overlay {
  #layer = canvas(1, 1);
  #context = this.#layer.getContext("2d");
  #checker = checker();
  #hatch = hatch();

  /** Draw a mask in a mode of MODES; `style` is "coarse" or "current". */
  paint(context, view, pieces, { style, mode, ratio }) {
    const { tint } = STYLES[style];
    if (mode === "contour") this.#contour(context, view, pieces, STYLES[style], ratio);
    else if (mode === "tint") drawShape(context, view, pieces, { colour: tint, opacity: 0.5 });
    else if (mode === "checker") this.#cut(context, view, pieces, this.#anchored(view));
    else if (mode !== "none") drawShape(context, view, pieces, { colour: mode, outside: true });
  }

  paintLock(context, view, pieces) {
    this.#fill(context, view, pieces, this.#hatch, { opacity: 0.75 });
  }

  #anchored(view) {
    const [x, y] = view.toCanvas(0, 0);
    this.#checker.setTransform(new DOMMatrix([1, 0, 0, 1, Math.round(x), Math.round(y)]));
    return this.#checker;
  }

  /** The mask's shape in one colour or pattern. */
  #fill(context, view, pieces, colour, { opacity, where = "source-in" }) {
    const { width, height } = context.canvas;
    if (this.#layer.width !== width || this.#layer.height !== height)
      Object.assign(this.#layer, { width, height });
    const layer = this.#context;
    layer.globalCompositeOperation = "source-over";
    layer.clearRect(0, 0, width, height);
    layer.fillStyle = "#000";
    drawAlpha(layer, view, pieces);
    layer.globalCompositeOperation = where;
    layer.fillStyle = colour;
    layer.fillRect(0, 0, width, height);
    context.globalAlpha = opacity;
    context.drawImage(this.#layer, 0, 0);
    context.globalAlpha = 1;
  }

  /** Cover the photo outside of the mask. */
  #cut(context, view, pieces, colour) {
    context.save();
    context.beginPath();
    const { width, height } = view.photo;
    context.rect(...rectangle(view, { x0: 0, y0: 0, x1: width, y1: height }));
    context.clip();
    this.#fill(context, view, pieces, colour, { opacity: 1, where: "source-out" });
    context.restore();
  }

  #contour(context, view, pieces, style, ratio) {
    context.lineJoin = "round";
    const passes = [
      { colour: HALO, width: 3.6 * ratio, dash: [] },
      { colour: style.line, width: 1.8 * ratio, dash: style.dash.map((part) => part * ratio) },
    ];
    for (const pass of passes)
      for (const piece of pieces) if (piece.content.path) strokePiece(context, view, piece, pass);
  }
}

function strokePiece(context, view, { content, spot, from }, { colour, width, dash }) {
  const [left, top, across, down] = rectangle(view, from);
  const [sx, sy] = [across / content.width, down / content.height];
  context.save();
  if (spot !== from && spot.key !== from.key) {
    context.beginPath();
    context.rect(...rectangle(view, spot));
    context.clip();
  }
  context.setTransform(sx, 0, 0, sy, left, top);
  context.lineWidth = width / sx;
  context.setLineDash(dash.map((length) => length / sx));
  context.strokeStyle = colour;
  context.stroke(content.path);
  context.restore();
}
