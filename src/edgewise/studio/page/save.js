// Downloads of the result. They are fetched first, so that an error is told in the page.
import { api } from "./api.js";

export const FILES = {
  "mask.png": "mask", "soft.png": "soft mask", "cutout.png": "cut-out", "coco.json": "COCO file",
};

function stem(name) {
  return name.replace(/^.*[\\/]/, "").replace(/\.[^.]+$/, "") || "photo";
}

export async function save(document_, file) {
  const url = URL.createObjectURL(await api.file(document_.id, file));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${stem(document_.name)}_${file}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
  return link.download;
}
