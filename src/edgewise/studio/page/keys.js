// From key presses to commands, and the dialog that lists the keys. A command is a row
// {id, group, label, keys, run, release?, enabled?, repeats?, always?}; `keys` are written as people
// read them: "Ctrl+Z". A key that is held down acts again and again where the command `repeats`; where
// it holds `always`, it also acts while the form to open a photo hides the rest.

const MAC = /Mac|iP(hone|ad)/.test(navigator.platform);
const NAMES = { " ": "Space", Escape: "Esc", "+": "+", "=": "+" };
// "?" takes Shift on many keyboards, "[" takes Option on a Mac's: they are not part of the name.
const SIGN = /^[^a-z0-9]$/;

/** The name of a key press, e.g. "Ctrl+Shift+Z"; letters of other scripts by their place. */
export function keyName(event) {
  let key = NAMES[event.key] ?? event.key;
  if (key.length === 1 && !/[!-~]/.test(key) && /^Key[A-Z]$/.test(event.code))
    key = event.code.slice(3);
  const sign = key.length === 1 && SIGN.test(key.toLowerCase());
  const parts = [];
  if (event.ctrlKey || event.metaKey) parts.push("Ctrl");
  if (event.altKey && !sign) parts.push("Alt");
  if (event.shiftKey && !sign) parts.push("Shift");
  parts.push(key.length === 1 ? key.toUpperCase() : key);
  return parts.join("+");
}

/** As this machine's keyboard calls it. */
export function shown(key) {
  return MAC ? key.replace("Ctrl+", "⌘").replace("Shift+", "⇧") : key;
}

/** Whether a key without Ctrl is meant for what has the focus: a select finds its options by them. */
const typing = (event) => !event.ctrlKey && !event.metaKey && event.target.closest?.("select");

export class Keys {
  single = true; // single characters are commands; can be switched off for speech input
  #byKey = new Map();
  #held = new Map();

  constructor(commands) {
    for (const command of commands)
      for (const key of command.keys ?? []) this.#byKey.set(key, command);
    window.addEventListener("keydown", (event) => this.#down(event));
    window.addEventListener("keyup", (event) => this.#up(event));
    window.addEventListener("blur", () => this.#releaseAll());
  }

  #down(event) {
    if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
    const name = keyName(event);
    const command = this.#byKey.get(name);
    if (!command || typing(event)) return;
    if (!this.single && [...name.replace(/^Shift\+/, "")].length === 1 && name !== "?") return;
    if (/^Arrow|^Page|^Home|^End/.test(name) && event.target.closest?.("[role=slider], input")) return;
    event.preventDefault();
    if (event.repeat && !command.repeats) return;
    if (document.body.dataset.phase === "welcome" && !command.always) return;
    if (command.enabled && !command.enabled()) return;
    if (command.release) this.#held.set(event.code, command);
    command.run(event);
  }

  #up(event) {
    this.#held.get(event.code)?.release();
    this.#held.delete(event.code);
  }

  #releaseAll() {
    for (const command of this.#held.values()) command.release();
    this.#held.clear();
  }
}

/** Fill the dialog's lists, a group of commands each. */
export function listKeys(place, commands) {
  const groups = Map.groupBy
    ? Map.groupBy(commands.filter((command) => command.keys), (command) => command.group)
    : grouped(commands.filter((command) => command.keys));
  place.replaceChildren(...[...groups].map(([title, rows]) => section(title, rows)));
}

function grouped(rows) {
  const groups = new Map();
  for (const row of rows) groups.set(row.group, [...(groups.get(row.group) ?? []), row]);
  return groups;
}

function section(title, rows) {
  const part = document.createElement("section");
  const heading = document.createElement("h3");
  heading.textContent = title;
  const list = document.createElement("dl");
  list.append(...rows.map(line));
  part.append(heading, list);
  return part;
}

function line({ keys, label }) {
  const row = document.createElement("div");
  const [term, text] = [document.createElement("dt"), document.createElement("dd")];
  keys.forEach((key, at) => {
    const cap = document.createElement("kbd");
    cap.textContent = shown(key);
    term.append(at ? " " : "", cap);
  });
  text.textContent = label;
  row.append(term, text);
  return row;
}
