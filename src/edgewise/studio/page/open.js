// The form that takes a photo and perhaps a mask, by choosing or by dropping.

const MASKLIKE = /(^|[_\-. ])(seg|mask|masks|gt|matte|alpha)([_\-. ]|\d*\.)/i;

export class Opener extends EventTarget {
  #files = { photo: null, mask: null };

  constructor(form, dropTarget) {
    super();
    this.form = form;
    for (const part of ["photo", "mask"]) {
      const input = form.elements[part];
      input.addEventListener("change", () => this.#set(part, input.files[0] ?? null));
    }
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.querySelector("[data-swap]").addEventListener("click", () => this.#swap());
    form.querySelector("[data-without]").addEventListener("click", () => this.#set("mask", null));
    this.#takeDrops(dropTarget);
    this.#show("photo");
    this.#show("mask");
  }

  clear() {
    this.form.reset();
    this.#set("photo", null);
    this.#set("mask", null);
  }

  #takeDrops(target) {
    let depth = 0;
    const over = (change) => {
      depth = Math.max(depth + change, 0);
      document.body.classList.toggle("dropping", depth > 0);
    };
    target.addEventListener("dragenter", () => over(1));
    target.addEventListener("dragleave", () => over(-1));
    target.addEventListener("dragover", (event) => event.preventDefault());
    target.addEventListener("drop", (event) => {
      event.preventDefault();
      over(-depth);
      this.#drop([...event.dataTransfer.files], event.target.closest("[data-slot]")?.dataset.slot);
    });
  }

  /** Two files are told apart by their names; one goes where it fell, or where there is room. */
  #drop(files, slot) {
    if (!files.length) return;
    this.dispatchEvent(new Event("drop"));
    if (files.length === 1) {
      const masklike = MASKLIKE.test(files[0].name) && this.#files.photo;
      return this.#set(slot ?? (masklike ? "mask" : "photo"), files[0]);
    }
    const mask = files.find((file) => MASKLIKE.test(file.name)) ?? files[1];
    this.#set("photo", files.find((file) => file !== mask));
    this.#set("mask", mask);
  }

  #swap() {
    const { photo, mask } = this.#files;
    this.#set("photo", mask);
    this.#set("mask", photo);
  }

  #set(part, file) {
    this.#files[part] = file;
    this.#show(part);
  }

  async #show(part) {
    const file = this.#files[part];
    const slot = this.form.querySelector(`[data-slot=${part}]`);
    slot.classList.toggle("filled", Boolean(file));
    slot.querySelector("[data-name]").textContent = file?.name ?? "";
    this.form.querySelector("[type=submit]").disabled = !this.#files.photo;
    this.form.querySelector("[data-swap]").disabled = !(this.#files.photo && this.#files.mask);
    this.form.querySelector("[data-without]").disabled = !this.#files.mask;
    await preview(slot.querySelector("canvas"), file);
  }

  #submit() {
    const { photo, mask } = this.#files;
    if (photo) this.dispatchEvent(new CustomEvent("open", { detail: { photo, mask } }));
  }
}

async function preview(canvas, file) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (!file) return;
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return; // e.g. TIFF: the server can read more than the browser shows
  }
  const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (canvas.width - width) / 2, (canvas.height - height) / 2, width, height);
  bitmap.close();
}
