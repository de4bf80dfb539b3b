"""The pages on metrics run, are complete, and show pictures that exist."""

import doctest
import re
from pathlib import Path

import pytest

from edgewise import metrics
from edgewise.metrics import regions

FOLDER = Path(__file__).parents[2] / "docs" / "metrics"
PAGES = sorted(FOLDER.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_give_what_they_say(page):
    assert doctest.testfile(str(page), module_relative=False).failed == 0


def test_examples_in_docstrings_give_what_they_say():
    found = doctest.testmod(regions)
    assert found.attempted > 0
    assert found.failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files(page):
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        assert (FOLDER / target).exists(), target


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "README.md"], ids=str)
def test_a_page_says_what_its_metric_rewards_and_hides_and_shows_it(page):
    text = page.read_text()
    for part in ("# ", "```", "![", "**Rewards**", "**Hides**"):
        assert part in text, part


def test_every_function_is_named():
    text = (FOLDER / "README.md").read_text()
    names = [name for name in metrics.__all__ if callable(getattr(metrics, name))]
    unnamed = {name for name in names if f"`{name}`" not in text}
    assert unnamed <= {
        *("Mean", "Share", "PairScore", "Summary", "SurfaceDistances"),
        *("score", "band_radii", "boundary_depth"),
    }
