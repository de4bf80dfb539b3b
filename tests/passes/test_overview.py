"""The overview looks at sizes that the network takes, and feeds itself its answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.passes.overview import overview, overview_size, rescaled, resized, to_bytes
from tests.fakes import AnswerEngine, ColourEngine, prior_of


@given(st.integers(1, 6000), st.integers(1, 6000))
def test_sizes_are_multiples_of_the_stride_near_the_wanted_side(height, width):
    size = overview_size((height, width), 384, 64)
    assert max(size) == 384
    assert all(side % 64 == 0 and side > 0 for side in size)


def test_masks_shrink_by_area():
    mask = np.zeros((4, 4), np.float32)
    mask[:, :1] = 1
    assert rescaled(mask, (2, 2)).tolist() == [[0.5, 0], [0.5, 0]]
    assert resized(mask.astype(np.uint8) * 255, (2, 2)).tolist() == [[128, 0], [128, 0]]


def test_what_is_sure_is_no_surer_at_a_smaller_size():
    assert rescaled(np.ones((389, 441), np.float32), (89, 126)).max() == 1


def test_an_image_of_the_wanted_size_is_not_touched():
    image = np.zeros((4, 4), np.uint8)
    assert resized(image, (4, 4)) is image


def test_bytes_are_rounded():
    assert to_bytes(np.array([[0, 0.499, 0.5, 1]], np.float32)).tolist() == [[0, 127, 128, 255]]


@pytest.mark.parametrize("rounds", [1, 3])
def test_every_round_is_one_run(rounds):
    engine = ColourEngine()
    photo, coarse = np.zeros((100, 200, 3), np.uint8), np.zeros((100, 200), np.uint8)
    soft = overview(engine, photo, coarse, long_side=256, rounds=rounds)
    assert engine.shapes == [(1, 5, 128, 256)] * rounds
    assert soft.shape == (128, 256)


def test_a_round_takes_the_last_answer_as_prior():
    engine = AnswerEngine(lambda views: prior_of(views) / 2)
    coarse = np.full((64, 64), 255, np.uint8)
    photo = np.zeros((64, 64, 3), np.uint8)
    assert overview(engine, photo, coarse, long_side=64, rounds=2).max() == pytest.approx(
        128 / 255 / 2
    )
