// The application: what happens when the session, the tools or the person say something.
import { ApiError, api } from "./api.js";
import { Brush, LARGEST, TOOLS } from "./brush.js";
import { Buttons } from "./buttons.js";
import { Clock } from "./clock.js";
import { commandsOf } from "./commands.js";
import { Crosshair } from "./crosshair.js";
import { Dialogs } from "./dialogs.js";
import { Folder } from "./folder.js";
import { Gestures } from "./gestures.js";
import { Ink } from "./ink.js";
import { Keys } from "./keys.js";
import { Look } from "./look.js";
import { Opener } from "./open.js";
import { Painting } from "./painting.js";
import { Places, scaleFor } from "./places.js";
import { Queue } from "./queue.js";
import { Session } from "./session.js";
import { Start } from "./start.js";
import { Status } from "./status.js";
import { Viewer } from "./viewer.js";

const WORK = {
  refine: "Refining", start: "Finding the object", strokes: "Painting", undo: "Undoing",
  redo: "Redoing",
};
const DONE = {
  refine: "Refined", start: "Found: check it, then refine or correct it", strokes: "Painted",
  undo: "Undone", redo: "Redone", reload: "",
};
const LOST =
  "The server does not answer. If it has ended, so has what was done to this photo: start it and open the photo again.";
const START_TOOLS = new Set(["move", "box", "add", "remove"]);

export class App {
  session = new Session();
  brush = new Brush();
  start = new Start();
  #placesTimer = null;
  #stopWork = null; // what the button "Stop" does while work goes on that is not the session's

  constructor(dom) {
    this.dom = dom;
    this.status = new Status(dom.status);
    this.viewer = new Viewer(dom.photo);
    this.ink = new Ink(dom.ink, this.viewer, this.brush);
    this.painting = new Painting({
      session: this.session, viewer: this.viewer, ink: this.ink, start: this.start,
      lockPaint: dom.lockPaint,
    });
    this.gestures = new Gestures(dom.stage, this.viewer, this.brush, this.ink);
    this.places = new Places(dom.places, dom.placesCount);
    this.look = new Look(dom.look, this.viewer, {
      say: (text) => this.status.say(text),
      refresh: () => this.refresh(),
    });
    const say = (text) => this.status.say(text);
    new Crosshair(dom.stage, this.viewer, this.brush, this.ink, this.gestures, say);
    this.folder = new Folder(new Queue(dom.queue), new Clock(dom.clock), this);
    this.opener = new Opener(dom.opener, document.documentElement);
    const commands = commandsOf(this);
    this.keys = new Keys(commands.filter((command) => command.run));
    this.dialogs = new Dialogs(dom.dialogs, commands, this);
    this.buttons = new Buttons(commands, () => this.refresh());
    this.#listen();
  }

  /** Begin with the folder, with the photo that the address names, or with the form. */
  async begin() {
    const { folder, version } = await api.info();
    this.dom.version.textContent = version;
    const address = new URLSearchParams(location.hash.slice(1));
    if (folder) {
      this.dom.folderName.textContent = folder;
      await this.folder.begin(address.get("photo"));
    } else if (address.has("document")) await this.#reopen(address.get("document"));
    else this.welcome();
  }

  // What is possible now

  get document() {
    return this.session.document;
  }

  get has() {
    return this.document !== null;
  }

  get editing() {
    return this.has && this.document.has_mask;
  }

  get starting() {
    return this.has && !this.document.has_mask;
  }

  get canUndo() {
    return this.start.scribbles.length > 0 || this.session.canUndo;
  }

  get canRedo() {
    return this.session.canRedo;
  }

  get canRefine() {
    if (this.session.refining) return false;
    return this.starting ? this.start.ready : this.editing;
  }

  get canCompare() {
    return this.editing && this.document.has_coarse;
  }

  /** Whether leaving the page would lose something. */
  get unsent() {
    return this.session.busy || this.start.scribbles.length > 0 || this.folder.keeping;
  }

  get panelOpen() {
    return document.body.classList.contains("panel-open");
  }

  toolAllowed(id) {
    return this.starting ? START_TOOLS.has(id) : this.editing && id !== "box";
  }

  // What a person can do

  welcome() {
    this.#phase("welcome");
    this.dom.opener.querySelector("[data-back]").hidden = !this.has;
    if (this.has) this.dom.opener.elements.photo.focus();
  }

  back() {
    if (this.has) this.#enter();
    this.dom.stage.focus();
  }

  choose(tool) {
    this.brush.choose(tool);
    if (tool === "lock" || tool === "unlock") this.look.toggleLocks(true);
    this.status.say(`${TOOLS[tool].label}`);
    this.refresh();
  }

  undo() {
    if (this.start.scribbles.length && !this.session.refining) this.start.undo();
    else this.session.undo();
  }

  redo() {
    this.session.operate("redo");
  }

  refine() {
    if (this.starting) this.session.operate("start", this.start.body);
    else this.session.operate("refine");
  }

