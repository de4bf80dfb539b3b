// The time spent on a photo: it runs while the page is seen and something was done within a minute.

const REST = 60_000;

export class Clock {
  #ms = 0;
  #ticked = performance.now();
  #active = performance.now();

  constructor(output) {
    this.output = output;
    for (const type of ["pointerdown", "pointermove", "keydown", "wheel"])
      window.addEventListener(type, () => (this.#active = performance.now()), { passive: true });
    setInterval(() => this.#tick(), 1000);
  }

  /** Another photo, on which `seconds` have been spent already. */
  start(seconds = 0) {
    this.#ms = 1000 * (seconds ?? 0);
    this.#ticked = this.#active = performance.now();
    this.#show();
  }

  get seconds() {
    this.#tick();
    return Math.round(this.#ms / 100) / 10;
  }

  #tick() {
    const now = performance.now();
    if (!document.hidden && now - this.#active < REST) this.#ms += now - this.#ticked;
    this.#ticked = now;
    this.#show();
  }

  #show() {
    this.output.textContent = duration(this.#ms / 1000);
  }
}

/** 75 -> "1:15". */
export function duration(seconds) {
  const whole = Math.floor(seconds);
  const minutes = Math.floor(whole / 60);
  return `${minutes}:${String(whole % 60).padStart(2, "0")}`;
}
