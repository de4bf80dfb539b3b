"""The page: what it says, that it is safe to open and small enough."""

import re
import sys
from html.parser import HTMLParser

import pytest

from edgewise.errors import DependencyError
from edgewise.evaluation import Failure
from edgewise.report import Crop, Table, render, write_report
from tests.evaluation.rows import row
from tests.report.runs import many, outcome

pytest.importorskip("jinja2")


class Page(HTMLParser):
    """Ids, links and sources of a page; fails on tags that do not match."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.sources, self.open = set(), [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        if "id" in values:
            assert values["id"] not in self.ids
            self.ids.add(values["id"])
        if tag in ("a", "use"):
            self.links.append(values["href"])
        self.sources += [values[name] for name in ("src", "srcset", "data") if name in values]
        if tag in ("image", "link"):
            self.sources.append(values["href"])
        if tag not in ("meta", "input", "br", "img", "link"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if self.open and tag == self.open[-1]:
            self.open.pop()


def test_every_link_leads_to_something_on_the_page():
    page = Page(render(outcome(many(12)), {}))
    assert {link[0] for link in page.links} == {"#"}
    assert {link[1:] for link in page.links} <= page.ids


def test_every_further_score_that_was_measured_is_shown():
    text = render(outcome(many(3)), {})
    for label in ("Pixel accuracy", "Boundary F", "S-measure", "HD95"):
        assert f'<th scope="row">{label}</th>' in text
    assert '<th scope="row">HCE</th>' not in text


def test_further_tables_come_first_with_their_notes():
    table = Table(title="A & B", lines=[["IoU", "x"], ["one", "2 < 3"]], notes=["from <there>"])
    text = render(outcome(many(3)), {}, tables=[table])
    Page(text)
    assert text.index("A &amp; B") < text.index('id="summary"')
    assert '<th scope="row">one</th><td>2 &lt; 3</td>' in text
    assert "<li>from &lt;there&gt;</li>" in text


def test_every_pair_has_a_dot_and_a_row():
    text = render(outcome(many(12)), {})
    assert re.findall(r'<tr id="p(\d+)">', text) == [str(at) for at in range(12)]
    assert sorted({int(at) for at in re.findall(r'<a href="#p(\d+)"[^>]*><title>', text)}) == [
        *range(12)
    ]


def test_the_summary_states_gain_and_interval():
    text = render(outcome(row(str(at), 0.5, 0.6 + at / 1000) for at in range(9)), {})
    assert "+10.40" in text
    assert re.search(r"95 %: \+10\.\d\d to \+10\.\d\d", text)


def test_names_are_shown_as_they_are_and_never_run():
    bad = row("<script>alert(1)</script>", 0.5, 0.6, set_='"><img src=x>')
    text = render(outcome([bad, row("y", 0.5, 0.7)]), {})
    assert "<script>alert" not in text
    assert "<img src=x>" not in text
    assert "&lt;script&gt;alert(1)" in text


def test_nothing_is_asked_of_the_network():
    text = render(outcome(many(12)), {})
    assert Page(text).sources == []
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text
    assert not re.search(r"@import|url\(|https?://", text)


def test_failures_and_problems_are_listed():
    failure = Failure(set="one", id="x", source="s", error="is no picture")
    text = render(outcome(many(4), failures=[failure], problems=["y: no truth"]), {})
    assert "2 failed" in text
    assert "is no picture" in text
    assert "y: no truth" in text


def test_undefined_values_are_counted_in_words():
    text = render(outcome([row("x", 0.5, 0.6, mba=0.5), row("y", 0.5, 0.6)]), {})
    assert "mBA is undefined in 1 of 2 pairs" in text


def test_a_run_without_masks_before_shows_no_gains():
    text = render(outcome([row("x", None, 0.6), row("y", None, 0.7)]), {})
    page = Page(text)
    assert "gains" not in page.ids
    assert {"summary", "distance", "all", "p0", "p1"} <= page.ids
    assert {link[1:] for link in page.links} <= page.ids


def test_one_pair_makes_a_page():
    page = Page(render(outcome([row("x", 0.5, 0.6)]), {}))
    assert "p0" in page.ids


def test_a_crop_that_failed_says_why():
    one = row("x", 0.5, 0.6)
    text = render(outcome([one]), {one.key: Crop(key=one.key, error="x_im.jpg is gone")})
    assert "x_im.jpg is gone" in text


def test_five_thousand_pairs_make_a_page_of_a_few_megabytes():
    text = render(outcome(many(5000)), {})
    assert text.count("<tr id=") == 5000
    assert len(text) < 6e6


def test_the_file_is_written(tmp_path):
    write_report(tmp_path / "report.html", outcome(many(4)), {})
    assert (tmp_path / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_a_name_that_is_no_utf8_is_shown_by_its_byte(tmp_path):
    write_report(tmp_path / "report.html", outcome([row("cat\udcff", 0.5, 0.6)]), {})
    assert r"cat\udcff" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_missing_template_engine_is_named_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(DependencyError, match=r"edgewise\[report\]"):
        render(outcome(many(4)), {})