  escape() {
    if (this.brush.stroke) this.brush.cancel();
    else if (this.panelOpen) this.togglePanel();
    else if (!this.dom.status.alert.hidden) this.status.clearError();
    else if (document.body.dataset.phase === "welcome") this.back();
    else this.choose("move");
  }

  zoomBy(factor) {
    const about = this.ink.crosshair ? this.viewer.view.toCanvas(...this.ink.crosshair) : [];
    this.viewer.move((view) => view.zoomBy(factor, ...about));
  }

  focusStage() {
    this.dom.stage.focus();
  }

  togglePanel() {
    document.body.classList.toggle("panel-open");
    this.refresh();
  }

  theme() {
    this.#nameTheme(window.edgewiseTheme.next());
  }

  singleKeys(on) {
    this.keys.single = on;
  }

  /** Work that may take long: shown while it lasts, its outcome said, its error told. `stop` breaks
   * it off. True if done. */
  async work(text, job, { stop = null } = {}) {
    this.status.clearError();
    this.#stopWork = stop;
    this.status.begin(text, { stoppable: stop !== null || this.session.refining });
    this.refresh();
    try {
      this.status.end((await job()) ?? "");
      return true;
    } catch (error) {
      this.status.end("");
      this.#tell(error);
      return false;
    } finally {
      this.#stopWork = null;
      this.refresh();
    }
  }

  /** Show a document that the server has opened; `entry` is its key in the queue. */
  show(document_, entry = null) {
    this.session.open(document_, entry);
  }

  /** Show nothing but the name: there is a photo, but it cannot be read. */
  blank(name, entry) {
    this.session.close();
    this.brush.cancel();
    this.start.clear();
    this.viewer.close();
    this.places.show([]);
    this.#name(name, { photo: entry });
    this.dom.dimensions.textContent = "";
    this.status.say("");
    this.dom.hint.hidden = true;
    this.#phase("edit");
  }

  refresh() {
    this.buttons.refresh();
    this.dom.refineLabel.textContent = this.starting ? "Find object" : "Refine";
  }

  // What the parts say

