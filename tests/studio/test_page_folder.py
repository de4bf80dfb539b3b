"""Folder mode in a real browser: the queue, its verdicts, and a server that is killed in between.

Takes the Python package playwright and a chromium: its own, or one that is on the path.
"""

import hashlib
import re

import pytest

from tests.fakes import overlap
from tests.studio.pages import COARSE, LONG, TRUTH, Server, write_photo

pytest.importorskip("fastapi")

GONE = ["Failed to load resource"]  # what a browser logs of a server that does not answer
LATER = """() => {
  const real = window.fetch;
  window.held = {};
  window.fetch = async (url, how) => {
    const answer = await real(url, how);
    const verb = String(url).split("/").at(-1);
    if (["open", "strokes"].includes(verb))
      await new Promise((resolve) => (window.held[verb] = resolve));
    return answer;
  };
}"""
GO = "(verb) => window.held[verb]()"
HOUR = "() => { const now = performance.now() + 5000; performance.now = () => now; }"


@pytest.fixture
def folder(tmp_path):
    """Three photos with masks."""
    path = tmp_path / "cats"
    path.mkdir()
    for name in ("first", "second", "third"):
        write_photo(path, name)
    return path


@pytest.fixture
def serve(folder):
    """A server of the folder, ended with the test."""
    running = Server("--folder", folder).start()
    yield running
    running.kill()


def shows(studio, name):
    """Wait until a photo is open, and seen."""
    studio.page.wait_for_selector(f"#name:has-text('{name}')")
    studio.settle()


def counts(studio):
    """How many photos have each status, as the page says."""
    places = studio.page.locator("#counts [data-count]").all()
    return {place.get_attribute("data-count"): int(place.text_content()) for place in places}


def test_verdicts_lead_through_the_folder(serve, visit, folder):
    before = {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.glob("*.png")}
    studio = visit(serve.url)
    shows(studio, "first")
    studio.press("Shift+R", "Refined")
    studio.press("a")
    shows(studio, "second")
    studio.press("b")
    studio.drag((60, 60), (90, 60), then="Added")
    studio.press("f")
    shows(studio, "third")
    studio.press("g", "Every photo has a verdict: export what you accepted")
    assert counts(studio) == {"new": 0, "accepted": 1, "fixed": 1, "skipped": 0, "flagged": 1}
    assert studio.page.text_content("#queue-done") == "3 of 3 done"

    studio.press("PageUp")
    shows(studio, "second")
    studio.press("s")
    studio.page.wait_for_selector("[data-count=skipped]:text-is('1')")
    studio.page.select_option("#queue-filter", "skipped")
    assert studio.page.locator("#queue button:visible").count() == 1

    studio.press("Control+e")
    studio.page.wait_for_selector("#status:has-text('Exported 1 photo')")
    exported = studio.page.text_content("#status").removeprefix("Exported 1 photo to ")
    names = sorted(file.name for file in (folder / exported).iterdir())
    assert [name.split(".")[0] for name in names] == ["first_gt", "first_im", "first_seg"]
    for file, digest in before.items():
        assert hashlib.sha256(file.read_bytes()).hexdigest() == digest


def test_nothing_is_lost_when_the_server_is_killed(serve, visit):
    studio = visit(serve.url, expected=GONE)
    shows(studio, "first")
    studio.press("a")
    shows(studio, "second")
    studio.press("Shift+R", "Refined")
    studio.press("b")
    studio.drag((60, 60), (90, 60), then="Added")

    serve.kill()
    studio.drag((60, 400), (90, 400))  # while nobody listens
    studio.page.wait_for_selector("#alert:has-text('does not answer')")
    studio.drag((500, 60), (530, 60))
    serve.start()
    studio.page.wait_for_selector("#alert", state="hidden", timeout=LONG)
    studio.page.wait_for_timeout(200)
    mask = studio.mask()
    for x, y in ((75, 60), (75, 400), (515, 60)):
        assert mask[y, x]
    assert overlap(mask[110:370, 180:460], TRUTH[110:370, 180:460]) > 0.98

    for _ in range(2):
        studio.press("Control+z", "Undone")
    mask = studio.mask()
    assert mask[60, 75]
    assert not mask[400, 75]

    serve.kill()
    serve.start()
    studio.page.reload()
    shows(studio, "second")
    assert counts(studio)["accepted"] == 1
    assert (studio.mask() == mask).all()
    studio.press("Control+Shift+Z", "Redone")
    assert studio.mask()[400, 75]


