"""Merging as published: against an implementation pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.passes.view import Box
from edgewise.scenes.merge import BACKGROUND, Part, merge, part_box

SIZE = (14, 18)


def naive_merge(coarse, parts):
    """Each pixel by itself: all claims in order, the first of the highest wins."""
    merged = coarse.copy()
    for y in range(SIZE[0]):
        for x in range(SIZE[1]):
            highest = 0.5
            for label, (top, left, bottom, right), soft in parts:
                if top <= y < bottom and left <= x < right:
                    claim = float(soft[y - top, x - left])
                    claim = claim * 0.51 if label in BACKGROUND else claim
                    if claim > highest:
                        highest, merged[y, x] = claim, label
    return merged


@st.composite
def _parts(draw):
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        top, left = draw(st.integers(0, 13)), draw(st.integers(0, 17))
        bottom, right = draw(st.integers(top, 14)), draw(st.integers(left, 18))
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        soft = random.choice([0, 0.3, 0.6, 0.97, 0.99, 1], (bottom - top, right - left))
        parts.append((draw(st.sampled_from([1, 5, 8, 17, 20])), (top, left, bottom, right), soft))
    return parts


@settings(max_examples=60, deadline=None)
@given(_parts(), st.integers(0, 2**32 - 1))
def test_it_is_the_rule_applied_pixel_by_pixel(parts, seed):
    coarse = np.random.default_rng(seed).integers(0, 151, SIZE).astype(np.int32)
    given_parts = [Part(label, Box(*box), soft.astype(np.float32)) for label, box, soft in parts]
    np.testing.assert_array_equal(merge(coarse, given_parts), naive_merge(coarse, parts))


def test_labels_of_more_than_32_bits_come_through():
    coarse = np.array([[3 << 40, 7 << 40]])
    part = Part(5 << 40, Box(0, 1, 1, 2), np.ones((1, 1), np.float32))
    assert merge(coarse, [part]).tolist() == [[3 << 40, 5 << 40]]


def test_background_wins_only_where_nearly_sure_and_never_against_an_object():
    coarse = np.full((1, 4), 9, np.int32)
    box = Box(0, 0, 1, 4)
    wall = Part(1, box, np.array([[0.97, 1, 1, 1]], np.float32))
    person = Part(13, box, np.array([[0, 0, 0.49, 0.52]], np.float32))
    assert merge(coarse, [wall, person]).tolist() == [[9, 1, 1, 13]]
    assert merge(coarse, [wall, person], background=frozenset()).tolist() == [[1, 1, 1, 1]]


def test_a_result_of_another_size_is_brought_to_its_box():
    part = Part(3, Box(2, 2, 10, 12), np.ones((4, 5), np.float32))
    merged = merge(np.zeros(SIZE, np.int32), [part])
    assert (merged == 3).sum() == 80
    assert (merged[2:10, 2:12] == 3).all()


def test_there_are_thirty_five_background_labels():
    assert len(BACKGROUND) == 35


# Worked out by hand: a side of length d from first to last pixel grows by d / 8 at both ends, is
# cut to whole numbers towards zero and to the picture, and ends before its last pixel.
@pytest.mark.parametrize(
    ("rows", "columns", "box"),
    [
        ((40, 57), (16, 33), Box(38, 14, 58, 34)),
        ((0, 100), (0, 80), Box(0, 0, 99, 79)),
        ((5, 6), (7, 8), Box(5, 7, 5, 7)),
    ],
)
def test_the_box_is_the_published_one(rows, columns, box):
    mask = np.zeros((100, 80), bool)
    mask[slice(*rows), slice(*columns)] = True
    assert part_box(mask) == box


def test_an_empty_piece_has_the_whole_picture():
    assert part_box(np.zeros((6, 7), bool)) == Box(0, 0, 6, 7)
