"""Boundary IoU and DAVIS's contour F against their published definitions, spelt out."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mask_pairs import drawn_pair, pairs, pairwise, points
from reference_pairs import REFERENCE

from edgewise.errors import InputError
from edgewise.metrics import boundary_depth, boundary_f, boundary_iou


def eroded(mask):
    """One erosion by a 3x3 square; outside the picture is background."""
    height, width = mask.shape
    padded = np.pad(mask, 1)
    result = np.ones_like(mask)
    for row in range(3):
        for column in range(3):
            result &= padded[row : row + height, column : column + width]
    return result


def published_boundary_iou(mask, truth, depth):
    bands = []
    for whole in (mask, truth):
        core = whole
        for _ in range(depth):
            core = eroded(core)
        bands.append(whole & ~core)
    union = np.count_nonzero(bands[0] | bands[1])
    return np.count_nonzero(bands[0] & bands[1]) / union if union else math.nan


@given(pairs(), st.integers(1, 12))
def test_boundary_iou_equals_repeated_erosion(pair, depth):
    expected = published_boundary_iou(*pair, depth)
    assert boundary_iou(*pair, pixels=depth) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@given(pairs(), st.sampled_from([0.005, 0.02, 0.1]))
def test_boundary_iou_takes_its_depth_from_the_diagonal(pair, ratio):
    height, width = pair[0].shape
    depth = max(1, round(ratio * np.sqrt(height**2 + width**2)))
    expected = published_boundary_iou(*pair, depth)
    assert boundary_iou(*pair, ratio=ratio) == pytest.approx(expected, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(("ratio", "depth"), [(0.02, 123), (0.005, 31)])
def test_depth_in_a_picture_of_5000_by_3600(ratio, depth):
    assert boundary_depth((3600, 5000), ratio) == depth


def test_depth_is_at_least_1():
    assert boundary_depth((3, 4), 0.02) == 1


@given(pairs(), st.integers(1, 5), st.integers(1, 9))
def test_background_around_a_picture_leaves_boundary_iou(pair, depth, margin):
    wider = [np.pad(mask, margin) for mask in pair]
    np.testing.assert_equal(boundary_iou(*wider, pixels=depth), boundary_iou(*pair, pixels=depth))


def test_boundary_iou_of_a_thin_object_is_its_iou():
    truth = np.zeros((200, 300), bool)
    truth[50:150, 100:105] = True
    mask = np.roll(truth, 1, 1)
    assert boundary_iou(mask, truth) == pytest.approx(4 / 6)


@pytest.mark.parametrize("bad", [{"pixels": 0}, {"pixels": -3}, {"ratio": 0.0}, {"ratio": 1.5}])
def test_a_depth_out_of_range_is_refused(bad):
    with pytest.raises(InputError, match="boundary"):
        boundary_iou(*drawn_pair(1, 20, 20), **bad)


def davis_contour(mask):
    """Pixels that differ from the next right, below or both; borders look along themselves."""
    height, width = mask.shape
    contour = np.zeros_like(mask)
    for row in range(height):
        for column in range(width):
            next_rows = [row, row + 1] if row + 1 < height else [row]
            next_columns = [column, column + 1] if column + 1 < width else [column]
            block = mask[np.ix_(next_rows, next_columns)]
            contour[row, column] = (block != mask[row, column]).any()
    return contour


def published_boundary_f(mask, truth, tolerance=0.008):
    radius = np.ceil(tolerance * np.linalg.norm(mask.shape))
    contour, true_contour = points(davis_contour(mask)), points(davis_contour(truth))
    if not len(contour) or not len(true_contour):
        return float(len(contour) == len(true_contour))
    near = pairwise(contour, true_contour) <= radius
    precision, recall = near.any(axis=1).mean(), near.any(axis=0).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(pairs(largest=40), st.sampled_from([0.008, 0.05, 0.2]))
def test_boundary_f_equals_matching_every_contour_pixel(pair, tolerance):
    expected = published_boundary_f(*pair, tolerance)
    assert boundary_f(*pair, tolerance=tolerance) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_boundary_f_equals_matching_on_larger_pictures(seed):
    pair = drawn_pair(seed, 161, 213)
    assert boundary_f(*pair) == pytest.approx(published_boundary_f(*pair), abs=1e-9)


@pytest.mark.parametrize("pair", REFERENCE, ids=str)
def test_boundary_f_equals_that_of_davis_s_own_code(pair):
    expected = pair.surfaces["boundary_f"]
    assert boundary_f(pair.mask, pair.truth) == pytest.approx(expected, abs=1e-12)


def test_boundary_f_is_1_without_any_contour_and_0_with_one_alone():
    empty, full = np.zeros((20, 30), bool), np.ones((20, 30), bool)
    square = np.pad(np.ones((5, 5), bool), 7)
    assert boundary_f(empty, full) == 1
    assert boundary_f(np.zeros_like(square), square) == 0
    assert boundary_f(square, np.zeros_like(square)) == 0


@pytest.mark.parametrize("bad", [0, 1, -0.1, math.nan])
def test_a_tolerance_out_of_range_is_refused(bad):
    with pytest.raises(InputError, match="tolerance"):
        boundary_f(*drawn_pair(1, 20, 20), tolerance=bad)
