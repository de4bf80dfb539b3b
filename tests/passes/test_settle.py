"""Settle keeps the coarse answer far from its edge unless the network is sure."""

import numpy as np
import pytest

from edgewise.passes.settle import edge_agreement, settle
from tests.fakes import disc, red_on_blue

COARSE = disc((100, 100), (50, 50), 30)


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


def test_a_contour_on_the_photo_s_edge_agrees_and_one_beside_it_does_not():
    photo = red_on_blue(COARSE)
    assert edge_agreement(photo, COARSE, COARSE) == 1
    beside = disc((100, 100), (50, 50), 24)
    assert edge_agreement(photo, beside, COARSE) < 0.2
    assert edge_agreement(photo, COARSE, beside) > 5


@pytest.mark.parametrize("value", [False, True])
def test_a_mask_without_contour_has_no_edge_to_agree(value):
    nothing = np.full(COARSE.shape, value)
    assert edge_agreement(red_on_blue(COARSE), nothing, COARSE) == 0
    assert edge_agreement(red_on_blue(COARSE), COARSE, nothing) == np.inf