  #listen() {
    const { session, brush, viewer, dom } = this;
    session.addEventListener("open", ({ detail }) => this.#opened(detail));
    session.addEventListener("change", ({ detail }) => this.#changed(detail));
    session.addEventListener("work", ({ detail }) => this.#working(detail));
    session.addEventListener("stopping", () => {
      this.status.say("Stopping…");
      this.refresh();
    });
    session.addEventListener("rest", () => this.#resting());
    session.addEventListener("progress", ({ detail }) => this.#progress(detail));
    session.addEventListener("failure", ({ detail }) => this.#tell(detail.error));
    session.addEventListener("full", ({ detail }) =>
      this.status.say(`The server is busy: trying again in ${detail.seconds} s`));
    session.addEventListener("offline", ({ detail }) => this.#tell(detail.error));
    session.addEventListener("online", () => this.#online());
    brush.addEventListener("done", ({ detail }) => this.painting.take(detail));
    for (const type of ["tool", "size"]) brush.addEventListener(type, () => this.#showBrush());
    viewer.addEventListener("frame", () => this.#frame());
    this.start.addEventListener("change", () => this.refresh());
    this.places.addEventListener("go", ({ detail }) => this.#goTo(detail));
    this.opener.addEventListener("open", ({ detail }) => this.#upload(detail));
    this.opener.addEventListener("drop", () => this.folder.on || this.welcome());
    dom.opener.querySelector("[data-back]").addEventListener("click", () => this.back());
    dom.size.addEventListener("input", () => brush.resize(LARGEST ** (dom.size.value / 100)));
    window.addEventListener("beforeunload", (event) => this.unsent && event.preventDefault());
    window.addEventListener("hashchange", () => location.reload()); // another photo's address
    window.addEventListener("focus", () => this.#freshen());
    dom.stop.addEventListener("click", () => (this.#stopWork ? this.#stopWork() : session.stop()));
    dom.dismiss.addEventListener("click", () => this.status.clearError());
    this.#nameTheme(document.documentElement.dataset.theme);
    this.#showBrush();
  }

  async #upload({ photo, mask }) {
    await this.work("Opening", async () => {
      const share = (done) => this.status.progress(done < 1 ? "Sending" : "Opening", done < 1 ? done : null);
      const opened = await api.upload(photo, mask, share);
      await this.session.settled(); // of the photo before
      this.show(opened);
      this.opener.clear();
      return `Opened ${opened.name}`;
    });
  }

  async #reopen(id) {
    const there = await this.work("Opening", async () => this.show(await api.document(id)));
    if (!there) this.welcome();
  }

  #opened({ document: opened, entry }) {
    const { id, name, width, height } = opened;
    this.#name(name, entry === null ? { document: id } : { photo: entry });
    this.dom.dimensions.textContent = `${width} × ${height}`;
    this.ink.place = this.ink.crosshair = null;
    this.brush.cancel(); // of the photo before
    this.start.clear();
    this.viewer.open(opened);
    this.brush.resize(Math.max(4, Math.round(Math.max(width, height) / 60)));
    this.places.show([]);
    this.#enter();
    this.#askPlaces(0);
  }

  #name(name, hash) {
    history.replaceState(null, "", `#${new URLSearchParams(hash)}`);
    document.title = `${name} – edgewise studio`;
    this.dom.name.textContent = name;
  }

  /** The phase that the document is in, with a tool that it allows. */
  #enter() {
    this.#phase(this.starting ? "start" : "edit");
    if (this.starting && this.brush.tool === "move") this.brush.choose("box");
    if (!this.toolAllowed(this.brush.tool)) this.brush.choose(this.starting ? "box" : "move");
    if (!this.canCompare && this.look.swipe.on) this.look.toggleSwipe(false);
    this.#hint();
    this.refresh();
  }

  #phase(phase) {
    document.body.dataset.phase = phase;
    this.refresh();
  }

  #hint() {
    const { starting, document: opened } = this;
    const text = starting
      ? "Draw a box around the object, or scribble on it and choose Find object."
      : opened.has_coarse && !opened.refined
        ? "This is the coarse mask. Refine it, then check the places."
        : "";
    this.dom.hint.textContent = text;
    this.dom.hint.hidden = text === "";
  }

  #changed({ document: changed, box, what }) {
    if (what.verb === "start") this.start.clear();
    this.viewer.update(changed, box);
    this.folder.follow(changed);
    if (document.body.dataset.phase === "welcome") this.refresh(); // the form stays until it is left
    else this.#enter();
    this.#askPlaces(what.verb === "strokes" ? 1200 : 200);
    if (DONE[what.verb]) this.status.say(what.body?.mode ? this.#painted(what.body) : DONE[what.verb]);
  }

  #painted({ mode }) {
    return { add: "Added", remove: "Removed", lock: "Locked", unlock: "Unlocked" }[mode];
  }

  #working({ verb }) {
    this.refresh();
    const long = verb === "refine" || verb === "start";
    if (this.session.refining && !long) return; // it waits for that, which is shown
    this.status.clearError();
    this.status.begin(WORK[verb], { stoppable: long });
  }

  #resting() {
    if (!this.session.busy) this.status.end();
    this.refresh();
  }

  #progress({ what, done }) {
    this.status.progress(WORK[what] ?? "Working", done);
  }

  #online() {
    this.status.clearError();
    this.status.say("The server is back");
    if (this.document) this.viewer.update(this.document);
  }

  async #freshen() {
    try {
      await this.session.freshen();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // what is done next tells what is wrong
    }
  }

  #tell(error) {
    if (error.name === "AbortError") this.status.say("Stopped");
    else if (error.offline && this.has && !this.folder.on) this.status.error(LOST);
    else if (error instanceof ApiError) this.status.error(error.message);
    else throw error;
  }

  #frame() {
    const { view, complete } = this.viewer;
    const percent = this.has ? `${Math.round(100 * view.scale)} %` : "";
    if (this.dom.zoom.textContent !== percent) this.dom.zoom.textContent = percent;
    const busy = String(!complete);
    if (this.dom.stage.getAttribute("aria-busy") !== busy) this.dom.stage.setAttribute("aria-busy", busy);
  }

  #showBrush() {
    const { dom, brush } = this;
    dom.stage.dataset.tool = brush.tool;
    dom.size.value = (100 * Math.log(brush.size)) / Math.log(LARGEST);
    dom.sizeText.textContent = `${brush.size} px`;
    dom.size.setAttribute("aria-valuetext", `${brush.size} pixels`);
    this.refresh();
  }

  /** Ask for the places of the mask as it is now, once nothing has changed for a while. */
  #askPlaces(delay) {
    clearTimeout(this.#placesTimer);
    if (this.document?.refined)
      this.#placesTimer = setTimeout(() => this.#readPlaces(), delay);
    else this.places.show([]);
  }

  async #readPlaces() {
    if (!this.has) return;
    const { id } = this.document;
    try {
      const places = await api.places(id);
      if (this.document?.id === id) this.places.show(places);
      this.refresh();
    } catch (error) {
      if (!error.offline) this.#tell(error);
    }
  }

  #goTo({ place, text }) {
    if (this.panelOpen) {
      this.togglePanel(); // it would hide the place on narrow screens
      this.focusStage();
    }
    this.ink.place = place;
    this.viewer.move((view) => view.centre(place.x, place.y, scaleFor(place, view.canvas)));
    if (document.activeElement === this.dom.stage) this.ink.crosshair = [place.x, place.y];
    this.status.say(text);
  }

  #nameTheme(theme) {
    const name = { auto: "as the system", light: "light", dark: "dark" }[theme];
    this.dom.theme.setAttribute("aria-label", `Theme: ${name}`);
  }
}
