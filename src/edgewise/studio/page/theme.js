// Not a module: it must run before the first paint, or a chosen theme would flash.
(() => {
  const order = ["auto", "light", "dark"];
  const root = document.documentElement;

  function read() {
    try {
      return localStorage.getItem("edgewise-theme");
    } catch {
      return null; // storage may be forbidden: the theme is then kept for this visit only
    }
  }

  function keep(theme) {
    try {
      localStorage.setItem("edgewise-theme", theme);
    } catch {
      return;
    }
  }

  function show(theme) {
    root.dataset.theme = order.includes(theme) ? theme : "auto";
  }

  function next() {
    const theme = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    show(theme);
    keep(theme);
    return theme;
  }

  show(read());
  window.edgewiseTheme = { next };
})();
