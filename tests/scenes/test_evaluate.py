"""Scores of label maps, worked out by hand and pooled over scenes."""

import math

import numpy as np
import pytest

from edgewise.errors import InputError
from edgewise.metrics import mba_classes
from edgewise.scenes.evaluate import SceneScore

TRUTH = np.array([[1, 1, 2, 2], [1, 1, 2, 0]])
LABELS = np.array([[1, 2, 2, 2], [1, 2, 2, 1]])


def test_scores_are_those_worked_out_by_hand():
    # class 1: 2 of 4, class 2: 3 of 5; the void pixel is left out. 5 of 7 pixels are right.
    values = SceneScore.of(LABELS, TRUTH, classes=3).values()
    assert values["scene_iou"] == pytest.approx((0.5 + 0.6) / 2, abs=1e-6)
    assert values["miou_present"] == pytest.approx(0.55, abs=1e-6)
    assert values["miou"] == pytest.approx(1.1 / 3, abs=1e-6)
    assert values["accuracy"] == pytest.approx(5 / 7)
    assert values["mba"] == mba_classes(LABELS, TRUTH)


def test_pixels_pool_and_boundaries_average_over_scenes():
    both = SceneScore() + SceneScore.of(LABELS, TRUTH, classes=2)
    both += SceneScore.of(TRUTH, TRUTH, classes=2)
    values = both.values()
    assert values["miou"] == pytest.approx((6 / 8 + 6 / 8) / 2, abs=1e-6)
    assert values["accuracy"] == pytest.approx(12 / 14)
    assert values["scene_iou"] == pytest.approx((0.55 + 1) / 2, abs=1e-6)
    assert values["mba"] == pytest.approx((mba_classes(LABELS, TRUTH) + 1) / 2)


def test_a_scene_of_void_alone_has_no_score():
    values = SceneScore.of(LABELS, np.zeros_like(TRUTH)).values()
    assert math.isnan(values["scene_iou"])
    assert math.isnan(values["accuracy"])


def test_a_label_above_the_classes_is_told():
    with pytest.raises(InputError, match="3"):
        SceneScore.of(np.full((2, 2), 3), np.ones((2, 2), int), classes=2)
