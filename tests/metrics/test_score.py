"""The score of a pair holds every metric's own value, and survives JSON."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from mask_pairs import coarse, drawn_pair, pairs

from edgewise import metrics
from edgewise.errors import InputError
from edgewise.metrics import PairScore, score


@settings(max_examples=40)
@given(pairs())
def test_holds_what_each_metric_gives_alone(pair):
    mask, truth = pair
    soft = mask.astype(np.float32)
    found = score(mask, truth, effort=True)
    for name in ("iou", "mba", "boundary_iou", "boundary_f", "hausdorff", "hd95", "assd", "hce"):
        np.testing.assert_equal(getattr(found, name), getattr(metrics, name)(mask, truth))
    for name in ("weighted_f", "s_measure", "mae"):
        np.testing.assert_equal(getattr(found, name), getattr(metrics, name)(soft, truth))
    fine = metrics.boundary_iou(mask, truth, ratio=0.005)
    np.testing.assert_equal(found.boundary_iou_fine, fine)
    assert found.intersection == np.count_nonzero(mask & truth)
    assert found.union == np.count_nonzero(mask | truth)
    assert (found.correct, found.pixels) == (np.count_nonzero(mask == truth), mask.size)


def test_a_soft_mask_is_cut_for_binary_metrics_alone():
    rng = np.random.default_rng(0)
    _, truth = drawn_pair(1, 90, 120)
    grey = coarse(rng, truth)
    soft = grey.astype(np.float32) / 255
    found, binary = score(soft, truth), score(grey > 128, truth)
    assert found.mae == metrics.mae(soft, truth) != binary.mae
    assert found.s_measure == metrics.s_measure(soft, truth) != binary.s_measure
    for name in ("iou", "mba", "boundary_iou", "boundary_f", "hd95", "assd"):
        assert getattr(found, name) == getattr(binary, name)


@given(pairs(largest=30))
def test_json_keeps_every_value_and_writes_undefined_as_null(pair):
    for found in (score(*pair), score(*pair, effort=True)):
        text = json.dumps(found.to_dict(), allow_nan=False)
        restored = PairScore.from_dict(json.loads(text))
        np.testing.assert_equal(
            [getattr(restored, name) for name in PairScore.__slots__],
            [getattr(found, name) for name in PairScore.__slots__],
        )


def test_effort_is_measured_only_when_asked_for():
    pair = drawn_pair(1, 40, 50)
    assert score(*pair).hce is None
    assert "hce" not in score(*pair).to_dict()
    assert score(*pair, effort=True).to_dict()["hce"] >= 0


def test_a_perfect_pair():
    _, truth = drawn_pair(1, 100, 120)
    found = score(truth, truth, effort=True)
    shares = (found.iou, found.mba, found.boundary_iou, found.boundary_iou_fine, found.boundary_f)
    assert shares == (1, 1, 1, 1, 1)
    assert (found.hausdorff, found.hd95, found.assd, found.mae, found.hce) == (0, 0, 0, 0, 0)
    assert (found.weighted_f, found.s_measure) == pytest.approx((1, 1))


def test_two_empty_masks_leave_undefined_what_has_no_meaning():
    empty = np.zeros((20, 30), bool)
    values = score(empty, empty).to_dict()
    undefined = {name for name, value in values.items() if value is None}
    assert undefined == {
        *("iou", "mba", "boundary_iou", "boundary_iou_fine", "weighted_f"),
        *("hausdorff", "hd95", "assd"),
    }
    assert (values["boundary_f"], values["s_measure"], values["mae"]) == (1, 1, 0)


def test_a_missed_object_counts_in_every_metric_that_has_a_truth():
    _, truth = drawn_pair(1, 100, 120)
    found = score(np.zeros_like(truth), truth)
    assert (found.iou, found.boundary_iou, found.boundary_f) == (0, 0, 0)
    assert found.weighted_f < 0.2
    assert found.mba == pytest.approx(0.5, abs=0.05)
    diagonal = math.hypot(100, 120)
    assert (found.hausdorff, found.hd95, found.assd) == (diagonal, diagonal, diagonal)


def test_a_score_without_a_value_is_refused_by_name():
    values = score(*drawn_pair(1, 20, 20)).to_dict()
    del values["mba"]
    with pytest.raises(InputError, match="lacks mba"):
        PairScore.from_dict(values)


def test_scoring_loads_neither_the_network_nor_file_formats():
    code = [sys.executable, "-c", "import sys, edgewise.metrics; print(*sys.modules)"]
    loaded = subprocess.run(code, capture_output=True, check=True, text=True).stdout.split()
    assert not {"onnxruntime", "PIL", "torch", "edgewise.refiner"} & set(loaded)
