"""The studio's page in a real browser, against the real server with an engine that knows colours.

Takes the Python package playwright and a chromium: its own, or one that is on the path.
"""

import base64
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fakes import overlap
from tests.report.test_browser import contrast, luminance
from tests.studio.pages import COARSE, ROOT, SHAPE, TRUTH, Server, write_photo

pytest.importorskip("fastapi")

PHONE = (390, 844)
REFUSED = ["Failed to load resource"]  # what a browser logs of an answer above 399


@pytest.fixture
def files(tmp_path):
    return write_photo(tmp_path)


def painted(mask, x, y):
    """Whether the mask holds the point of the photo and what is next to it."""
    return mask[y - 2 : y + 3, x - 2 : x + 3].all()


def test_from_opening_to_saving_and_opening_again(server, visit, files, tmp_path):
    studio = visit(server.url)
    studio.open(*files)
    assert overlap(studio.mask(), COARSE) > 0.99
    studio.press("Shift+R", "Refined")
    assert overlap(studio.mask(), TRUTH) > 0.98

    studio.press("b")
    studio.drag((300, 92), (340, 92), then="Added")  # a bump on the disc's top
    assert painted(studio.mask(), 320, 92)

    studio.press("r")
    for _ in range(8):
        studio.press("]")
    studio.drag((290, 92), (350, 92), then="Refined")
    refined = studio.mask()
    assert not refined[84:96, 300:340].any()
    assert overlap(refined, TRUTH) > 0.98

    studio.press("Control+z", "Undone")
    again = studio.mask()
    assert painted(again, 320, 92)

    studio.page.reload()
    studio.page.wait_for_selector("body[data-phase=edit]")
    np.testing.assert_array_equal(studio.mask(), again)
    studio.press("Control+Shift+Z", "Redone")
    np.testing.assert_array_equal(studio.mask(), refined)

    saved = tmp_path / "again_seg.png"
    saved.write_bytes(Path(studio.save()).read_bytes())
    other = visit(server.url)
    other.open(files[0], saved)
    np.testing.assert_array_equal(other.mask(), refined)


