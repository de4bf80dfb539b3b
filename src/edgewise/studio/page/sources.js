// What a tile set loads: photo tiles as bitmaps, mask tiles as alpha, lines and fill.
import { api } from "./api.js";

const worker = new Worker(new URL("./tile_worker.js", import.meta.url), { type: "module" });
const waiting = new Map();
let last = 0;

worker.onmessage = ({ data: { number, content, error } }) => {
  const { resolve, reject } = waiting.get(number);
  waiting.delete(number);
  if (error) reject(new Error(error));
  else resolve(content);
};

function decode(url) {
  last += 1;
  const number = last;
  return new Promise((resolve, reject) => {
    waiting.set(number, { resolve, reject });
    worker.postMessage({ number, url });
  });
}

function path(lines) {
  const drawn = new Path2D();
  for (const line of lines) {
    drawn.moveTo(line[0], line[1]);
    for (let at = 2; at < line.length; at += 2) drawn.lineTo(line[at], line[at + 1]);
  }
  return drawn;
}

/** `id` gives the document's id as it is now: a server that was started again gives it another. */
export function photoSource(id) {
  return async ({ level, column, row }) => {
    const response = await fetch(api.photoTile(id(), level, column, row));
    if (!response.ok) throw new Error(`status ${response.status}`);
    return createImageBitmap(await response.blob());
  };
}

export function maskSource(id, which, revision) {
  return async ({ level, column, row }) => {
    const content = await decode(api.maskTile(id(), which, revision(), level, column, row));
    return {
      ...content,
      path: content.lines.length ? path(content.lines) : null,
      close: () => content.bitmap?.close(),
    };
  };
}
