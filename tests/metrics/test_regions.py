"""Regions against sets of pixels."""

import math

import numpy as np
import pytest
from hypothesis import given
from mask_pairs import REAL, pairs, real_pair

from edgewise.metrics import agreement, iou, overlap


def pixels(mask):
    return {(int(row), int(column)) for row, column in np.argwhere(mask)}


@given(pairs())
def test_iou_equals_that_of_sets_of_pixels(pair):
    mask, truth = map(pixels, pair)
    expected = len(mask & truth) / len(mask | truth) if mask | truth else math.nan
    assert iou(*pair) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", REAL)
def test_iou_equals_that_of_sets_of_pixels_of_real_masks(name):
    mask, truth = map(pixels, real_pair(name))
    assert iou(*real_pair(name)) == pytest.approx(len(mask & truth) / len(mask | truth), abs=1e-9)


@given(pairs())
def test_overlap_and_agreement_of_parts_add_up_to_those_of_the_whole(pair):
    mask, truth = pair
    cut = mask.shape[0] // 2
    for metric in (overlap, agreement):
        parts = [metric(mask[part], truth[part]) for part in (np.s_[:cut], np.s_[cut:]) if cut]
        assert not parts or parts[0] + parts[1] == metric(mask, truth)


def test_two_empty_masks_have_no_iou_and_add_nothing():
    nothing = np.zeros((4, 5), bool)
    assert math.isnan(iou(nothing, nothing))
    something = overlap(np.eye(4, 5, dtype=bool), ~nothing)
    assert something + overlap(nothing, nothing) == something


@pytest.mark.parametrize("missed", [(0, 1), (1, 0)])
def test_a_missed_or_made_up_object_scores_0(missed):
    mask, truth = (np.full((3, 3), bool(fill)) for fill in missed)
    assert iou(mask, truth) == 0


def test_agreement_is_the_share_of_equal_pixels():
    mask, truth = np.eye(4, dtype=bool), np.zeros((4, 4), bool)
    assert agreement(mask, truth).score == 0.75
