"""The studio's page in a browser, driven as by a person, and a server that can be killed."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from PIL import Image

from tests.fakes import disc, red_on_blue

ROOT = Path(__file__).parents[2]
SHAPE = (480, 640)
TRUTH = disc(SHAPE, (240, 320), 140)
"""The object of every photo here: a red disc on blue."""

COARSE = disc(SHAPE, (250, 335), 120)
LONG = 60_000
"""Milliseconds after which a test gives up waiting: long, the machine may be busy."""


class Server:
    """A studio in a process of its own, on the same port each time it is started."""

    def __init__(self, *options):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.options = [str(option) for option in options]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.process = None

    def start(self):
        command = [sys.executable, "-m", "tests.studio.page_server", str(self.port)]
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        environment = os.environ | {"PYTHONPATH": paths}
        self.process = subprocess.Popen([*command, *self.options], cwd=ROOT, env=environment)
        until = time.monotonic() + LONG / 1000
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(self.url + "health"):
                    return self
            except urllib.error.URLError:
                assert self.process.poll() is None, "the server has ended"
                time.sleep(0.1)
        raise TimeoutError("the server has not come up")

    def kill(self):
        """End it at once, with no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def write_photo(folder, name="photo", coarse=COARSE):
    """A photo of the disc and a coarse mask of it; gives both paths, the mask's or None."""
    photo = folder / f"{name}_im.png"
    Image.fromarray(red_on_blue(TRUTH)).save(photo)
    if coarse is None:
        return photo, None
    mask = folder / f"{name}_seg.png"
    Image.fromarray(coarse.astype(np.uint8) * 255).save(mask)
    return photo, mask


class Studio:
    """A page of the studio, driven as a person would."""

    def __init__(self, page):
        self.page = page
        page.set_default_timeout(LONG)

    def open(self, photo, mask=None):
        """Choose the files in the form and send it."""
        self.page.set_input_files("[name=photo]", photo)
        if mask:
            self.page.set_input_files("[name=mask]", mask)
        self.page.click("#opener [type=submit]")
        self.page.wait_for_selector(f"body[data-phase={'edit' if mask else 'start'}]")
        self.settle()

    def settle(self):
        """Wait until all tiles that can be seen are here."""
        self.page.wait_for_selector("#stage[aria-busy=false]")

    def says(self, text):
        """Wait until the line of status says so."""
        self.page.wait_for_selector(f"#status:text-is('{text}')")

    def press(self, key, then=None):
        """Press a key, and wait for what the page says of it."""
        if then:
            self.page.evaluate("document.getElementById('status').textContent = ''")
        self.page.keyboard.press(key)
        if then:
            self.says(then)

    def at(self, x, y):
        """Where a point of the photo is in the window, while the whole photo is shown."""
        box = self.page.locator("#stage").bounding_box()
        height, width = SHAPE
        scale = 0.96 * min(box["width"] / width, box["height"] / height)
        return (
            box["x"] + box["width"] / 2 + (x - width / 2) * scale,
            box["y"] + box["height"] / 2 + (y - height / 2) * scale,
        )

    def drag(self, *points, then=None):
        """Draw a line through points of the photo."""
        if then:
            self.page.evaluate("document.getElementById('status').textContent = ''")
        mouse = self.page.mouse
        mouse.move(*self.at(*points[0]))
        mouse.down()
        for point in points[1:]:
            mouse.move(*self.at(*point), steps=4)
        mouse.up()
        if then:
            self.says(then)

    def save(self, file="mask.png"):
        """Save by the dialog; gives the download's path."""
        self.page.keyboard.press("Control+s")
        with self.page.expect_download(timeout=LONG) as download:
            self.page.click(f"[data-file='{file}']")
        return download.value.path()

    def mask(self):
        """The saved mask, bool HxW."""
        return np.asarray(Image.open(self.save()).convert("L")) > 127

    def pixel(self, x, y):
        """The colour that the canvas shows at a point of the photo, RGB."""
        self.settle()
        left, top = self.at(x, y)
        box = self.page.locator("#stage").bounding_box()
        place = [left - box["x"], top - box["y"]]
        script = """([x, y]) => {
          const copy = new OffscreenCanvas(1, 1).getContext("2d");
          const [left, top] = [x, y].map((at) => Math.round(at * devicePixelRatio));
          copy.drawImage(document.getElementById("photo"), left, top, 1, 1, 0, 0, 1, 1);
          return [...copy.getImageData(0, 0, 1, 1).data].slice(0, 3);
        }"""
        return tuple(self.page.evaluate(script, place))
