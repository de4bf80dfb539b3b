"use strict";
// Without this script the page lacks sorting, filtering and arrow keys, and nothing else.

function moveFocus(event) {
  const steps = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const dots = [...event.currentTarget.children];
  const here = dots.indexOf(document.activeElement);
  const ends = { Home: 0, End: dots.length - 1 };
  if (here < 0 || !(event.key in steps || event.key in ends)) return;
  event.preventDefault();
  const next = event.key in ends ? ends[event.key] : here + steps[event.key];
  const dot = dots[Math.min(Math.max(next, 0), dots.length - 1)];
  dots[here].tabIndex = -1;
  dot.tabIndex = 0;
  dot.focus();
}
for (const dots of document.querySelectorAll(".dots")) dots.addEventListener("keydown", moveFocus);

const table = document.getElementById("table");
const body = table.tBodies[0];
const rows = [...body.rows];

function value(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.sort ?? cell.textContent;
  const number = Number(text.replace("−", "-"));
  return text.trim() === "" || Number.isNaN(number) ? text : number;
}

function order(first, second) {
  if (typeof first === "number" && typeof second === "number") return first - second;
  if (typeof first !== typeof second) return typeof first === "number" ? -1 : 1;
  return first.localeCompare(second, "en", { numeric: true });
}

function sortBy(heading, column) {
  const down = heading.getAttribute("aria-sort") === "ascending";
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const keyed = rows.map((row, place) => ({ row, place, key: value(row, column) }));
  keyed.sort((a, b) => (down ? order(b.key, a.key) : order(a.key, b.key)) || a.place - b.place);
  body.replaceChildren(); // moving thousands of rows one by one takes a minute
  body.append(...keyed.map((entry) => entry.row));
}

[...table.tHead.rows[0].cells].forEach((heading, column) => {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = heading.textContent;
  button.addEventListener("click", () => sortBy(heading, column));
  heading.replaceChildren(button);
});

const wantedSet = document.getElementById("filter-set");
const wantedText = document.getElementById("filter-text");

function filter() {
  const set = wantedSet.value;
  const text = wantedText.value.trim().toLowerCase();
  let shown = 0;
  for (const row of rows) {
    const [ofSet, id, source] = [...row.cells].slice(0, 3).map((cell) => cell.textContent);
    const fits = (!set || ofSet === set) && `${id} ${source}`.toLowerCase().includes(text);
    row.hidden = !fits;
    shown += fits;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} pairs`;
}
wantedSet.addEventListener("input", filter);
wantedText.addEventListener("input", filter);
document.querySelector(".filters").hidden = false;

// A row that a link points at must be seen, whatever was filtered.
window.addEventListener("hashchange", () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!target || !target.hidden) return;
  wantedSet.value = wantedText.value = "";
  filter();
  target.scrollIntoView();
});
