// Joins the page's buttons, by their `data-command`, to the table of commands.
import { shown } from "./keys.js";

const spoken = (key) => key.replace("Ctrl", "Control").replace("Esc", "Escape");

export class Buttons {
  #joined = [];

  constructor(commands, after) {
    const byId = new Map(commands.map((command) => [command.id, command]));
    for (const button of document.querySelectorAll("[data-command]")) {
      const command = byId.get(button.dataset.command);
      this.#name(button, command);
      if (command.release) hold(button, command);
      else tap(button, command, after);
      this.#joined.push([button, command]);
    }
  }

  /** Show what can be done now; focus stays on a button that no longer does anything. */
  refresh() {
    for (const [button, command] of this.#joined) {
      if (command.enabled) button.setAttribute("aria-disabled", String(!command.enabled()));
      if (command.pressed) button.setAttribute("aria-pressed", String(command.pressed()));
    }
  }

  #name(button, { label, keys }) {
    if (!keys) return;
    button.title = `${label} (${keys.map(shown).join(", ")})`;
    button.setAttribute("aria-keyshortcuts", keys.map(spoken).join(" "));
  }
}

/** A button that acts when it is clicked; Enter that is held down clicks again and again. */
function tap(button, command, after) {
  button.addEventListener("keydown", (event) => {
    if (event.repeat && !command.repeats && event.key === "Enter") event.preventDefault();
  });
  button.addEventListener("click", () => {
    if (button.getAttribute("aria-disabled") === "true") return;
    command.run();
    after();
  });
}

/** A button that acts while it is pressed, by pointer or by Space. */
function hold(button, command) {
  const press = () => button.getAttribute("aria-disabled") !== "true" && command.run();
  button.addEventListener("pointerdown", (event) => {
    button.setPointerCapture(event.pointerId);
    press();
  });
  for (const type of ["pointerup", "pointercancel", "blur"])
    button.addEventListener(type, () => command.release());
  button.addEventListener("keydown", (event) => {
    if ((event.key !== " " && event.key !== "Enter") || event.repeat) return;
    event.preventDefault();
    press();
  });
  button.addEventListener("keyup", () => command.release());
}
