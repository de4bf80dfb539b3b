// Folder mode: the list of photos with their states, and which one comes next.
import { duration } from "./clock.js";

export const STATES = {
  new: "New", accepted: "Accepted", fixed: "Fixed", skipped: "Skipped", flagged: "Flagged",
};

export class Queue extends EventTarget {
  entries = [];
  current = null; // key
  #rows = new Map();

  constructor({ list, counts, filter, done, bar, problems }) {
    super();
    Object.assign(this, { list, counts, filter, done, bar, problems });
    list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) this.#choose(button.dataset.key);
    });
    filter.addEventListener("change", () => this.#filter());
  }

  show({ entries, problems = [] }) {
    this.entries = entries;
    this.#tellProblems(problems);
    this.#rows.clear();
    for (const entry of entries) this.#rows.set(entry.key, row(entry));
    this.list.replaceChildren(...this.#rows.values());
    this.#count();
    this.#filter();
    this.mark(this.current);
  }

  entry(key) {
    return this.entries.find((one) => one.key === key);
  }

  /** A photo's state may be another one now. */
  update(key, { status, seconds, has_mask }) {
    const entry = this.entry(key);
    if (entry.status === status && entry.seconds === seconds && entry.has_mask === has_mask) return;
    Object.assign(entry, { status, seconds, has_mask });
    const fresh = row(entry);
    this.#rows.get(key).replaceWith(fresh);
    this.#rows.set(key, fresh);
    this.#count();
    this.#filter();
    this.mark(this.current);
  }

  mark(key) {
    this.current = key;
    for (const [other, line] of this.#rows) {
      const button = line.firstElementChild;
      if (other !== key) button.removeAttribute("aria-current");
      else {
        button.setAttribute("aria-current", "true");
        line.scrollIntoView({ block: "nearest" });
      }
    }
  }

  /** The key `by` places on from the current one, or null at the ends. */
  neighbour(by) {
    const at = this.entries.findIndex((entry) => entry.key === this.current);
    return this.entries[at + by]?.key ?? null;
  }

  /** The next photo without a verdict, after the current one first; null when all are done. */
  nextNew() {
    const at = this.entries.findIndex((entry) => entry.key === this.current);
    const order = [...this.entries.slice(at + 1), ...this.entries.slice(0, at + 1)];
    return order.find((entry) => entry.status === "new")?.key ?? null;
  }

  #tellProblems(lines) {
    this.problems.hidden = lines.length === 0;
    this.problems.querySelector("summary").textContent =
      lines.length === 1 ? "1 file cannot be used" : `${lines.length} files cannot be used`;
    this.problems.querySelector("ul").replaceChildren(
      ...lines.map((text) => Object.assign(document.createElement("li"), { textContent: text })),
    );
  }

  #choose(key) {
    this.dispatchEvent(new CustomEvent("choose", { detail: { key } }));
  }

  #count() {
    const counts = Object.fromEntries(Object.keys(STATES).map((state) => [state, 0]));
    for (const { status } of this.entries) counts[status] += 1;
    for (const place of this.counts.querySelectorAll("[data-count]"))
      place.textContent = counts[place.dataset.count];
    const done = this.entries.length - counts.new;
    this.done.textContent = `${done} of ${this.entries.length} done`;
    this.bar.max = Math.max(this.entries.length, 1);
    this.bar.value = done;
  }

  #filter() {
    const wanted = this.filter.value;
    for (const { key, status } of this.entries)
      this.#rows.get(key).hidden = wanted !== "" && status !== wanted;
  }
}

function row(entry) {
  const line = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.key = entry.key;
  button.dataset.status = entry.status;
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = entry.name;
  const state = document.createElement("span");
  state.className = "soft";
  const spent = entry.seconds ? ` · ${duration(entry.seconds)}` : "";
  state.textContent = `${STATES[entry.status]}${entry.has_mask ? "" : " · no mask"}${spent}`;
  button.append(symbol(`i-${entry.status}`), name, state);
  line.append(button);
  return line;
}

function symbol(id) {
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("aria-hidden", "true");
  icon.classList.add("icon");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${id}`);
  icon.append(use);
  return icon;
}
