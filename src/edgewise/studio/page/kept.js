// What of the last frame is still right: it is moved along with the photo, and only what has come
// into sight, or has changed, is drawn again. Drawing is what costs time where there is no graphics
// card.

const RIM = 4; // CSS pixels by which a tile's lines may reach beyond it
const MOST = 0.7; // share of the canvas above which the whole is drawn at once

export class Kept {
  #last = null; // what the canvas holds: {key, origin}
  #spoilt = []; // boxes of the photo

  /** A box of the photo looks different now; without one, anything may. */
  spoil(box = null) {
    if (box) this.#spoilt.push(box);
    else this.#last = null;
  }

  /** Bring the canvas' content to where the view is now; gives the rectangles that are to be drawn,
   * [left, top, width, height]. `look` names all that decides what a frame looks like, but for the
   * view and what was spoilt. */
  regions(context, view, { look, ratio }) {
    const { width, height } = context.canvas;
    const { origin } = view;
    const [before, spoilt] = [this.#last, this.#spoilt];
    this.#last = { key: `${look} ${view.scale} ${width} ${height}`, origin };
    this.#spoilt = [];
    const [dx, dy] = [0, 1].map((axis) => origin[axis] - (before?.origin[axis] ?? 0));
    const whole = [[0, 0, width, height]];
    if (before?.key !== this.#last.key) return whole;
    const found = [
      ...bared(dx, dy, width, height),
      ...spoilt.map((box) => seen(view.rectangle(box), RIM * ratio, width, height)).filter(Boolean),
    ];
    const area = found.reduce((sum, [, , across, down]) => sum + across * down, 0);
    if (area > MOST * width * height) return whole;
    if (dx || dy) shift(context, dx, dy);
    return found;
  }
}

/** The strips that come into sight where the content moves. */
function bared(dx, dy, width, height) {
  const strips = [
    [dx > 0 ? 0 : width + dx, 0, Math.abs(dx), height],
    [0, dy > 0 ? 0 : height + dy, width, Math.abs(dy)],
  ];
  return strips.filter(([, , across, down]) => across && down);
}

/** A rectangle with a rim, as far as it is on the canvas; null where it is not. */
function seen([left, top, across, down], rim, width, height) {
  const [x0, y0] = [Math.max(left - rim, 0), Math.max(top - rim, 0)].map(Math.floor);
  const x1 = Math.min(Math.ceil(left + across + rim), width);
  const y1 = Math.min(Math.ceil(top + down + rim), height);
  return x1 > x0 && y1 > y0 ? [x0, y0, x1 - x0, y1 - y0] : null;
}

function shift(context, dx, dy) {
  context.save();
  context.globalCompositeOperation = "copy";
  context.drawImage(context.canvas, dx, dy);
  context.restore();
}