def test_a_server_started_anew_while_nothing_was_done_goes_on(serve, visit):
    studio = visit(serve.url, expected=GONE)
    shows(studio, "first")
    studio.press("b")
    serve.kill()
    serve.start()
    studio.drag((60, 60), (90, 60))
    studio.says("Added")
    serve.kill()
    serve.start()
    assert studio.mask()[60, 75]
    assert not studio.page.locator("#alert").is_visible()


def test_a_verdict_waits_for_the_server(serve, visit):
    studio = visit(serve.url, expected=GONE)
    shows(studio, "first")
    serve.kill()
    studio.press("a")
    studio.page.wait_for_selector("#alert:has-text('does not answer')")
    serve.start()
    shows(studio, "second")
    assert counts(studio)["accepted"] == 1
    again = visit(serve.url)
    shows(again, "second")
    assert counts(again)["accepted"] == 1


def test_the_time_spent_on_a_photo_is_kept(serve, visit):
    studio = visit(serve.url)
    shows(studio, "first")
    studio.page.wait_for_selector("#clock:not(:text-is('0:00'))")
    studio.press("a")
    shows(studio, "second")
    row = studio.page.locator("#queue li").first.inner_text()
    assert re.fullmatch(r"first_im.png\s*Accepted · \d+:\d\d", row)
    studio.page.reload()
    shows(studio, "second")
    assert studio.page.locator("#queue li").first.inner_text() == row
    studio.page.wait_for_selector("#clock:not(:text-is('0:00'))")
    studio.page.reload()  # in the middle of a photo
    studio.page.wait_for_selector("[aria-current] .soft:has-text('New · 0:0')")


def test_a_photo_that_cannot_be_read_can_be_flagged(serve, visit, folder):
    (folder / "second_im.png").write_bytes(b"gone bad since")
    studio = visit(serve.url, expected=GONE)
    shows(studio, "first")
    studio.press("a")
    studio.page.wait_for_selector("#alert:visible")
    studio.press("f")  # there is nothing to be right
    studio.press("g")
    shows(studio, "third")
    assert counts(studio) == {"new": 1, "accepted": 1, "fixed": 0, "skipped": 0, "flagged": 1}


def test_an_accepted_photo_is_new_again_when_its_mask_is_undone(serve, visit, folder):
    (folder / "first_seg.png").unlink()
    serve.kill()
    serve.start()
    studio = visit(serve.url)
    shows(studio, "first")
    row = studio.page.locator("#queue li").first
    assert "no mask" in row.inner_text()
    studio.drag((150, 70), (490, 410), then="Found: check it, then refine or correct it")
    assert "no mask" not in row.inner_text()
    studio.press("a")
    shows(studio, "second")
    studio.press("PageUp")
    shows(studio, "first")
    assert counts(studio)["accepted"] == 1
    studio.press("Control+z")
    studio.page.wait_for_selector("[data-count=accepted]:text-is('0')")
    studio.page.wait_for_selector("#clock:not(:text-is('0:00'))")
    studio.press("PageDown")
    shows(studio, "second")
    assert counts(studio)["new"] == 3


def test_the_queue_fits_a_phone(serve, visit):
    studio = visit(serve.url, size=(390, 844), has_touch=True, is_mobile=True)
    shows(studio, "first")
    assert studio.page.evaluate("document.documentElement.scrollWidth") <= 390
    for name in ("accepted", "fixed", "skipped", "flagged"):
        box = studio.page.locator(f".verdict[data-command={name}]").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        assert box["height"] >= 36
    studio.page.tap(".verdict[data-command=accepted]")
    shows(studio, "second")


