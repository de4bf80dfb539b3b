// Folder mode: open the photos of the queue one after another and keep what was said of each.
import { api } from "./api.js";
import { STATES } from "./queue.js";

const POLL = 250; // ms between two looks at how far an export is

export class Folder {
  on = false;
  keeping = false; // a verdict or the time is on its way to the server
  #key = null;
  #moving = false;
  #kept = 0; // seconds that the server knows of
  #exporting = null; // what breaks an export off

  constructor(queue, clock, app) {
    Object.assign(this, { queue, clock, app });
    queue.addEventListener("choose", ({ detail }) => this.go(detail.key));
    window.addEventListener("pagehide", () => {
      if (this.open && this.#spent) api.leave(this.#key, this.clock.seconds);
    });
  }

  /** Whether a photo of the queue is open, and none is on its way. */
  get open() {
    return this.on && this.#key !== null && !this.#moving;
  }

  /** Read the queue and go on with the first photo that has no verdict. */
  async begin(wanted) {
    this.on = true;
    document.body.dataset.folder = "on";
    this.queue.show(await api.queue());
    const known = this.queue.entries.some(({ key }) => key === wanted);
    const key = (known && wanted) || this.queue.nextNew() || this.queue.entries[0]?.key;
    if (key) await this.go(key);
    else this.app.status.error("The folder holds no photo that can be read: put some there.");
  }

  /** Keep a verdict and go on. */
  async judge(status) {
    if (!this.open) return;
    const key = this.#key;
    const kept = await this.#move(`Keeping ${STATES[status].toLowerCase()}`, () => this.#keep(status));
    if (!kept) return;
    const next = this.queue.nextNew();
    if (next === null) this.app.status.say("Every photo has a verdict: export what you accepted");
    else if (next !== key) await this.go(next, `${STATES[status]}.`);
  }

  /** A photo has a mask now, or has none any more and is new again: the server says so. */
  follow({ status, seconds, has_mask }) {
    if (this.open) this.queue.update(this.#key, { status, seconds, has_mask });
  }

  async step(by) {
    const key = this.queue.neighbour(by);
    if (key !== null) await this.go(key);
    else this.app.status.say(by > 0 ? "This is the last photo" : "This is the first photo");
  }

  async go(key, before = "") {
    if (this.#moving || key === this.#key) return;
    await this.#move("Opening", async () => {
      await this.app.session.settled();
      await this.#keepTime();
      this.#key = key;
      this.queue.mark(key);
      const document = await this.#read(key);
      await this.app.session.settled(); // of the photo before, which could be painted on meanwhile
      this.queue.update(key, document); // another page may have given a verdict
      this.#start(document.seconds);
      this.app.show(document, key);
      return `${before} Opened ${document.name}`.trim();
    });
  }

  /** A photo that cannot be read is current all the same: it can be skipped or flagged. */
  async #read(key) {
    try {
      return await this.app.session.insist(() => api.openEntry(key));
    } catch (error) {
      await this.app.session.settled();
      const { name, seconds } = this.queue.entry(key);
      this.#start(seconds);
      this.app.blank(name, key);
      throw error;
    }
  }

  #start(seconds) {
    this.clock.start(seconds);
    this.#kept = this.clock.seconds;
  }

  /** Whether there is time that the server does not know of. */
  get #spent() {
    return this.#key !== null && this.clock.seconds - this.#kept >= 1;
  }

  async #keepTime() {
    if (this.#spent) await this.#keep();
  }

  async export() {
    if (this.#exporting) return;
    this.#exporting = new AbortController();
    const stop = () => this.#exporting.abort(new DOMException("stopped", "AbortError"));
    try {
      await this.app.work("Exporting", () => this.#export(this.#exporting.signal), { stop });
    } finally {
      this.#exporting = null;
    }
  }

  async #export(signal) {
    await this.app.session.settled();
    const watch = setInterval(() => this.#watchExport(), POLL);
    try {
      const { folder, photos } = await api.exportAccepted(signal);
      return `Exported ${photos} photo${photos === 1 ? "" : "s"} to ${folder}`;
    } finally {
      clearInterval(watch);
    }
  }

  async #watchExport() {
    try {
      const { done, photos } = await api.exportState();
      if (photos && this.#exporting)
        this.app.status.progress("Exporting", done / photos, `${done} of ${photos}`);
    } catch {
      return; // the export itself tells what is wrong
    }
  }

  /** Without a verdict, only the time: another page may have given one. */
  async #keep(verdict) {
    this.keeping = true;
    try {
      await this.app.session.settled();
      const [key, seconds] = [this.#key, this.clock.seconds];
      const entry = await this.app.session.insist(() => api.setStatus(key, verdict, seconds));
      this.#kept = seconds;
      this.queue.update(key, entry);
      return `${STATES[entry.status]}`;
    } finally {
      this.keeping = false;
    }
  }

  async #move(text, job) {
    this.#moving = true;
    try {
      return await this.app.work(text, job);
    } finally {
      this.#moving = false;
      this.app.refresh();
    }
  }
}
