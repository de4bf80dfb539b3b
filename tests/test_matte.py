"""Alpha of a soft mask: its ramp, and what the photo's colours tell beside the edge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise import matte
from edgewise.matte import REACH, alpha_of

FORE, BACK = (220, 190, 150), (20, 60, 30)


def disc(blur, size=90, radius=30, centre=(45, 45)):
    """Coverage of a disc whose rim falls over `blur` pixels, float32 in 0..1."""
    rows, columns = np.mgrid[0:size, 0:size]
    away = np.hypot(rows - centre[0], columns - centre[1])
    return np.clip(0.5 + (radius - away) / blur, 0, 1).astype(np.float32)


def photo_of(coverage, fore=FORE, back=BACK, grain=0, seed=0):
    """The photo of one colour over another, with grain."""
    share = coverage[..., None]
    mixed = share * np.array(fore) + (1 - share) * np.array(back)
    noise = np.random.default_rng(seed).normal(0, grain, mixed.shape)
    return np.rint(np.clip(mixed + noise, 0, 255)).astype(np.uint8)


def test_levels_become_a_ramp_where_colours_tell_nothing():
    soft = np.array([[0, 0.25, 0.6, 0.95, 1]], np.float32)
    alpha = alpha_of(np.zeros((1, 5, 3), np.uint8), soft)
    np.testing.assert_allclose(alpha, [[0, 0, 0.5, 1, 1]], atol=1e-6)


@pytest.mark.parametrize("grain", [0, 8])
def test_a_soft_edge_is_found_from_a_hard_mask(grain):
    """The error of the mask falls to less than a third."""
    truth = disc(blur=8)
    photo = photo_of(truth, grain=grain)
    before = np.abs((truth > 0.5) - truth).mean()
    assert np.abs(alpha_of(photo, truth > 0.5) - truth).mean() < before / 3


def test_a_mask_a_few_pixels_too_large_keeps_no_rim_of_the_background():
    truth = disc(blur=2)
    large = disc(blur=2, radius=33)
    alpha = alpha_of(photo_of(truth), large)
    assert large[truth == 0].max() == 1
    assert alpha[truth == 0].max() < 0.1


def test_a_hard_edge_stays_hard():
    truth = disc(blur=0.01)
    np.testing.assert_allclose(alpha_of(photo_of(truth), truth), truth, atol=0.01)


def test_the_haze_far_from_the_edge_is_cut_away():
    soft = np.where(disc(blur=0.01) > 0.5, 0.97, 0.1).astype(np.float32)
    photo = np.random.default_rng(4).integers(0, 256, (90, 90, 3), np.uint8)
    alpha = alpha_of(photo, soft)
    far = np.abs(np.hypot(*(np.mgrid[0:90, 0:90] - 45)) - 30) > 1.5 * REACH + 1
    np.testing.assert_array_equal(alpha[far], soft[far] > 0.5)


@settings(max_examples=15)
@given(colour=st.tuples(*[st.integers(0, 255)] * 3), blur=st.sampled_from([0.5, 3, 7]))
def test_object_and_background_of_one_colour_leave_the_ramp(colour, blur):
    soft = disc(blur)
    expected = np.clip((soft - 0.25) / 0.7, 0, 1)
    alpha = alpha_of(photo_of(soft, colour, colour), soft)
    np.testing.assert_allclose(alpha, expected, atol=0.01)


def test_texture_takes_trust_from_colours():
    """Means that differ as much tell less where the colours around them scatter."""
    truth = disc(blur=0.01)
    wrong = disc(blur=0.01, radius=33)
    rim = (truth < 0.5) & (wrong > 0.5)
    plain, scattered = (
        alpha_of(photo_of(truth, (150, 150, 150), (90, 90, 90), grain), wrong)[rim].mean()
        for grain in (0, 45)
    )
    assert plain < scattered - 0.1


def test_parts_too_thin_for_an_inside_stay():
    soft = np.zeros((60, 60), np.float32)
    soft[:, 30:33] = 1
    photo = np.random.default_rng(1).integers(0, 256, (60, 60, 3), np.uint8)
    np.testing.assert_allclose(alpha_of(photo, soft), soft, atol=1e-6)


def test_background_that_shows_through_strands_is_no_part_of_the_object():
    """The mask takes a comb of strands for solid; beyond them its inside is."""
    truth = np.zeros((120, 120), np.float32)
    truth[:, :60] = 1
    truth[::4, 60:78] = truth[1::4, 60:78] = 1
    mask = np.zeros((120, 120), bool)
    mask[:, :78] = True
    photo = photo_of(truth, grain=4)
    gaps = truth == 0
    gaps[:, 78:] = False
    alpha = alpha_of(photo, mask)
    assert alpha[gaps].mean() < 0.1
    assert alpha[truth == 1].mean() > 0.95


def test_a_photo_above_the_bound_is_solved_smaller_to_about_the_same_alpha(monkeypatch):
    truth = disc(blur=12, size=180, radius=60, centre=(90, 90))
    photo = photo_of(truth, grain=4)
    before = np.abs((truth > 0.5) - truth).mean()
    monkeypatch.setattr(matte, "SOLVED_PIXELS", 90 * 90)
    monkeypatch.setattr(matte, "_STRIP", 50)
    alpha = alpha_of(photo, truth > 0.5)
    assert alpha.dtype == np.float32
    assert alpha.shape == truth.shape
    assert np.abs(alpha - truth).mean() < before / 3


@pytest.mark.parametrize("turn", [lambda a: a[::-1], lambda a: a[:, ::-1], np.rot90])
def test_a_turned_photo_has_the_turned_alpha(turn):
    truth = disc(blur=6, centre=(40, 50))
    photo = photo_of(truth, grain=10)
    turned = alpha_of(np.ascontiguousarray(turn(photo)), np.ascontiguousarray(turn(truth)))
    np.testing.assert_allclose(turned, turn(alpha_of(photo, truth)), atol=1e-4)


@pytest.mark.parametrize("level", [0, 1])
def test_a_mask_without_edge_stays(level):
    photo = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    soft = np.full((20, 30), level, np.float32)
    np.testing.assert_array_equal(alpha_of(photo, soft), soft)


@pytest.mark.parametrize(("share", "level", "stays"), [(0.35, 0.4, False), (0.9, 0.8, True)])
def test_a_faint_spot_that_touches_no_part_of_the_object_is_none_of_it(share, level, stays):
    coverage, spot = disc(blur=2), disc(blur=2, radius=4, centre=(45, 85)) * share
    soft = np.maximum(coverage, level * (spot > 0.1))
    alpha = alpha_of(photo_of(coverage + spot), soft.astype(np.float32))
    assert (alpha[41:50, 81:90].max() > 0.5) == stays
    assert stays or not alpha[41:50, 80:90].any()
    assert alpha[45, 45] == 1
