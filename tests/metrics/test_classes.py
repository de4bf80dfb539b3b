"""Scores of many classes, against counting pixel by pixel as on ADE20K."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from edgewise.errors import InputError
from edgewise.metrics import ClassOverlap, mean_iou


@st.composite
def label_pairs(draw, highest=6):
    shape = draw(st.tuples(st.integers(1, 8), st.integers(1, 8)))
    labels = arrays.arrays(np.uint8, shape, elements=st.integers(0, highest))
    return draw(labels), draw(labels)


def published(pairs, classes):
    """mIoU and pixel accuracy by the published script's loop, void silenced in both maps."""
    shared, union, right, counted = [0] * classes, [0] * classes, 0, 0
    for labels, truth in pairs:
        for predicted, true in zip(labels.ravel().tolist(), truth.ravel().tolist(), strict=True):
            if true == 0:
                continue
            counted += 1
            right += predicted == true
            shared[true - 1] += predicted == true
            union[true - 1] += 1
            if predicted not in (0, true):
                union[predicted - 1] += 1
    ious = [part / (whole + 1e-6) for part, whole in zip(shared, union, strict=True)]
    return sum(ious) / classes, right / counted if counted else math.nan


@given(st.lists(label_pairs(), min_size=1, max_size=5))
def test_pooled_scores_equal_counting_every_pixel(pairs):
    total = sum((ClassOverlap.of(*pair, classes=9) for pair in pairs), ClassOverlap())
    expected = published(pairs, 9)
    assert (total.mean_iou, total.accuracy) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(st.lists(label_pairs(), min_size=1, max_size=5), st.randoms())
def test_parts_add_up_in_any_order(pairs, random):
    parts = [ClassOverlap.of(*pair, classes=9) for pair in pairs]
    shuffled = random.sample(parts, len(parts))
    assert sum(shuffled, ClassOverlap()) == sum(parts[1:], parts[0])


def test_absent_classes_count_0_among_150():
    truth = np.array([[1, 1, 2, 2, 0]])
    overlap = ClassOverlap.of(truth, truth)
    assert overlap.absent == 148
    assert overlap.mean_iou == pytest.approx(2 / 150, abs=1e-6)
    assert mean_iou(truth, truth) == overlap.mean_iou


def test_void_truth_leaves_every_count():
    truth = np.array([[0, 0, 3]])
    assert ClassOverlap.of(np.array([[3, 5, 3]]), truth).accuracy == 1
    assert math.isnan(ClassOverlap.of(truth, np.zeros_like(truth)).accuracy)


@pytest.mark.parametrize(("low", "kept"), [(0, True), (1, False)])
def test_the_reference_loses_the_lowest_class_of_pictures_without_void(low, kept):
    truth = np.array([[1, 2, 2, 3, low]])
    quirky = ClassOverlap.of(truth, truth, classes=3, reference_quirks=True)
    plain = ClassOverlap.of(truth, truth, classes=3)
    assert quirky == (plain if kept else plain.without(1))
    assert plain.without(1).true == (0, 2, 1)


def test_a_label_above_the_classes_is_named():
    truth = np.array([[1, 151]])
    with pytest.raises(InputError, match=r"150 classes.*151"):
        ClassOverlap.of(truth, truth)


def test_different_numbers_of_classes_do_not_add_up():
    truth = np.array([[1, 2]])
    with pytest.raises(InputError, match="3 and 5 classes"):
        ClassOverlap.of(truth, truth, classes=3) + ClassOverlap.of(truth, truth, classes=5)
    assert math.isnan(ClassOverlap().mean_iou)