@pytest.mark.parametrize("width", [1000, 844, 360, 320])
def test_verdicts_lie_beside_the_tools_and_the_panel_at_any_width(serve, visit, width):
    studio = visit(serve.url, size=(width, 700))
    shows(studio, "first")
    bar = studio.page.locator(".verdicts").bounding_box()
    for part in studio.page.locator(".verdicts > *").all():
        box = part.bounding_box()
        assert bar["x"] <= box["x"] <= bar["x"] + bar["width"] - box["width"]


def test_what_is_drawn_while_the_next_photo_opens_is_of_the_photo_that_is_seen(serve, visit):
    studio = visit(serve.url)
    shows(studio, "first")
    studio.press("b")
    page = studio.page
    page.evaluate(LATER)
    studio.press("PageDown")
    page.wait_for_function("() => window.held.open")
    studio.drag((60, 60), (90, 60))
    page.wait_for_function("() => window.held.strokes")
    page.evaluate(GO, "open")
    page.mouse.move(*studio.at(400, 60))
    page.mouse.down()  # and a stroke that has not ended when the next photo comes
    page.evaluate(GO, "strokes")
    shows(studio, "second")
    page.mouse.up()
    assert (studio.mask() == COARSE).all()
    page.evaluate("window.held = {}")
    studio.press("PageUp")
    page.wait_for_function("() => window.held.open")
    page.evaluate(GO, "open")
    shows(studio, "first")
    mask = studio.mask()
    assert mask[60, 75]
    assert not mask[60, 400]


def test_a_key_held_down_gives_one_verdict(serve, visit):
    studio = visit(serve.url)
    shows(studio, "first")
    for key, then in (("a", "second"), ("Enter", "third")):
        studio.page.keyboard.down(key)
        shows(studio, then)
        studio.page.keyboard.down(key)  # as a keyboard repeats it
        studio.page.keyboard.up(key)
        studio.page.focus("[data-command=accepted]")
    studio.press("PageUp", "Opened second_im.png")
    assert counts(studio) == {"new": 1, "accepted": 2, "fixed": 0, "skipped": 0, "flagged": 0}


def test_a_photo_is_opened_with_the_verdict_that_another_page_gave(serve, visit):
    studio = visit(serve.url)
    shows(studio, "first")
    other = visit(serve.url)
    other.press("PageDown", "Opened second_im.png")
    other.press("g")
    shows(other, "third")
    studio.press("PageDown", "Opened second_im.png")
    assert counts(studio)["flagged"] == 1


def test_going_on_leaves_a_verdict_that_another_page_or_visit_gave(serve, visit, folder):
    (folder / "second_im.png").write_bytes(b"gone bad since")
    studio = visit(serve.url, expected=GONE)
    shows(studio, "first")
    other = visit(serve.url, expected=GONE)
    shows(other, "first")
    other.press("a")
    other.page.wait_for_selector("[data-count=accepted]:text-is('1')")
    studio.page.evaluate(HOUR)  # time that is to be noted
    studio.press("PageDown")
    studio.page.wait_for_selector("#alert:visible")
    assert studio.page.text_content("#name") == "second_im.png"
    assert studio.page.text_content("#status") == ""
    assert counts(studio)["accepted"] == 1
    studio.press("g")
    shows(studio, "third")
    studio.press("PageUp")
    studio.page.wait_for_selector("#alert:visible")
    studio.page.evaluate(HOUR)
    studio.press("PageDown")
    shows(studio, "third")
    assert counts(studio) == {"new": 1, "accepted": 1, "fixed": 0, "skipped": 0, "flagged": 1}


def test_some_of_the_queue_is_seen_on_a_small_laptop(serve, visit):
    studio = visit(serve.url, size=(1024, 600))
    shows(studio, "first")
    assert studio.page.locator("#queue").bounding_box()["height"] >= 64
