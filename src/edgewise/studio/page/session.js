// The document being worked on: its operations go to the server one after another, in the order in
// which they were made, and none is sent twice or forgotten when the server is gone for a while.
import { ApiError, api } from "./api.js";

const POLL = 400; // ms between two looks at the progress of a long operation
const AGAIN = 2000; // ms between two looks whether the server is back

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Session extends EventTarget {
  document = null;
  #entry = null; // the queue's key of the document: it survives the server, an id may not
  #line = Promise.resolve();
  #waiting = []; // verbs
  #abort = null;

  /** Whether operations are under way. */
  get busy() {
    return this.#waiting.length > 0;
  }

  get refining() {
    return this.#waiting.some((verb) => verb === "refine" || verb === "start");
  }

  open(document, entry = null) {
    this.document = document;
    this.#entry = entry;
    this.#tell("open", { document, entry });
  }

  close() {
    this.document = null;
    this.#tell("close");
  }

  /** Do an operation when those before it are done; resolves to the answer, or null if it failed
   * (which is told as an event "failure"). */
  operate(verb, body = {}) {
    const { id } = this.document;
    const what = { verb, body };
    this.#waiting.push(verb);
    this.#tell("work", what);
    const done = this.#line.then(() => this.#run(what, id));
    this.#line = done.catch(() => null);
    return done;
  }

  /** Resolves when all operations that were asked for are done. */
  async settled() {
    await this.#line;
  }

  /** Do what may be done twice, again and again until the server answers. */
  async insist(job) {
    for (let silent = false; ; ) {
      try {
        const answer = await job();
        if (silent) this.#tell("online");
        return answer;
      } catch (error) {
        if (!(error instanceof ApiError && error.offline)) throw error;
        if (!silent) this.#tell("offline", { error });
        silent = true;
        await later(AGAIN);
      }
    }
  }

  /** Break off the refining that is under way. */
  stop() {
    this.#abort?.abort(new DOMException("stopped", "AbortError"));
  }

  async #run(what, id) {
    try {
      if (this.document?.id !== id && !this.#renamed(id)) return null;
      const answer = await this.#send(what);
      this.document = answer;
      this.#tell("change", { document: answer, box: answer.changed, what });
      return answer;
    } catch (error) {
      this.#tell("failure", { error, what });
      if (!(error instanceof ApiError)) await this.#reload();
      return null;
    } finally {
      this.#waiting.shift(); // they end in the order in which they began
      this.#tell("rest", what);
    }
  }

  // After a restart the server may hold the same photo under another id.
  #names = new Map();
  #renamed(id) {
    return this.#names.get(id) === this.document?.id;
  }

  async #send({ verb, body }) {
    for (;;) {
      const before = this.document;
      this.#abort = new AbortController();
      const watch = setInterval(() => this.#watch(before.id), POLL);
      try {
        return await api.operate(before.id, verb, body, {
          signal: this.#abort.signal,
          onWait: (seconds) => this.#tell("full", { seconds }),
        });
      } catch (error) {
        if (!(error instanceof ApiError && error.offline)) throw error;
        clearInterval(watch);
        const now = await this.#comeBack(error);
        if (now.revision !== before.revision) return now; // it had been done before the silence
      } finally {
        clearInterval(watch);
        this.#abort = null;
      }
    }
  }

  async #watch(id) {
    try {
      const { busy } = await api.document(id);
      if (busy) this.#tell("progress", busy);
    } catch {
      return; // the operation itself tells what is wrong
    }
  }

  async #comeBack(error) {
    this.#tell("offline", { error });
    for (;;) {
      await later(AGAIN);
      try {
        this.document = await this.#reopen();
        this.#tell("online");
        return this.document;
      } catch (again) {
        if (!(again instanceof ApiError && again.offline)) throw again;
      }
    }
  }

  async #reopen() {
    const { id } = this.document;
    if (this.#entry === null) return api.document(id);
    const document = await api.openEntry(this.#entry);
    for (const [old, now] of this.#names) if (now === id) this.#names.set(old, document.id);
    this.#names.set(id, document.id);
    return document;
  }

  async #reload() {
    try {
      this.document = await api.document(this.document.id);
      this.#tell("change", { document: this.document, what: { verb: "reload" } });
    } catch (error) {
      this.#tell("failure", { error, what: { verb: "reload" } });
    }
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
