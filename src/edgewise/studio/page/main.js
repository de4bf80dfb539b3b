// Finds the page's elements, and begins.
import { ApiError } from "./api.js";
import { App } from "./app.js";
import { Tabs } from "./tabs.js";

const find = (id) => document.getElementById(id);

const app = new App({
  stage: find("stage"), photo: find("photo"), ink: find("ink"), hint: find("hint"),
  places: find("places"), placesCount: find("places-count"),
  look: { form: find("look"), handle: find("swipe"), stage: find("stage"), locks: find("show-locks") },
  queue: {
    list: find("queue"), counts: find("counts"), filter: find("queue-filter"),
    done: find("queue-done"), bar: find("queue-bar"), problems: find("problems"),
  },
  dialogs: {
    keysDialog: find("keys-dialog"), keysList: find("keys-list"), single: find("single-keys"),
    saveDialog: find("save-dialog"),
  },
  status: {
    line: find("status"), alert: find("alert"), alertText: find("alert-text"), bar: find("progress"),
    chip: find("chip"), chipText: find("chip-text"),
  },
  opener: find("opener"), clock: find("clock"), size: find("size"), sizeText: find("size-text"),
  lockPaint: find("lock-paint"), zoom: find("zoom"), name: find("name"),
  dimensions: find("dimensions"), folderName: find("folder-name"), version: find("version"),
  theme: find("theme"), stop: find("stop"), dismiss: find("dismiss"),
  refineLabel: find("refine-label"),
});

new Tabs(find("tabs"));

// The token has become a cookie by now: it need not stay in the address bar or in a bookmark.
const here = new URL(location.href);
if (here.searchParams.has("token")) {
  here.searchParams.delete("token");
  history.replaceState(null, "", here);
}

try {
  await app.begin();
} catch (error) {
  if (!(error instanceof ApiError)) throw error;
  app.status.error(error.message);
}
