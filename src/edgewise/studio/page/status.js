// What the page says: one line of status, errors as the server's sentence, and progress.

const SOON = 300; // ms after which work is shown

export class Status {
  #timer = null;
  #shown = false;

  constructor({ line, alert, alertText, bar, chip, chipText }) {
    Object.assign(this, { line, alert, alertText, bar, chip, chipText });
  }

  say(text) {
    this.line.textContent = text;
  }

  error(text) {
    this.alertText.textContent = text;
    this.alert.hidden = false;
  }

  clearError() {
    this.alert.hidden = true;
    this.alertText.textContent = "";
  }

  /** Something that may take long has begun; it is shown if it has not ended soon. */
  begin(text, { stoppable = false } = {}) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#shown = true;
      this.progress(text, null);
      this.chip.classList.toggle("stoppable", stoppable);
      this.say(`${text}…`);
    }, SOON);
  }

  /** `share` 0..1, or null where it is not known; `detail` is said instead of per cent. */
  progress(text, share, detail = `${Math.round(100 * share)} %`) {
    if (!this.#shown) return;
    this.bar.hidden = this.chip.hidden = false;
    if (share === null) {
      this.bar.removeAttribute("value");
      this.chipText.textContent = `${text}…`;
    } else {
      this.bar.value = share;
      this.chipText.textContent = `${text}… ${detail}`;
    }
  }

  /** It has ended; without a text of its own, "...ing" is taken back. */
  end(text = "") {
    clearTimeout(this.#timer);
    this.bar.hidden = this.chip.hidden = true;
    if (text || (this.#shown && this.line.textContent.endsWith("…"))) this.say(text);
    this.#shown = false;
  }
}
