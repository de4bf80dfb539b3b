"""The report in a real browser: light and dark, wide and narrow, by keyboard and in print.

Takes the Python package playwright and a chromium: its own, or one that is on the path.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image

from edgewise.evaluation import Header, Rival, evaluate, find_pairs, summarise
from edgewise.evaluation.kept import keep_mask
from edgewise.evaluation.outcome import Outcome
from edgewise.report import crop_pair, extremes, write_report
from tests.evaluation.folders import Harm, Orange, disc, write_pair
from tests.report.runs import many, outcome

pytest.importorskip("jinja2")

NAME = """(e => e.id || e.getAttribute("href") || e.ariaLabel || e.textContent.trim())(
    document.activeElement)"""
WIDE, PHONE = (1280, 900), (390, 844)
PATIENCE = 180_000  # milliseconds, for machines that have much else to do


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report of six pairs of two sets, one of which was harmed."""
    folder = tmp_path_factory.mktemp("report")
    for at, radius in enumerate((40, 60, 80, 100, 120)):
        size, middle = (300, 400), (150, 200)
        write_pair(
            folder / "data" / ("odd" if at % 2 else "even"),
            f"photo{at}",
            truth=disc(125, size=size, middle=middle),
            coarse={"net": disc(radius, size=size, middle=middle)},
        )
    size = (300, 400)
    write_pair(
        folder / "data" / "odd",
        "harmed",
        truth=disc(50, size=size),
        coarse=disc(48, size=size),
        refined=disc(20, size=size),
    )
    pairs = find_pairs([folder / "data"]).pairs
    rows = list(evaluate(pairs, Orange(), hce=True))
    keep = partial(keep_mask, folder=folder / "empty")
    empty = list(evaluate([replace(one, refined=None) for one in pairs], Harm(), keep=keep))
    about = Header(engine=Harm().describe())
    rival = Rival(name="empty", header=about, overview=summarise(empty), rows=empty)
    cut = partial(crop_pair, worst=extremes(rows).worst_keys, rivals={"empty": folder / "empty"})
    crops = {pair.key: cut(pair, Orange()()) for pair in pairs}
    path = folder / "report.html"
    header = Header(hce=True)  # the widest table
    overview = summarise(rows, header.measured)
    done = Outcome(header=header, overview=overview, rows=rows, rivals=[rival])
    write_report(path, done, crops)
    return path


@pytest.fixture
def opened(chromium):
    """Open a file; anything that the page logs, raises or asks of the network fails the test."""
    contexts, wrong = [], []

    def at(path, *, size=WIDE, scheme="light", **options):
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: _note(request, wrong))
        page.goto(path.as_uri())
        return page

    yield at
    for context in contexts:
        context.close()
    assert wrong == []


def _note(request, wrong):
    if not request.url.startswith(("file:", "data:")):
        wrong.append(f"asked for {request.url}")


