"""Settle keeps the coarse answer far from its edge unless the network is sure."""

import numpy as np
import pytest

from edgewise.passes.answers import Known, whole
from edgewise.passes.planes import Held, Pyramid
from edgewise.passes.settle import Settled, Trust, agreement, settle
from tests.fakes import disc, red_on_blue

COARSE = disc((100, 100), (50, 50), 30)


def _agreement(photo, coarse, refined):
    levels = coarse.astype(np.uint8) * 255
    return agreement(Held(photo), Held(levels), Known(refined.astype(np.float32)))


def _settled(value):
    soft = np.full(COARSE.shape, value, np.float32)
    return settle(soft, COARSE, trust=2.0, near=0.15, free=0.02)


def test_beside_the_edge_the_network_decides():
    edge = (50, 80)
    assert _settled(0.6)[edge] == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(("value", "object_outside"), [(0.8, False), (0.95, True)])
def test_far_outside_only_a_sure_network_adds(value, object_outside):
    assert (_settled(value)[2, 2] > 0.5) == object_outside


@pytest.mark.parametrize(("value", "object_inside"), [(0.2, True), (0.05, False)])
def test_far_inside_only_a_sure_network_removes(value, object_inside):
    assert (_settled(value)[50, 50] > 0.5) == object_inside


def test_agreement_is_not_weakened():
    soft = COARSE.astype(np.float32)
    assert np.array_equal(settle(soft, COARSE, trust=2.0, near=0.15, free=0.02) > 0.5, COARSE)


def test_without_trust_nothing_changes():
    soft = np.linspace(0.01, 0.99, 10_000, dtype=np.float32).reshape(100, 100)
    assert np.allclose(settle(soft, COARSE, trust=0.0, near=0.15, free=0.02), soft, atol=1e-5)


def test_an_empty_coarse_mask_says_nothing():
    soft = np.full((5, 5), 0.7, np.float32)
    assert settle(soft, np.zeros((5, 5), bool), trust=2.0, near=0.15, free=0.02) is soft


def test_overlap_is_iou_over_all_strips():
    # Taller than two strips, the masks cut by their borders.
    coarse, refined = np.zeros((2, 5000, 40), bool)
    coarse[100:4100] = refined[1100:5000] = True
    found = _agreement(np.zeros((5000, 40, 3), np.uint8), coarse, refined)
    assert found.overlap == pytest.approx(3000 / 4900)


def test_empty_masks_overlap():
    nothing = np.zeros_like(COARSE)
    assert _agreement(red_on_blue(COARSE), nothing, nothing).overlap == 1


def test_a_contour_on_the_photo_s_edge_agrees_and_one_beside_it_does_not():
    photo = red_on_blue(COARSE)
    assert _agreement(photo, COARSE, COARSE).edges == 1
    beside = disc((100, 100), (50, 50), 24)
    assert _agreement(photo, beside, COARSE).edges < 0.2
    assert _agreement(photo, COARSE, beside).edges > 5


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_without_contour_has_no_edge_to_agree(value):
    nothing = np.full(COARSE.shape, value)
    assert _agreement(red_on_blue(COARSE), nothing, COARSE).edges == 0
    assert _agreement(red_on_blue(COARSE), COARSE, nothing).edges == np.inf


def test_by_region_it_settles_as_the_whole():
    soft = np.random.default_rng(1).random(COARSE.shape, np.float32)
    settled = Settled(
        Known(soft),
        Pyramid(Held(COARSE.astype(np.uint8) * 255)),
        Trust(trust=2.0, near=0.15, free=0.02),
    )
    expected = settle(soft, COARSE, trust=2.0, near=0.15, free=0.02)
    assert np.allclose(whole(settled), expected, atol=1e-6)


def test_in_a_large_view_distances_of_a_smaller_one_are_as_good():
    shape = (1300, 1000)
    coarse = disc(shape, (600, 500), 300)
    soft = np.full(shape, 0.9, np.float32)
    levels = Pyramid(Held(coarse.astype(np.uint8) * 255))
    settled = whole(Settled(Known(soft), levels, Trust(trust=4.0, near=0.12, free=0.03)))
    expected = settle(soft, coarse, trust=4.0, near=0.12, free=0.03)
    assert ((settled > 0.5) != (expected > 0.5)).mean() < 0.01


def test_strips_and_pieces_of_a_contour_add_up():
    truth = disc((1100, 300), (560, 150), 120)
    photo = red_on_blue(truth)
    assert _agreement(photo, truth, truth).edges == 1
    assert _agreement(photo, np.roll(truth, 9, 0), truth).edges < 0.6
