// The list of places where refining changed most, or is least sure, and the jump to the next.

const KINDS = { changed: "Changed", unsure: "Unsure" };
const SPAN = 6; // a place fills a sixth of the canvas' shorter side

export class Places extends EventTarget {
  #places = [];
  #at = -1;

  constructor(list, count) {
    super();
    Object.assign(this, { list, count });
    list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.go(Number(button.dataset.at));
    });
  }

  get length() {
    return this.#places.length;
  }

  show(places) {
    const before = this.#places[this.#at];
    this.#places = places;
    this.#at = before ? places.findIndex((one) => one.x === before.x && one.y === before.y) : -1;
    this.count.textContent = places.length ? String(places.length) : "";
    this.list.replaceChildren(...places.map(item));
    this.list.classList.toggle("empty", places.length === 0);
    this.#mark();
  }

  step(by) {
    if (!this.#places.length) return;
    const start = this.#at < 0 && by < 0 ? 0 : this.#at;
    this.go((start + by + this.#places.length) % this.#places.length);
  }

  go(at) {
    this.#at = at;
    this.#mark();
    const place = this.#places[at];
    const text = `Place ${at + 1} of ${this.#places.length}: ${describe(place)}`;
    this.dispatchEvent(new CustomEvent("go", { detail: { place, text } }));
  }

  #mark() {
    [...this.list.children].forEach((row, at) => {
      const button = row.firstElementChild;
      if (at !== this.#at) button.removeAttribute("aria-current");
      else {
        button.setAttribute("aria-current", "true");
        button.scrollIntoView({ block: "nearest" });
      }
    });
  }
}

/** The scale at which a place is seen with what is around it. */
export function scaleFor(place, { width, height }) {
  return Math.min(Math.min(width, height) / (SPAN * Math.max(place.size, 8)), 4);
}

function describe({ kind, x, y, size }) {
  return `${KINDS[kind].toLowerCase()}, ${Math.round(size)} px at ${Math.round(x)}, ${Math.round(y)}`;
}

function item(place, at) {
  const row = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.at = at;
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("aria-hidden", "true");
  icon.classList.add("icon", place.kind);
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#i-${place.kind}`);
  icon.append(use);
  const kind = document.createElement("span");
  kind.textContent = KINDS[place.kind];
  const where = document.createElement("span");
  where.className = "soft";
  where.textContent = `${Math.round(place.x)}, ${Math.round(place.y)} · ${Math.round(place.size)} px`;
  button.append(icon, kind, where);
  row.append(button);
  return row;
}
