"""How smoothly the studio's page pans and zooms an 18 MP photo, by the browser's own clock.

Opens the studio in a headless Chromium, drags and turns the wheel as a person would, and takes the
time of every frame by requestAnimationFrame. A headless browser draws in software, on the CPU that
the studio's server uses as well: a browser with a graphics card is faster.

    python bench/studio_frames.py
"""

import argparse
import json
import shutil
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from edgewise.studio.app import create_app

WIDTH, HEIGHT = 5184, 3456
WINDOW = {"width": 1600, "height": 1000}
STEPS = 90
RECORD = """() => {
  window.frames_ = [];
  const note = (now) => { window.frames_.push(now); window.noting = requestAnimationFrame(note); };
  window.noting = requestAnimationFrame(note);
}"""
STOP = "() => { cancelAnimationFrame(window.noting); return window.frames_; }"


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
    server = uvicorn.Server(uvicorn.Config(create_app(Keep()), port=0, log_level="error"))
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    return server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/"


def pan(page: Page) -> None:
    """Drag the photo to and fro."""
    page.mouse.move(900, 500)
    page.mouse.down()
    for at in range(STEPS):
        page.mouse.move(900 - 400 * np.sin(at / 15), 500 - 250 * np.sin(at / 11))
    page.mouse.up()


def zoom(page: Page) -> None:
    """Turn the wheel in and out."""
    page.mouse.move(800, 450)
    for at in range(STEPS):
        page.mouse.wheel(0, -60 if at % 60 < 30 else 60)


def measured(page: Page, act: Any) -> dict[str, float]:
    """Frames a second, and the time between two frames that 95 of 100 keep below, in ms."""
    page.wait_for_selector("#stage[aria-busy=false]", timeout=120_000)
    page.evaluate(RECORD)
    act(page)
    gaps = np.diff(page.evaluate(STOP))
    return {
        "frames": len(gaps),
        "per_second": round(1000 / float(gaps.mean()), 1),
        "ms_median": round(float(np.median(gaps)), 1),
        "ms_95": round(float(np.percentile(gaps, 95)), 1),
    }


def run(page: Page) -> list[dict[str, Any]]:
    """Each look at two scales, panned, and zoomed once."""
    rows: list[dict[str, Any]] = []
    for look in ("contour", "tint", "checker"):
        page.check(f"[value={look}]")
        for name, key, act in (
            ("pan, whole photo", "0", pan),
            ("pan, 100 %", "1", pan),
            ("zoom", "1", zoom),
        ):
            page.keyboard.press(key)
            rows.append({"look": look, "what": name} | measured(page, act))
            print(" ".join(f"{value!s:>18}" for value in rows[-1].values()), flush=True)
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
        print(" ".join(f"{name:>18}" for name in ("look", "what", "frames", "per s", "ms", "95 %")))
        rows = run(page)
        version = browser.version
        browser.close()
    server.should_exit = True
    if given.output:
        figures = {"chromium": version, "megapixels": WIDTH * HEIGHT / 1e6, "rows": rows}
        given.output.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
