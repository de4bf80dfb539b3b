"""How smoothly the studio's page pans and zooms an 18 MP photo, by the browser's own clock.

Opens the studio in a headless Chromium and moves the photo in every single frame, by the events
that a dragged mouse and a turned wheel make; the time of each frame is requestAnimationFrame's.
Beside it stand the milliseconds of CPU that a frame took, of the page's thread and of the whole
browser (Linux alone): those depend less on what else the machine does. A headless browser draws in
software, on the CPU that the studio's server uses as well: one with a graphics card is faster.

    python bench/studio_frames.py [--output FILE]
"""

import argparse
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from edgewise.refiner import Refiner
from edgewise.studio.app import create_app

WIDTH, HEIGHT = 5184, 3456
WINDOW = {"width": 1600, "height": 1000}
FRAMES = 180
DRIVE = """async ([kind, frames]) => {
  const stage = document.getElementById("stage");
  const times = [];
  const options = { bubbles: true, cancelable: true };
  const drag = (at) => new PointerEvent("pointermove", {
    ...options, pointerId: 1, pointerType: "mouse",
    clientX: Math.round(900 - 400 * Math.sin(at / 15)),
    clientY: Math.round(500 - 250 * Math.sin(at / 11)),
  });
  const turn = (at) => new WheelEvent("wheel", {
    ...options, deltaY: at % 60 < 30 ? -60 : 60, clientX: 800, clientY: 450,
  });
  for (let at = 0; at < frames; at++) {
    times.push(await new Promise(requestAnimationFrame));
    stage.dispatchEvent(kind === "pan" ? drag(at) : turn(at));
  }
  return times;
}"""


class Keep:
    """An engine that answers by the prior mask: only the page is measured."""

    stride = 64

    def __call__(self, views: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.asarray(views[:, 3], np.float32) / np.float32(255)


def pictures(folder: Path) -> tuple[Path, Path]:
    """A photo with grain and an object with a rugged edge, and the object's mask."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    angle = np.arctan2(rows - HEIGHT / 2, columns - WIDTH / 2)
    rugged = 1100 + 180 * np.sin(5 * angle) + 40 * np.sin(47 * angle) + 12 * np.sin(311 * angle)
    mask = np.hypot(rows - HEIGHT / 2, columns - WIDTH / 2) < rugged
    light = 110 + 60 * np.sin(columns / 310) * np.cos(rows / 190) + 50 * mask
    grain = rng.normal(0, 12, (HEIGHT, WIDTH, 3))
    photo = np.clip(light[..., None] + grain, 0, 255).astype(np.uint8)
    Image.fromarray(photo).save(folder / "large_im.jpg", quality=92)
    Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "large_seg.png")
    return folder / "large_im.jpg", folder / "large_seg.png"


def serve() -> tuple[uvicorn.Server, str]:
    """A running studio and its address."""
    server = uvicorn.Server(uvicorn.Config(create_app(Refiner(Keep())), port=0, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"


class Clock:
    """Seconds of CPU so far, of the page's thread and of all of the browser's processes."""

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def read(self) -> tuple[float, float]:
        """The two, the second 0 where there is no /proc."""
        found = self._session.send("Performance.getMetrics")["metrics"]
        page = next(one["value"] for one in found if one["name"] == "TaskDuration")
        return page, sum(_spent_below(os.getpid()))


def _spent_below(root: int) -> Iterator[float]:
    """Seconds of CPU of every process called chromium or chrome that descends from one (Linux)."""
    children: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = path.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # it has ended meanwhile
        fields, number = rest.split(), int(path.parent.name)
        children.setdefault(int(fields[1]), []).append(number)
        ticks = int(fields[11]) + int(fields[12])
        spent[number] = ticks / os.sysconf("SC_CLK_TCK") if "chrom" in name else 0.0
    waiting = [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        waiting += below
        yield from (spent[number] for number in below)


def measured(page: Page, clock: Clock, kind: str) -> dict[str, float]:
    """Figures of FRAMES frames of "pan" or "zoom".

    Frames a second; the time between two frames that half and 95 of 100 keep below, in ms; CPU time
    of a frame in ms.
    """
    page.wait_for_timeout(500)
    page.wait_for_selector("#stage[aria-busy=false]", timeout=120_000)
    page.mouse.move(900, 500)
    if kind == "pan":
        page.mouse.down()
    before = clock.read()
    gaps = np.diff(page.evaluate(DRIVE, [kind, FRAMES]))
    spent = [1000 * (now - then) / FRAMES for now, then in zip(clock.read(), before, strict=True)]
    page.mouse.up()
    return {
        "per_second": round(1000 / float(gaps.mean()), 1),
        "ms_median": round(float(np.median(gaps)), 1),
        "ms_95": round(float(np.percentile(gaps, 95)), 1),
        "cpu_page_ms": round(spent[0], 1),
        "cpu_all_ms": round(spent[1], 1),
    }


def run(page: Page) -> list[dict[str, Any]]:
    """Each look at two scales, panned, and zoomed once."""
    rows: list[dict[str, Any]] = []
    clock = Clock(page)
    for look in ("contour", "tint", "checker"):
        page.check(f"[value={look}]")
        for name, key, kind in (
            ("pan, whole photo", "0", "pan"),
            ("pan, 100 %", "1", "pan"),
            ("zoom", "1", "zoom"),
        ):
            page.keyboard.press(key)
            rows.append({"look": look, "what": name} | measured(page, clock, kind))
            print(" ".join(f"{value!s:>16}" for value in rows[-1].values()), flush=True)
    return rows


def main() -> None:
    """Measure, print and, if asked, write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, help="a JSON file for the figures")
    given = parser.parse_args()
    server, url = serve()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as engines:
        photo, mask = pictures(Path(folder))
        browser = engines.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=WINDOW)  # type: ignore[arg-type]  # a plain dict will do
        page.goto(url)
        page.set_input_files("[name=photo]", photo)
        page.set_input_files("[name=mask]", mask)
        page.click("#opener [type=submit]")
        page.wait_for_selector("body[data-phase=edit]", timeout=120_000)
        names = (
            "look",
            "what",
            "per second",
            "ms, median",
            "ms, 95 %",
            "CPU ms, page",
            "CPU ms, all",
        )
        print(" ".join(f"{name:>16}" for name in names))
        rows = run(page)
        version = browser.version
        browser.close()
    server.should_exit = True
    if given.output:
        figures = {"chromium": version, "megapixels": WIDTH * HEIGHT / 1e6, "rows": rows}
        given.output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
