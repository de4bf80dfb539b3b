// The two dialogs: the list of keys, and the choice of what to save.
import { listKeys } from "./keys.js";
import { FILES, save } from "./save.js";

export class Dialogs {
  constructor({ keysDialog, keysList, single, saveDialog }, commands, app) {
    Object.assign(this, { keysDialog, saveDialog, app });
    listKeys(keysList, commands);
    single.addEventListener("change", () => app.singleKeys(single.checked));
    for (const dialog of [keysDialog, saveDialog])
      dialog.addEventListener("click", (event) => {
        if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
      });
    saveDialog.addEventListener("click", (event) => {
      const file = event.target.closest("[data-file]")?.dataset.file;
      if (file) this.#save(file);
    });
  }

  keys() {
    this.keysDialog.showModal();
  }

  save() {
    this.saveDialog.showModal();
  }

  async #save(file) {
    this.saveDialog.close();
    await this.app.work(`Saving the ${FILES[file]}`, async () => {
      const { session } = this.app;
      await session.settled();
      const name = await session.ask(() => save(session.document, file));
      return `Saved as ${name}`;
    });
  }
}
