"""Figures: published ones as quoted, measured ones pooled as published."""

import math

import pytest

from edgewise.benchmarks.catalog import networks
from edgewise.benchmarks.figures import COARSE, measured, published, sources
from edgewise.evaluation import Row
from edgewise.evaluation.rows import Rings, full_score


def row(name, before, after, *, mba=0.5, seconds=1.0):
    """A row of (intersection, union) before and after."""

    def score(counts):
        shared, either = counts
        return full_score(
            {"pixels": 100, "correct": 50, "intersection": shared, "union": either,
             "iou": shared / either, "mba": mba}
        )  # fmt: skip

    return Row(
        set="big-pspnet",
        id=name,
        source="",
        width=10,
        height=10,
        refined=True,
        before=None if before is None else score(before),
        after=score(after),
        rings=Rings(pixels=[], wrong_before=None, wrong_after=[]),
        seconds=seconds,
        sha256={},
    )


def test_iou_is_pooled_and_the_mean_over_images_is_apart():
    rows = [row("a", (1, 2), (1, 1)), row("b", (0, 8), (6, 9))]
    coarse, refined = measured("big", "pspnet", "edgewise", rows)
    assert coarse.method == COARSE
    assert coarse.iou == pytest.approx(1 / 10)
    assert refined.iou == pytest.approx(7 / 10)
    assert refined.iou_per_image == pytest.approx((1 + 6 / 9) / 2)
    assert refined.pairs == 2
    assert refined.source is None
    assert refined.seconds == 1.0
    assert coarse.seconds is None


def test_mba_is_the_mean_over_the_objects_that_define_it():
    rows = [row("a", None, (1, 2), mba=0.25), row("b", None, (1, 2), mba=math.nan)]
    (refined,) = measured("big", "pspnet", "edgewise", rows)
    assert refined.mba == 0.25
    assert refined.undefined == 1
    assert refined.to_dict()["iou"] == 0.5


def test_coarse_masks_have_no_figure_unless_all_were_scored():
    rows = [row("a", (1, 2), (1, 2)), row("b", None, (1, 2))]
    assert [one.method for one in measured("big", "pspnet", "CRM", rows)] == ["CRM"]


def test_undefined_figures_are_null_for_programs():
    (refined,) = measured("big", "pspnet", "CRM", [row("a", None, (1, 2), mba=math.nan)])
    assert refined.to_dict()["mba"] is None


def test_published_figures_name_a_source_and_a_network_of_their_dataset():
    figures = published(["big", "pascal"])
    for one in figures:
        assert one.source in sources()
        assert one.dataset in networks()[one.network].sources
        assert 0.5 < one.mba < one.iou < 1
    assert {one.dataset for one in figures} == {"big", "pascal"}
    assert published(["ade20k"]) == []


def test_each_published_method_has_every_network_of_its_dataset():
    for dataset in ("big", "pascal"):
        wanted = {one.name for one in networks().values() if dataset in one.sources}
        methods = {}
        for one in published([dataset]):
            methods.setdefault(one.method, set()).add(one.network)
        assert COARSE in methods
        assert set(map(frozenset, methods.values())) == {frozenset(wanted)}


def test_every_published_refiner_gained_on_boundaries():
    by_method = {}
    for one in published(["big", "pascal"]):
        by_method.setdefault((one.dataset, one.method), {})[one.network] = one.mba
    for (dataset, method), found in by_method.items():
        if method != COARSE:
            coarse = by_method[dataset, COARSE]
            assert all(found[network] > coarse[network] for network in found)