def luminance(text):
    """The relative luminance of a colour as CSS writes it, `rgb(r, g, b)`."""
    numbers = [int(part) / 255 for part in text[text.index("(") + 1 : -1].split(",")[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in numbers
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first, second):
    """WCAG 2's contrast ratio of two colours."""
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page_in_light_and_dark(report, opened, scheme):
    page = opened(report, scheme=scheme)
    paper = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (luminance(paper) > 0.5) == (scheme == "light")
    for text in ("h1", "p.soft", "nav a", "caption"):
        ink = page.locator(text).first.evaluate("e => getComputedStyle(e).color")
        assert contrast(ink, paper) >= 4.5, text


@pytest.mark.parametrize("size", [WIDE, PHONE, (320, 600)])
def test_the_page_never_scrolls_sideways(report, opened, size):
    page = opened(report, size=size)
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


def test_crops_are_shown_at_one_to_one(report, opened):
    page = opened(report)
    for crop in page.locator("svg.crop").all():
        box = crop.bounding_box()
        assert (box["width"], box["height"]) == (256, 256)
    assert page.locator("svg.crop").count() == 6


def test_outlines_are_drawn_and_can_be_switched_off(report, opened):
    page = opened(report)
    for name in ("truth", "before", "after"):
        outlines = page.locator(f".crop .outline-{name}")
        assert outlines.first.is_visible()
        page.locator(f"#show-{name}").focus()
        page.keyboard.press("Space")
        assert not outlines.first.is_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_reader_chooses_whose_outlines_and_scores_the_crops_show(report, opened, scripts):
    page = opened(report, java_script_enabled=scripts)
    card = page.locator("#best .cards li").first
    assert card.locator("g.by-0").is_visible()
    assert card.locator("span.by-0").inner_text().strip().endswith("100.00")
    assert not card.locator("span.by-1").is_visible()
    page.get_by_label("empty", exact=True).check()
    assert not card.locator("g.by-0").is_visible()
    assert not card.locator("span.by-0").is_visible()
    assert "→ 0.00" in card.locator("span.by-1").inner_text()


def test_outlines_differ_for_any_colour_vision(report, opened):
    """They differ by more than hue: each pair of them in width, dashes or lightness."""
    page = opened(report)
    looks = []
    for name in ("truth", "before", "after"):
        style = page.locator(f".crop path.{name}").first.evaluate(
            "e => { const s = getComputedStyle(e);"
            " return [s.stroke, s.strokeWidth, s.strokeDasharray]; }"
        )
        looks.append((round(luminance(style[0]), 1), style[1], style[2]))
    assert len({look[1:] for look in looks}) == 3
    assert len({look[0] for look in looks}) >= 2


def test_a_dot_leads_to_its_row(report, opened):
    page = opened(report)
    dot = page.locator(".scatter a").nth(2)
    target = dot.get_attribute("href")
    dot.click()
    row = page.locator(target)
    assert page.evaluate("location.hash") == target
    assert row.evaluate("e => e.matches(':target')")
    top, bottom = row.evaluate(
        "e => { const b = e.getBoundingClientRect(); return [b.top, b.bottom]; }"
    )
    assert 0 <= top <= bottom <= WIDE[1]


def test_arrow_keys_move_between_dots_and_enter_follows(report, opened):
    page = opened(report)
    dots = page.locator(".scatter").first.locator("a")
    assert dots.evaluate_all("all => all.filter(e => e.tabIndex === 0).length") == 1
    dots.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert dots.nth(2).evaluate("e => e === document.activeElement && e.tabIndex === 0")
    page.keyboard.press("End")
    assert dots.last.evaluate("e => e === document.activeElement")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == dots.last.get_attribute("href")


def test_everything_that_can_be_used_is_reached_by_tab(report, opened):
    page = opened(report)
    seen = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        seen.add(page.evaluate(NAME))
    assert {"#summary", "show-truth", "filter-set", "filter-text", "Scores by set"} <= seen
    assert {"IoU gain", "Further metrics, all pairs"} <= seen


def test_what_has_the_focus_is_outlined(report, opened):
    page = opened(report)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert style == "solid"


def test_rows_are_sorted_by_number_and_back(report, opened):
    page = opened(report)
    button = page.get_by_role("button", name="IoU before")
    heading = page.locator("th", has=button)

    def values():
        cells = page.locator("#table tbody tr td:nth-child(5)").all_text_contents()
        return [float(cell) for cell in cells]

    button.click()
    assert heading.get_attribute("aria-sort") == "ascending"
    assert values() == sorted(values())
    button.click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert values() == sorted(values(), reverse=True)


def test_rows_are_filtered_and_a_link_to_a_hidden_row_shows_it(report, opened):
    page = opened(report)
    page.locator("#filter-set").select_option("even")
    assert page.locator("#table tbody tr:visible").count() == 3
    assert page.locator("#shown").inner_text() == "3 of 6 pairs"
    page.locator("#filter-text").fill("photo4")
    assert page.locator("#table tbody tr:visible").count() == 1
    link = page.locator("#worst figcaption a").first
    link.click()
    assert page.locator(link.get_attribute("href")).is_visible()


def test_without_scripts_all_is_there_but_the_controls(report, opened):
    page = opened(report, java_script_enabled=False)
    assert page.locator("#table tbody tr").count() == 6
    assert not page.locator(".filters").is_visible()
    assert page.locator("svg.crop").first.is_visible()


def test_print_is_dark_on_light_and_without_controls(report, opened):
    page = opened(report, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    paper = page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert luminance(paper) > 0.9
    assert not page.locator("nav").is_visible()
    assert not page.locator(".filters").is_visible()
    assert page.locator("svg.crop").first.is_visible()
    assert page.pdf().startswith(b"%PDF")


def test_five_thousand_pairs_open_sort_and_filter(tmp_path, opened):
    """On an idle machine it is two seconds a step."""
    path = tmp_path / "report.html"
    write_report(path, outcome(many(5000)), {})
    page = opened(path)
    assert page.locator("#table tbody tr").count() == 5000
    for heading in ("IoU gain", "mBA after", "IoU gain"):  # the second took minutes once
        page.get_by_role("button", name=heading).click()
    page.locator("#filter-text").fill("photo00007")
    assert page.locator("#table tbody tr:visible").count() == 2
    page.emulate_media(media="print")
    assert not page.locator("#table").is_visible()
    assert page.locator(".print-note").is_visible()


def test_colours_are_really_painted(report, opened, tmp_path):
    """The screenshot of a crop holds the photo's orange and the truth's yellow."""
    page = opened(report)
    shot = tmp_path / "crop.png"
    page.locator("svg.crop").first.screenshot(path=shot)
    pixels = np.asarray(Image.open(shot).convert("RGB")).reshape(-1, 3).astype(int)
    for colour in ((200, 120, 40), (240, 228, 66)):
        assert (np.abs(pixels - colour).max(axis=1) < 30).sum() > 50
