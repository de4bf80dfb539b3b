// The table of all that can be done: the buttons, the keys and the dialog of keys come from it.
const tool = (id, label, key) => ({
  id: `tool-${id}`, group: "Tools", label, keys: [key],
  run: (app) => app.choose(id),
  pressed: (app) => app.brush.tool === id,
  enabled: (app) => app.toolAllowed(id),
});

const zoom = (percent, key) => ({
  id: `zoom-${percent}`, group: "View", label: `${percent} %`, keys: [key],
  run: (app) => app.viewer.move((view) => view.zoomTo(percent / 100)),
  enabled: (app) => app.has,
});

const DONE = new Set(["accepted", "fixed"]); // what takes a photo that can be read

const verdict = (id, label, key) => ({
  id, group: "Folder", label, keys: [key],
  run: (app) => app.folder.judge(id),
  enabled: (app) => app.folder.open && (app.has || !DONE.has(id)),
});

const TABLE = [
  { id: "open", group: "Photo", label: "Open a photo", keys: ["Ctrl+O"], run: (app) => app.welcome(),
    enabled: (app) => !app.folder.on },
  { id: "save", group: "Photo", label: "Save", keys: ["Ctrl+S"], run: (app) => app.dialogs.save(),
    enabled: (app) => app.editing },
  { id: "undo", group: "Photo", label: "Undo", keys: ["Ctrl+Z"], run: (app) => app.undo(),
    enabled: (app) => app.canUndo, repeats: true },
  { id: "redo", group: "Photo", label: "Redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"],
    run: (app) => app.redo(), enabled: (app) => app.canRedo, repeats: true },
  { id: "refine", group: "Photo", label: "Refine all, or find the object that was scribbled on",
    keys: ["Shift+R"], run: (app) => app.refine(), enabled: (app) => app.canRefine },

  tool("move", "Move the photo", "V"),
  tool("add", "Add to the mask", "B"),
  tool("remove", "Remove from the mask", "E"),
  tool("refine", "Refine here, under the stroke", "R"),
  tool("lock", "Lock: refining keeps what is under the stroke", "L"),
  tool("unlock", "Unlock", "Shift+L"),
  tool("box", "Box around the object, where there is no mask", "M"),
  { id: "smaller", group: "Tools", label: "Smaller brush", keys: ["["],
    run: (app) => app.brush.step(-1), repeats: true },
  { id: "larger", group: "Tools", label: "Larger brush", keys: ["]"],
    run: (app) => app.brush.step(1), repeats: true },
  { id: "escape", group: "Tools", label: "Drop the stroke, close the panel, back to Move",
    keys: ["Esc"], run: (app) => app.escape(), always: true },

  { group: "On the photo", label: "Move the crosshair (Shift: finely); with Move, the photo",
    keys: ["Arrows"] },
  { group: "On the photo", label: "Paint at the crosshair while held; with a mouse, move the photo",
    keys: ["Space"] },
  { group: "On the photo", label: "Put the pen down, or lift it", keys: ["Enter"] },
  { id: "focus", group: "On the photo", label: "To the photo, from anywhere", keys: ["Q"],
    run: (app) => app.focusStage(), enabled: (app) => app.has },

  { id: "zoom-in", group: "View", label: "Closer", keys: ["+"], enabled: (app) => app.has,
    run: (app) => app.zoomBy(1.25), repeats: true },
  { id: "zoom-out", group: "View", label: "Farther", keys: ["-"], enabled: (app) => app.has,
    run: (app) => app.zoomBy(0.8), repeats: true },
  { id: "fit", group: "View", label: "The whole photo", keys: ["0"], enabled: (app) => app.has,
    run: (app) => app.viewer.move((view) => view.fit()) },
  zoom(100, "1"),
  zoom(200, "2"),
  zoom(400, "4"),
  zoom(800, "8"),
  { id: "overlay-next", group: "View", label: "Next look: contour, tint, cut-out, on white, on black, photo alone", keys: ["O"],
    run: (app) => app.look.step(1) },
  { id: "overlay-back", group: "View", label: "Look before", keys: ["Shift+O"],
    run: (app) => app.look.step(-1) },
  { id: "flip", group: "View", label: "Show the coarse mask while held", keys: ["C"],
    run: (app) => app.look.flip(true), release: (app) => app.look.flip(false),
    enabled: (app) => app.canCompare },
  { id: "swipe", group: "View", label: "Swipe: coarse beside refined", keys: ["W"],
    run: (app) => app.look.toggleSwipe(), pressed: (app) => app.look.swipe.on,
    enabled: (app) => app.canCompare },
  { id: "swipe-left", group: "View", label: "Swipe to the left", keys: [","],
    run: (app) => app.look.swipe.move(-1), enabled: (app) => app.look.swipe.on, repeats: true },
  { id: "swipe-right", group: "View", label: "Swipe to the right", keys: ["."],
    run: (app) => app.look.swipe.move(1), enabled: (app) => app.look.swipe.on, repeats: true },
  { id: "locks", group: "View", label: "Show what is locked", keys: ["K"],
    run: (app) => app.look.toggleLocks() },
  { id: "theme", group: "View", label: "Light, dark, or as the system", keys: ["T"],
    run: (app) => app.theme(), always: true },
  { id: "panel", group: "View", label: "Panel on narrow screens", keys: ["P"],
    run: (app) => app.togglePanel(), pressed: (app) => app.panelOpen },

  { id: "next-place", group: "Places", label: "Next place to check", keys: ["N"],
    run: (app) => app.places.step(1), enabled: (app) => app.places.length > 0, repeats: true },
  { id: "last-place", group: "Places", label: "Place before", keys: ["Shift+N"],
    run: (app) => app.places.step(-1), enabled: (app) => app.places.length > 0, repeats: true },

  verdict("accepted", "Accept: right as it is, and on to the next", "A"),
  verdict("fixed", "Fixed: right after your corrections, and on", "F"),
  verdict("skipped", "Skip, and on", "S"),
  verdict("flagged", "Flag for another look, and on", "G"),
  { id: "next-photo", group: "Folder", label: "Next photo", keys: ["PageDown"],
    run: (app) => app.folder.step(1), enabled: (app) => app.folder.on, repeats: true },
  { id: "last-photo", group: "Folder", label: "Photo before", keys: ["PageUp"],
    run: (app) => app.folder.step(-1), enabled: (app) => app.folder.on, repeats: true },
  { id: "export", group: "Folder", label: "Export accepted and fixed photos", keys: ["Ctrl+E"],
    run: (app) => app.folder.export(), enabled: (app) => app.folder.on },

  { id: "help", group: "Help", label: "This list", keys: ["?"], run: (app) => app.dialogs.keys(),
    always: true },
];

/** The table's rows for an application: their functions take no argument any more. */
export function commandsOf(app) {
  return TABLE.map((row) => {
    const bound = { ...row };
    for (const name of ["run", "release", "enabled", "pressed"])
      if (row[name]) bound[name] = () => row[name](app);
    return bound;
  });
}
