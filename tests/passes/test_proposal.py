"""A proposal is the candidate closest to the coarse mask, where it is close enough."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.passes.proposal import GRID, prompt_places, propose


class Candidates:
    """A proposal network that gives the prompt back, shifted by so many grid pixels each."""

    stride = 32

    def __init__(self, *shifts):
        self.shifts = shifts

    def __call__(self, photo, mask, places):
        self.photo, self.mask, self.places = photo, mask, places
        return np.stack([np.roll(mask, shift, 1) for shift in self.shifts])


@pytest.fixture
def photo():
    return np.random.default_rng(1).integers(0, 256, (100, 140, 3), np.uint8)


@pytest.fixture
def coarse():
    levels = np.zeros((100, 140), np.uint8)
    levels[20:80, 30:90] = 255
    return levels


def test_the_candidate_closest_to_the_coarse_mask_is_taken(photo, coarse):
    soft = propose(Candidates(5, 0, -3), photo, coarse, long_side=140, least=0.6)
    assert soft.shape == (25, 35)
    large = np.kron(soft > 0.5, np.ones((GRID, GRID), np.bool_))
    assert (large == (coarse > 127))[:, 32:88].mean() > 0.95


def test_candidates_far_from_the_coarse_mask_are_not_believed(photo, coarse):
    assert propose(Candidates(9, 12), photo, coarse, long_side=140, least=0.6) is None


def test_an_object_too_small_for_the_look_has_no_proposal(photo):
    dot = np.zeros((100, 140), np.uint8)
    dot[50, 70] = 255
    assert propose(Candidates(0), photo, dot, long_side=32, least=0.6) is None


def test_the_network_gets_whole_strides_and_places_in_its_pixels(photo, coarse):
    network = Candidates(0)
    propose(network, photo, coarse, long_side=70, least=0.6)
    assert network.photo.shape == (3, 64, 96)
    assert network.mask.shape == (16, 24)
    assert np.abs(network.places[1:] - [[15, 10], [45, 40]]).max() <= 2
    beyond = network.photo[:, 52:]
    assert (beyond == beyond[:, :1, :1]).all()  # no photo there, one colour
    assert (network.mask[13:] < 0).all()


@given(
    top=st.integers(0, 30),
    left=st.integers(0, 30),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
)
def test_places_are_the_middle_and_the_corners_of_a_rectangle(top, left, height, width):
    mask = np.zeros((40, 40), np.bool_)
    mask[top : top + height, left : left + width] = True
    inside, first, last = prompt_places(mask)
    assert mask[int(inside[1]), int(inside[0])]
    assert first.tolist() == [left, top]
    assert last.tolist() == [left + width, top + height]
