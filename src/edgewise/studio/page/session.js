// The document being worked on: its operations go to the server one after another, in the order in
// which they were made, and none is sent twice or forgotten when the server is gone for a while.
import { ApiError, api } from "./api.js";

const POLL = 400; // ms between two looks at the progress of a long operation
const AGAIN = 2000; // ms between two looks whether the server is back
const SOON = 150; // ms between two looks whether the document is free
const LONG = new Set(["refine", "start"]); // what takes time, and can be stopped

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export class Session extends EventTarget {
  document = null;
  #entry = null; // the queue's key of the document: it survives the server, an id may not
  #line = Promise.resolve();
  #waiting = []; // {verb, body, control}, in the order in which they are done

  /** Whether operations are under way. */
  get busy() {
    return this.#waiting.length > 0;
  }

  get refining() {
    return this.#waiting.some(isLong);
  }

  /** Whether there is something to take back, or to stop. */
  get canUndo() {
    return this.refining || this.#waiting.some(isStep) || Boolean(this.document?.can_undo);
  }

  /** Whether there is something to do again, or will be when what waits is done. */
  get canRedo() {
    const last = this.#waiting.at(-1)?.verb;
    if (last === "undo") return true;
    return Boolean(this.document?.can_redo) && (!last || last === "redo");
  }

  open(document, entry = null) {
    this.document = document;
    this.#entry = entry;
    this.#tell("open", { document, entry });
  }

  close() {
    this.document = this.#entry = null;
    this.#tell("close");
  }

  /** Do an operation when those before it are done; resolves to the answer, or null if it failed
   * (which is told as an event "failure"). */
  operate(verb, body = {}) {
    const { id } = this.document;
    const what = { verb, body, control: new AbortController() };
    this.#waiting.push(what);
    this.#tell("work", what);
    const done = this.#line.then(() => this.#run(what, id));
    this.#line = done.catch(() => null);
    return done;
  }

  /** Resolves when all operations that were asked for are done, those asked for meanwhile too. */
  async settled() {
    while (this.busy) await this.#line;
  }

  /** Learn what has become of the document, which another page may have changed. */
  async freshen() {
    const before = this.document;
    if (!before || this.busy) return;
    const now = await this.ask((id) => api.document(id));
    if (this.busy || this.document?.id !== now.id || now.revision === before.revision) return;
    this.document = now;
    this.#tell("change", { document: now, what: { verb: "reload" } });
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

  /** What `job` gives for the document's id. A server that was started anew meanwhile has forgotten
   * the id: the queue's photo is opened again then. */
  async ask(job) {
    try {
      return await job(this.document.id);
    } catch (error) {
      const entry = this.#entry;
      if (!(error instanceof ApiError && error.status === 404) || entry === null) throw error;
      const again = await this.#reopen();
      if (this.#entry !== entry) throw error; // another photo is open by now
      this.document = again;
      this.#tell("online");
      return job(this.document.id);
    }
  }

  /** Take back what was asked for last: a refining that has not ended is stopped, whatever else is
   * undone when it has been done. */
  undo() {
    let undone = 0; // by operations that wait
    for (const what of [...this.#waiting].reverse()) {
      if (what.verb === "undo") undone += 1;
      else if (isStep(what) && undone > 0) undone -= 1;
      else if (isLong(what)) return this.#stop(what);
      else if (isStep(what)) break;
    }
    return this.operate("undo");
  }

  /** Break off the refining that is under way. */
  stop() {
    const what = this.#waiting.find(isLong);
    if (what) this.#stop(what);
  }

  #stop(what) {
    what.control.abort(new DOMException("stopped", "AbortError"));
    this.#tell("stopping", what);
  }

  async #run(what, id) {
    try {
      if (this.document?.id !== id && !this.#renamed(id)) return null;
      if (this.#idle(what)) return null;
      const { revision } = this.document;
      const answer = await this.#send(what);
      this.document = answer;
      const alone = answer.revision === revision + (answer.changed ? 1 : 0); // no other page's work
      this.#tell("change", { document: answer, box: alone ? answer.changed : undefined, what });
      return answer;
    } catch (error) {
      if (!(error instanceof ApiError)) await this.#reload();
      this.#tell("failure", { error, what });
      return null;
    } finally {
      this.#waiting.shift(); // they end in the order in which they began
      this.#tell("rest", what);
    }
  }

  /** Whether there is nothing left to take back or to do again: the keys were faster. */
  #idle({ verb }) {
    return (verb === "undo" && !this.document.can_undo) || (verb === "redo" && !this.document.can_redo);
  }

  // After a restart the server may hold the same photo under another id.
  #names = new Map();
  #renamed(id) {
    return this.#names.get(id) === this.document?.id;
  }

  async #send({ verb, body, control }) {
    for (let refused = false; ; ) {
      const before = this.document;
      const watch = setInterval(() => this.#watch(before.id), POLL);
      try {
        const how = {
          signal: control.signal,
          onWait: (seconds) => this.#tell("full", { seconds }),
        };
        return await this.ask((id) => api.operate(id, verb, body, how));
      } catch (error) {
        if (error instanceof ApiError && error.status === 409) {
          const { busy } = await this.insist(() => this.ask((id) => api.document(id)));
          if (!busy && refused) throw error; // for another reason
          refused = !busy;
          await later(SOON); // work that was stopped has not ended yet, or another page's goes on
          continue;
        }
        if (!(error instanceof ApiError && error.offline)) throw error;
        clearInterval(watch);
        const now = await this.#comeBack(error);
        if (now.revision !== before.revision) return now; // it had been done before the silence
      } finally {
        clearInterval(watch);
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
      const look = () => this.insist(() => this.ask((id) => api.document(id)));
      let now = await look();
      while (now.busy) {
        await later(SOON); // work that was stopped ends before the network's next run
        now = await look();
      }
      this.document = now;
      this.#tell("change", { document: this.document, what: { verb: "reload" } });
    } catch (error) {
      this.#tell("failure", { error, what: { verb: "reload" } });
    }
  }

  #tell(type, detail = {}) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

const isLong = ({ verb, control }) => LONG.has(verb) && !control.signal.aborted;
const isStep = (what) => isLong(what) || what.verb === "strokes" || what.verb === "redo";
