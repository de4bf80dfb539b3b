"""mBA against its published definition, spelt out pixel by pixel."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mask_pairs import REAL, drawn_pair, noise_pair, pairs, real_pair

from edgewise.metrics import band_radii, mba, mba_classes


def ellipse(radius):
    """Offsets of OpenCV's MORPH_ELLIPSE of size 2r+1: rows of a rounded half-width."""
    for row in range(-radius, radius + 1):
        half = round(radius * math.sqrt((radius**2 - row**2) / radius**2))
        yield from ((row, column) for column in range(-half, half + 1))


def gradient(truth, radius):
    """Where the kernel's window, within the picture, holds both values."""
    height, width = truth.shape
    lowest, highest = truth.copy(), truth.copy()
    for row, column in ellipse(radius):
        if abs(row) >= height or abs(column) >= width:
            continue
        here = np.s_[max(0, -row) : height - max(0, row), max(0, -column) : width - max(0, column)]
        there = np.s_[max(0, row) : height + min(0, row), max(0, column) : width + min(0, column)]
        lowest[here] &= truth[there]
        highest[here] |= truth[there]
    return highest & ~lowest


def published_radii(height, width):
    return [1 + int(((width + height) / 300 - 1) / 5 * i) for i in range(5)]


def published_mba(mask, truth):
    if truth.all() or not truth.any():
        return math.nan
    shares = []
    for radius in published_radii(*truth.shape):
        band = gradient(truth, radius)
        same = [a == b for a, b in zip(mask[band].tolist(), truth[band].tolist(), strict=True)]
        shares.append(sum(same) / len(same))
    return sum(shares) / 5


def published_mba_classes(labels, truth):
    shares = []
    for radius in published_radii(*truth.shape):
        band = np.zeros(truth.shape, bool)
        for label in set(truth.ravel().tolist()) - {0}:
            band |= gradient(truth == label, radius)
        void = np.count_nonzero(truth[band] == 0)
        silenced = np.where(truth == 0, 0, labels)
        right = np.count_nonzero(silenced[band] == truth[band])
        size = np.count_nonzero(band)
        shares.append((right - void) / (size - void) if size > void else math.nan)
    return sum(shares) / 5


@given(pairs())
def test_equals_the_published_definition_on_small_pairs(pair):
    assert mba(*pair) == pytest.approx(published_mba(*pair), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(
    ("height", "width"),
    [(401, 523), (1, 2000), (2000, 3), (33, 2901), (3007, 29), (21, 8579), (127, 129), (128, 700)],
)
@pytest.mark.parametrize("make", [drawn_pair, noise_pair])
def test_equals_the_published_definition_at_wide_radii_and_odd_sizes(make, height, width):
    for seed in (1, 2):
        mask, truth = make(seed, height, width)
        assert mba(mask, truth) == pytest.approx(published_mba(mask, truth), abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", REAL)
def test_equals_the_published_definition_on_real_masks(name):
    mask, truth = real_pair(name)
    assert mba(mask, truth) == pytest.approx(published_mba(mask, truth), abs=1e-9)


@pytest.mark.parametrize(
    "edge", [np.s_[:9], np.s_[-9:], np.s_[:, :9], np.s_[:, -9:], np.s_[:3, :3]]
)
def test_a_truth_cut_by_the_border_has_no_band_along_it(edge):
    truth = np.zeros((501, 403), bool)
    truth[edge] = True
    mask = np.roll(truth, 2, (0, 1))
    assert mba(mask, truth) == pytest.approx(published_mba(mask, truth), abs=1e-9)


def test_radii_of_a_picture_of_the_big_set():
    assert band_radii((3600, 5000)) == [1, 6, 12, 17, 23]


@pytest.mark.parametrize("size", [(1, 1), (40, 60), (150, 150), (337, 337)])
def test_all_radii_are_1_in_small_pictures_where_the_bracket_is_negative_or_small(size):
    assert band_radii(size) == [1, 1, 1, 1, 1]


def test_a_perfect_mask_scores_1_and_its_opposite_0():
    _, truth = drawn_pair(3, 300, 400)
    assert mba(truth, truth) == 1
    assert mba(~truth, truth) == 0


def test_a_mask_that_misses_the_object_scores_about_one_half():
    _, truth = drawn_pair(3, 300, 400)
    assert mba(np.zeros_like(truth), truth) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("fill", [False, True])
def test_an_empty_or_full_truth_is_undefined(fill):
    truth = np.full((40, 50), fill)
    assert math.isnan(mba(np.eye(40, 50, dtype=bool), truth))


@given(pairs())
def test_flips_change_nothing(pair):
    mask, truth = pair
    flipped = mba(mask[::-1, ::-1], truth[::-1, ::-1])
    assert flipped == pytest.approx(mba(mask, truth), abs=1e-12, nan_ok=True)


@st.composite
def label_pairs(draw):
    """Two label maps of blocks and specks; 0 is void."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    height, width = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    highest = draw(st.sampled_from([1, 4, 150, 255, 256, 70000]))
    coarse = rng.integers(0, highest + 1, (-(-height // 7), -(-width // 7)))
    truth = np.kron(coarse, np.ones((7, 7), int))[:height, :width]
    noise = rng.random((height, width)) < 0.2
    return np.where(noise, rng.integers(0, highest + 1, (height, width)), truth), truth


@given(label_pairs())
@settings(max_examples=60)
def test_classes_equal_the_published_definition(pair):
    assert mba_classes(*pair) == pytest.approx(published_mba_classes(*pair), abs=1e-9, nan_ok=True)


def test_classes_equal_the_published_definition_at_wide_radii():
    rng = np.random.default_rng(0)
    truth = np.kron(rng.integers(0, 5, (3, 300)), np.ones((11, 11), int)).astype(np.uint8)
    labels = np.roll(truth, 3, 1)
    assert mba_classes(labels, truth) == pytest.approx(
        published_mba_classes(labels, truth), abs=1e-9
    )


def test_one_class_without_void_is_the_binary_measure():
    mask, truth = drawn_pair(5, 200, 300)
    assert mba_classes(1 + mask.astype(int), 1 + truth.astype(int)) == mba(mask, truth)


def test_void_pixels_count_neither_way():
    truth = np.zeros((30, 30), np.uint8)
    truth[5:25, 5:25] = 3
    labels = np.full_like(truth, 3)
    assert mba_classes(labels, truth) == 1


def test_a_map_of_one_label_has_no_band():
    truth = np.full((20, 30), 7)
    assert math.isnan(mba_classes(truth, truth))
