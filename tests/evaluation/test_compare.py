"""Comparing runs: same truths or none of it."""

import pytest

from edgewise.errors import InputError
from edgewise.evaluation import Header
from edgewise.evaluation.compare import Run, compare
from tests.evaluation.rows import row


@pytest.fixture
def run(tmp_path):
    def made(name, rows, **header):
        return Run(
            path=tmp_path / name, header=Header(**header), rows={one.key: one for one in rows}
        )

    return made


def test_the_masks_after_are_compared_second_less_first(run):
    first = run("a", [row("x", 0.1, 0.5), row("y", 0.1, 0.7)])
    second = run("b", [row("y", 0.3, 0.6), row("x", 0.3, 0.8)])
    found = compare(first, second).differences.all_pairs
    assert found.scores["iou_per_image"].value == pytest.approx(0.1)
    assert (found.improved, found.harmed) == (0.5, 0.5)


def test_other_truths_are_refused_by_name(run):
    first, second = run("a", [row("x", 0.1, 0.5)]), run("b", [row("x", 0.1, 0.5, truth="u")])
    with pytest.raises(InputError, match="different truths: that of one/x"):
        compare(first, second)
    with pytest.raises(InputError, match="different truths"):
        compare(first, second, common=True)


def test_other_pairs_are_refused_unless_the_common_ones_are_asked_for(run):
    first = run("a", [row("x", 0.1, 0.5), row("y", 0.1, 0.7)])
    second = run("b", [row("x", 0.1, 0.6), row("z", 0.1, 0.6)])
    with pytest.raises(InputError, match=r"b lacks 1 \(one/y\).*--common"):
        compare(first, second)
    found = compare(first, second, common=True)
    assert found.differences.all_pairs.pairs == 1
    assert found.left_out == 2


def test_runs_with_nothing_in_common_are_refused(run):
    with pytest.raises(InputError, match="no pair in common"):
        compare(run("a", [row("x", 0.1, 0.5)]), run("b", [row("y", 0.1, 0.5)]), common=True)


def test_a_fast_run_is_compared_by_what_it_measured(run):
    first, second = run("a", [row("x", 0.1, 0.5)]), run("b", [row("x", 0.1, 0.6)], fast=True)
    assert "hd95" not in compare(first, second).differences.all_pairs.scores
    assert "hd95" in compare(first, first).differences.all_pairs.scores


def test_a_file_without_pairs_is_refused(tmp_path):
    path = tmp_path / "empty.jsonl"
    path.write_text('{"header": {}}\n')
    with pytest.raises(InputError, match="no scored pair"):
        Run.read(path)
