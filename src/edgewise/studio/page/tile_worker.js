// Decodes mask tiles off the page's thread: grey levels to an alpha bitmap and to contour lines.
import { contour } from "./contour.js";

async function pixels(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`status ${response.status}`);
  const bitmap = await createImageBitmap(await response.blob(), { colorSpaceConversion: "none" });
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

function only(grey) {
  const first = grey[0];
  if (first !== 0 && first !== 255) return null;
  return grey.every((level) => level === first) ? first : null;
}

async function alpha(image, grey) {
  const data = image.data;
  for (let at = 0; at < grey.length; at++) {
    data[4 * at] = data[4 * at + 1] = data[4 * at + 2] = 0;
    data[4 * at + 3] = grey[at];
  }
  return createImageBitmap(image, { colorSpaceConversion: "none" });
}

async function mask(url) {
  const image = await pixels(url);
  const { width, height } = image;
  const grey = new Uint8Array(width * height);
  for (let at = 0; at < grey.length; at++) grey[at] = image.data[4 * at];
  const uniform = only(grey);
  if (uniform !== null) return { width, height, uniform, lines: [], bitmap: null };
  const lines = contour(grey, width, height);
  return { width, height, uniform, lines, bitmap: await alpha(image, grey) };
}

self.onmessage = async ({ data: { number, url } }) => {
  try {
    const content = await mask(url);
    const moved = content.lines.map((line) => line.buffer);
    if (content.bitmap) moved.push(content.bitmap);
    self.postMessage({ number, content }, moved);
  } catch (error) {
    self.postMessage({ number, error: String(error) });
  }
};