def test_every_kind_of_file_can_be_saved(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("Shift+R", "Refined")
    soft = Image.open(studio.save("soft.png"))
    assert (soft.mode, soft.size) == ("L", SHAPE[::-1])
    cutout = Image.open(studio.save("cutout.png"))
    assert (cutout.mode, cutout.size) == ("RGBA", SHAPE[::-1])
    coco = json.loads(Path(studio.save("coco.json")).read_text())
    assert len(coco["annotations"]) == 1
    studio.says("Saved as photo_im_coco.json")


def test_undo_has_no_end(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("b")
    for at in range(12):
        studio.drag((40 + 20 * at, 40), (40 + 20 * at, 60), then="Added")
    for _ in range(12):
        studio.press("Control+z", "Undone")
    assert studio.page.get_attribute("[data-command=undo]", "aria-disabled") == "true"
    np.testing.assert_array_equal(studio.mask(), COARSE)


def test_a_box_is_enough_to_start(server, visit, tmp_path):
    studio = visit(server.url)
    studio.open(write_photo(tmp_path, coarse=None)[0])
    studio.drag((150, 70), (490, 410), then="Found: check it, then refine or correct it")
    assert overlap(studio.mask(), TRUTH) > 0.95


def test_scribbles_are_enough_to_start(server, visit, tmp_path):
    studio = visit(server.url)
    studio.open(write_photo(tmp_path, coarse=None)[0])
    find = studio.page.locator("[data-command=refine]")
    assert find.get_attribute("aria-disabled") == "true"
    studio.press("b")
    studio.drag((280, 240), (360, 250))
    studio.press("e")
    studio.drag((40, 40), (600, 40))
    studio.drag((40, 40), (40, 440))
    studio.press("Control+z")  # takes the last scribble back, before anything was sent
    studio.press("Shift+R", "Found: check it, then refine or correct it")
    assert overlap(studio.mask(), TRUTH) > 0.95


def test_what_is_locked_stays(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("e")
    studio.page.check("#lock-paint")
    studio.drag((320, 240), (340, 240), then="Removed")
    studio.press("l")
    studio.drag((60, 60), (90, 60), then="Locked")
    studio.press("Shift+R", "Refined")
    mask = studio.mask()
    assert not mask[238:243, 318:342].any()
    assert mask[300, 320]
    studio.press("Shift+L")
    for _ in range(4):
        studio.press("]")
    studio.drag((315, 240), (345, 240), then="Unlocked")
    studio.press("Shift+R", "Refined")
    assert overlap(studio.mask(), TRUTH) > 0.98


def test_looks_show_the_photo_around_the_object_as_they_say(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("Shift+R", "Refined")
    inside, outside = (320, 240), (60, 60)
    red, blue = studio.pixel(*inside), studio.pixel(*outside)
    assert red[0] > 150 > red[2]
    assert blue[2] > 150 > blue[0]
    for look, colour in (("white", 255), ("black", 0)):
        studio.page.check(f"[value={look}]")
        studio.page.wait_for_timeout(200)
        assert studio.pixel(*outside) == (colour, colour, colour)
        assert studio.pixel(*inside) == red
    studio.page.check("[value=tint]")
    studio.page.wait_for_timeout(200)
    assert studio.pixel(*outside) == blue
    assert studio.pixel(*inside) != red


def test_coarse_and_refined_are_compared_by_swiping_and_by_holding_a_key(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("Shift+R", "Refined")
    studio.page.check("[value=white]")
    left, right = (185, 240), (452, 260)  # in the truth alone; in the truth and the coarse mask
    white = (255, 255, 255)
    studio.page.wait_for_timeout(200)
    assert studio.pixel(*left) != white
    studio.press("w")
    studio.page.wait_for_timeout(200)
    assert studio.pixel(*left) == white
    assert studio.pixel(*right) != white
    slider = studio.page.locator("#swipe")
    slider.focus()
    slider.press("Home")
    assert slider.get_attribute("aria-valuenow") == "0"
    studio.page.wait_for_timeout(200)
    assert studio.pixel(*left) != white
    studio.press("w")
    studio.page.keyboard.down("c")
    studio.page.wait_for_timeout(200)
    assert studio.pixel(*left) == white
    studio.page.keyboard.up("c")
    studio.page.wait_for_timeout(200)
    assert studio.pixel(*left) != white


def test_a_key_jumps_to_the_next_place(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("Shift+R", "Refined")
    studio.page.wait_for_selector("#places button")
    whole = studio.page.text_content("#zoom")
    studio.press("n")
    assert studio.page.text_content("#status").startswith("Place 1 of ")
    assert studio.page.locator("#places [aria-current]").count() == 1
    studio.page.wait_for_timeout(200)
    assert studio.page.text_content("#zoom") != whole


def test_keys_and_wheel_zoom_to_800_percent_and_no_farther(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    for key, percent in (("1", "100 %"), ("4", "400 %"), ("8", "800 %"), ("+", "800 %")):
        studio.press(key)
        studio.page.wait_for_selector(f"#zoom:text-is('{percent}')")
    studio.press("1")
    studio.page.mouse.move(*studio.at(320, 240))
    for _ in range(12):
        studio.page.mouse.wheel(0, -400)
    studio.page.wait_for_selector("#zoom:text-is('800 %')")
    studio.settle()


def test_all_can_be_done_by_keyboard(server, visit, files):
    studio = visit(server.url)
    page, press = studio.page, studio.press
    page.set_input_files("[name=photo]", files[0])  # the system's own dialog, not the page's
    page.set_input_files("[name=mask]", files[1])
    page.focus("[name=photo]")
    press("Tab")
    press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Open"
    press("Enter")
    page.wait_for_selector("body[data-phase=edit]")
    press("Shift+R", "Refined")

    press("q")
    assert page.evaluate("document.activeElement.id") == "stage"
    assert page.locator("#stage").evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    press("e")
    press("ArrowRight")  # the crosshair begins in the middle
    page.keyboard.down("Space")
    press("ArrowRight")
    press("ArrowRight")
    page.keyboard.up("Space")
    studio.says("Removed")
    scale = 0.96 * min(
        page.locator("#stage").bounding_box()[side] / length
        for side, length in (("width", SHAPE[1]), ("height", SHAPE[0]))
    )
    drawn = round(320 + 2 * 16 / scale)
    press("Control+s")
    page.focus("[data-file='mask.png']")
    with page.expect_download() as download:
        press("Enter")
    mask = np.asarray(Image.open(download.value.path()).convert("L")) > 127
    assert not mask[240, drawn]
    assert mask[300, drawn]

    press("b")
    press("Enter")
    press("ArrowRight")
    press("Enter")
    studio.says("Added")
    press("?")
    assert page.locator("#keys-dialog").is_visible()
    press("Escape")
    assert not page.locator("#keys-dialog").is_visible()
    assert page.evaluate("document.activeElement.id") == "stage"


def test_every_button_is_reached_by_tab(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    here = """(e => e.dataset.command ?? e.id ?? "")(document.activeElement)"""
    studio.page.focus(".skip")
    address = studio.page.url
    studio.press("Enter")
    assert studio.page.evaluate("document.activeElement.id") == "stage"
    assert studio.page.url == address  # by which a reload finds the photo
    studio.page.focus(".skip")
    reached = set()
    for _ in range(60):
        studio.press("Tab")
        reached.add(studio.page.evaluate(here))
    visible = studio.page.locator("[data-command]:visible").all()
    assert {button.get_attribute("data-command") for button in visible} <= reached
    assert "stage" in reached


def test_signs_that_take_another_key_are_keys_too(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    script = "(held) => dispatchEvent(new KeyboardEvent('keydown', {key: ']', ...held}))"
    size = studio.page.locator("#size-text")
    seen = [size.text_content()]
    for held in ({}, {"shiftKey": True}, {"altKey": True}):  # as on a German Mac
        studio.page.evaluate(script, held)
        seen.append(size.text_content())
    assert len(set(seen)) == 4


def test_single_keys_can_be_switched_off(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("?")
    studio.page.uncheck("#single-keys")
    studio.press("Escape")
    studio.press("b")
    assert studio.page.get_attribute("[data-command=tool-add]", "aria-pressed") == "false"
    studio.press("Shift+R")
    assert studio.page.get_attribute("[data-command=undo]", "aria-disabled") == "true"


@pytest.mark.parametrize("size", [(1280, 820), (820, 1180), PHONE, (320, 600)])
def test_no_size_scrolls_sideways_or_hides_the_photo(server, visit, files, size):
    studio = visit(server.url, size=size)
    assert studio.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    studio.open(*files)
    assert studio.page.evaluate("document.documentElement.scrollWidth") <= size[0]
    stage = studio.page.locator("#stage").bounding_box()
    assert stage["width"] * stage["height"] > 0.45 * size[0] * size[1]
    for button in studio.page.locator(".top [data-command]:visible").all():
        box = button.bounding_box()
        assert 0 <= box["x"] <= size[0] - box["width"]


class Fingers:
    """Fingers on a touch screen, at points of the window."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)

    def __call__(self, kind, *points):
        touched = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})


def test_on_a_phone_one_finger_paints_and_two_zoom(server, visit, files):
    studio = visit(server.url, size=PHONE, has_touch=True, is_mobile=True)
    studio.open(*files)
    page = studio.page
    page.tap("[data-command=tool-add]")
    whole = page.text_content("#zoom")
    touch = Fingers(page)
    start, end = studio.at(60, 60), studio.at(120, 60)
    touch("touchStart", start)
    touch("touchMove", end)
    touch("touchEnd")
    studio.says("Added")
    middle = studio.at(320, 240)
    touch("touchStart", middle)
    touch("touchStart", middle, (middle[0] + 40, middle[1]))
    touch("touchMove", middle, (middle[0] + 120, middle[1]))
    touch("touchEnd")
    page.wait_for_timeout(300)
    assert page.text_content("#zoom") != whole
    mask = studio.mask()
    assert painted(mask, 90, 60)
    assert mask.sum() < COARSE.sum() + 6000  # pinching has not painted

    page.tap("[data-command=panel]:visible")
    page.check("[value=white]")
    assert page.locator("[value=white]").is_checked()


def test_on_a_phone_the_panel_does_not_hide_the_place_that_was_chosen_in_it(server, visit, files):
    studio = visit(server.url, size=PHONE, has_touch=True, is_mobile=True)
    studio.open(*files)
    studio.page.tap("[data-command=refine]")
    studio.says("Refined")
    studio.page.tap(".top [data-command=panel]")
    studio.page.tap("#places button >> nth=0")
    studio.page.wait_for_selector("#panel", state="hidden")
    assert studio.page.evaluate("document.activeElement.id") == "stage"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_dark(server, visit, files, scheme):
    studio = visit(server.url, scheme=scheme)
    page = studio.page
    paper = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    studio.open(*files)
    for part in ("h1", "#name", "#dimensions", "#status", ".tool", ".looks label", "#hint"):
        ground = page.locator(part).first.evaluate(
            """e => { while (getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)")
                e = e.parentElement; return getComputedStyle(e).backgroundColor; }"""
        )
        ink = page.locator(part).first.evaluate("e => getComputedStyle(e).color")
        assert contrast(ink, ground) >= 4.5, part


def test_a_chosen_theme_outlasts_the_visit(server, visit):
    studio = visit(server.url)
    studio.press("t")
    studio.press("t")
    studio.page.reload()
    assert studio.page.get_attribute("html", "data-theme") == "dark"


def test_nothing_moves_while_one_works(server, visit, files):
    studio = visit(server.url)
    studio.page.evaluate(
        """() => { window.shifts = [];
        new PerformanceObserver((list) => window.shifts.push(...list.getEntries()
            .filter((shift) => !shift.hadRecentInput).map((shift) => shift.value)))
            .observe({ type: "layout-shift", buffered: true }); }"""
    )
    studio.open(*files)
    studio.press("Shift+R", "Refined")
    studio.page.wait_for_selector("#places button")
    studio.press("n")
    studio.page.wait_for_timeout(300)
    assert sum(studio.page.evaluate("window.shifts")) < 0.01


def test_an_error_is_the_servers_own_sentence(server, visit, tmp_path):
    wrong = tmp_path / "photo.jpg"
    wrong.write_text("no picture at all")
    studio = visit(server.url, expected=REFUSED)
    studio.page.set_input_files("[name=photo]", wrong)
    studio.page.click("#opener [type=submit]")
    studio.page.wait_for_selector("#alert:visible")
    text = studio.page.text_content("#alert-text")
    assert "photo" in text
    assert "\n" not in text
    studio.page.click("#dismiss")
    assert not studio.page.locator("#alert").is_visible()


def test_two_pages_of_one_photo_show_the_same_mask(server, visit, files):
    """What another page did is seen with the next operation, or when one comes back to the page."""
    studio = visit(server.url)
    studio.open(*files)
    other = visit(server.url, address=studio.page.url.removeprefix(server.url))
    other.page.wait_for_selector("body[data-phase=edit]")
    for one in (studio, other):
        one.page.check("[value=white]")
        one.press("b")
    white = studio.pixel(100, 60)
    assert white != studio.pixel(320, 240)
    other.drag((60, 60), (140, 60), then="Added")
    studio.drag((500, 60), (540, 60), then="Added")
    studio.page.wait_for_timeout(200)
    assert studio.pixel(100, 60) != white
    other.page.evaluate("window.dispatchEvent(new Event('focus'))")
    other.page.wait_for_timeout(200)
    assert other.pixel(520, 60) != white


def test_a_photo_that_went_with_its_server_is_not_promised_back(visit, files):
    short = Server().start()
    studio = visit(short.url, expected=REFUSED)
    studio.open(*files)
    studio.press("b")
    short.kill()
    studio.drag((60, 60), (90, 60))
    studio.page.wait_for_selector("#alert:has-text('open the photo again')")


def test_the_address_of_another_photo_leads_to_it(server, visit, files, tmp_path):
    studio, other = visit(server.url), visit(server.url)
    studio.open(*files)
    other.open(*write_photo(tmp_path, "other"))
    studio.page.evaluate("(address) => { location.href = address; }", other.page.url)
    studio.page.wait_for_selector("#name:text-is('other_im.png')")


def test_long_work_shows_that_it_goes_on_and_can_be_stopped(visit, files):
    slow = Server("--pause", "3").start()
    try:
        studio = visit(slow.url, expected=REFUSED)
        studio.open(*files)
        studio.press("Shift+R")
        studio.page.wait_for_selector("#chip:visible")
        assert studio.page.locator("#progress").is_visible()
        studio.page.click("#stop")
        studio.says("Stopped")
        assert not studio.page.locator("#chip").is_visible()
        np.testing.assert_array_equal(studio.mask(), COARSE)
    finally:
        slow.kill()


def test_the_form_stays_open_when_a_refining_ends_behind_it(visit, files):
    slow = Server("--pause", "0.3").start()
    try:
        studio = visit(slow.url)
        studio.open(*files)
        studio.press("Shift+R")
        studio.press("Control+o")
        studio.says("Refined")
        assert studio.page.locator("#opener").is_visible()
        studio.press("Escape")
        studio.page.wait_for_selector("body[data-phase=edit]")
        assert overlap(studio.mask(), TRUTH) > 0.98
    finally:
        slow.kill()


def test_keys_leave_the_photo_behind_the_form_alone(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("b")
    studio.drag((60, 60), (90, 60), then="Added")
    studio.press("Control+o")
    for key in ("Control+z", "Shift+R", "v", "q", "Space"):
        studio.press(key)
    for _ in range(9):
        studio.press("Tab")
        assert studio.page.evaluate("document.activeElement.id") != "stage"
    studio.press("Escape")
    studio.page.wait_for_selector("body[data-phase=edit]")
    assert studio.page.get_attribute("[data-command=tool-add]", "aria-pressed") == "true"
    assert painted(studio.mask(), 75, 60)
    assert studio.page.text_content("#hint") != ""  # it was not refined


def test_scribbles_that_were_not_sent_are_not_left_without_a_question(server, visit, files):
    studio = visit(server.url)
    studio.open(files[0])
    asked = []
    studio.page.on("dialog", lambda dialog: asked.append(dialog.type) or dialog.accept())
    studio.press("b")
    studio.drag((280, 240), (360, 240))
    studio.page.reload()
    studio.page.wait_for_selector("body[data-phase=start]")
    studio.page.reload()
    assert asked == ["beforeunload"]


def test_a_screen_of_other_pixels_shifts_no_stroke(server, visit, files):
    studio = visit(server.url)
    studio.open(*files)
    studio.press("b")
    devtools = studio.page.context.new_cdp_session(studio.page)
    screen = {"width": 1280, "height": 820, "deviceScaleFactor": 2, "mobile": False}
    devtools.send("Emulation.setDeviceMetricsOverride", screen)
    studio.drag((60, 60), (90, 60), then="Added")
    assert painted(studio.mask(), 75, 60)


def test_undo_and_strokes_while_refining_stop_it_or_wait_for_it(visit, files):
    """No key makes an error then; undo takes back what was asked for last."""
    slow = Server("--pause", "0.5").start()
    try:
        studio = visit(slow.url, expected=REFUSED)
        studio.open(*files)
        studio.press("b")
        studio.drag((60, 60), (90, 60), then="Added")
        studio.press("Shift+R")
        studio.page.wait_for_selector("#chip:visible")
        studio.press("Control+z", "Stopped")
        stopped = studio.mask()
        assert painted(stopped, 75, 60)  # only the refining is gone
        assert overlap(stopped[110:], COARSE[110:]) > 0.99

        studio.press("Shift+R")
        studio.page.wait_for_selector("#chip:visible")
        studio.drag((500, 60), (530, 60))  # waits
        studio.press("Control+z")  # takes it back, not the refining
        studio.press("Control+Shift+Z")
        studio.says("Redone")
        mask = studio.mask()
        assert painted(mask, 515, 60)
        assert overlap(mask[110:], TRUTH[110:]) > 0.98

        studio.press("Shift+R")
        studio.press("Control+z")  # at once, before or after it was sent
        studio.says("Stopped")
        studio.press("Control+z", "Undone")
        assert not painted(studio.mask(), 515, 60)
        assert not studio.page.locator("#alert").is_visible()
    finally:
        slow.kill()


def test_the_policy_allows_no_inline_script_or_style(server, visit):
    page = visit(server.url).page
    policy = page.request.get(server.url).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    source = page.request.get(server.url).text()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script>", source)


def test_the_documentation_lists_the_keys_of_the_dialog(server, visit):
    page = visit(server.url).page
    page.keyboard.press("?")
    keys = page.locator("#keys-dialog dt").all_inner_texts()
    text = (ROOT / "docs" / "studio.md").read_text()
    section = text.split("## Keys", 1)[1].split("\n## ", 1)[0]
    told = set(re.findall(r"`([^`]+)`", section))
    assert {key for line in keys for key in line.split()} == told


def test_a_contour_lies_on_the_edge(server, visit):
    """The lines that are drawn of a soft disc are circles, to a tenth of a pixel."""
    page = visit(server.url).page
    script = """async () => {
      const { contour } = await import("/page/contour.js");
      const side = 64, grey = new Uint8Array(side * side);
      for (let y = 0; y < side; y++) for (let x = 0; x < side; x++)
        grey[y * side + x] = Math.min(Math.max(
          127.5 + 60 * (20 - Math.hypot(x + 0.5 - 32, y + 0.5 - 30)), 0), 255);
      return contour(grey, side, side).map((line) => [...line]);
    }"""
    lines = page.evaluate(script)
    assert len(lines) == 1
    points = np.reshape(lines[0], (-1, 2))
    np.testing.assert_array_equal(points[0], points[-1])
    away = np.hypot(points[:, 0] - 32, points[:, 1] - 30)
    np.testing.assert_allclose(away, 20, atol=0.1)


def test_tiles_are_asked_for_where_they_are_seen_alone(server, visit, tmp_path):
    photo = tmp_path / "large_im.png"
    ramp = np.add.outer(np.arange(3000), np.arange(4000)) // 32
    Image.fromarray(np.stack([ramp % 256] * 3, -1).astype(np.uint8)).save(photo, compress_level=1)
    studio = visit(server.url)
    asked = []
    studio.page.on("request", lambda request: asked.append(request.url))
    studio.open(photo)
    tiles = [re.search(r"photo/(\d+)/(\d+)/(\d+)\.jpg", url) for url in asked]
    levels = {int(tile[1]) for tile in tiles if tile}
    assert levels  # the whole photo is shown: from reduced levels
    assert 0 not in levels
    asked.clear()
    studio.press("1")
    studio.page.wait_for_timeout(300)
    studio.settle()
    fine = [url for url in asked if "/photo/0/" in url]
    assert 0 < len(fine) <= 12  # of 48


def test_a_moved_frame_is_the_one_that_would_be_drawn_at_once(server, visit, files):
    """What is kept of the frame before, and the strips that come into sight, fit together."""
    studio = visit(server.url)
    studio.open(*files)
    page = studio.page
    for key, look in (("1", "contour"), ("4", "checker"), ("8", "tint")):
        page.check(f"[value={look}]")
        studio.press(key)
        page.wait_for_timeout(100)
        page.mouse.move(640, 400)
        page.mouse.down()
        for x, y in ((620, 410), (500, 300), (511, 433)):
            page.mouse.move(x, y)
            page.wait_for_timeout(40)
        page.mouse.up()
        moved = pixels(studio)
        studio.press("k")  # locks shown, and hidden again: all is drawn anew
        studio.press("k")
        page.wait_for_timeout(100)
        anew = pixels(studio)
        assert np.ptp(anew) > 100
        # A clipped line's rim may be rounded in another way.
        assert (np.abs(moved - anew).max(-1) > 16).mean() < 1e-3


def pixels(studio):
    """All that the canvas shows, int16 HxWx3."""
    studio.page.wait_for_timeout(100)
    studio.settle()
    shown = studio.page.evaluate("document.getElementById('photo').toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(shown.partition(",")[2])))
    return np.asarray(picture.convert("RGB"), np.int16)
