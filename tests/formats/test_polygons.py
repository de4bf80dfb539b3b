"""Outlines give their masks back, seams have no effect, and bad polygons are named as such."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import InputError
from edgewise.formats.annotation import Rle
from edgewise.formats.polygons import (
    check_inside,
    check_simple,
    filled,
    one_ring,
    parts,
    ring_of,
    rings,
)

from .shapes import blobs, noise, ring_shape

BOW_TIE = [2, 2, 8, 8, 8, 2, 2, 8]


def edge_distance(mask):
    """Each pixel's distance to the nearest pixel on the other side of the mask's edge."""
    padded = np.pad(mask, 1).astype(np.uint8)
    inside, outside = (
        cv2.distanceTransform(side, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        for side in (padded, 1 - padded)
    )
    return (inside + outside)[1:-1, 1:-1]


@given(st.one_of(noise, blobs()))
def test_without_tolerance_filling_an_outline_gives_the_mask_back(mask):
    rle = Rle.of(mask)
    if not mask.any():
        assert parts(rle, 0) == []
        return
    assert filled(rings(rle, 0), rle.size) == rle
    assert filled([one_ring(rle, 0)], rle.size) == rle


@given(blobs(), st.sampled_from([0.5, 1.0, 2.0]))
def test_a_simplified_outline_stays_within_its_tolerance(mask, tolerance):
    """A pixel's centre is up to half a diagonal from its corners, where outlines run."""
    rle = Rle.of(mask)
    if mask.any():
        for outline in (rings(rle, tolerance), [one_ring(rle, tolerance)]):
            changed = filled(outline, rle.size).mask() ^ mask
            assert (edge_distance(mask)[changed] <= tolerance + np.sqrt(2)).all()


@given(st.one_of(noise, blobs()))
def test_outlines_and_seams_pass_the_checks_for_what_people_draw(mask):
    rle = Rle.of(mask)
    for ring in [*rings(rle, 0), *([one_ring(rle, 0)] if mask.any() else [])]:
        check_simple(ring)
        check_inside(ring, rle.size)


def test_parts_and_holes_are_told_apart():
    found = parts(Rle.of(ring_shape()), 0)
    assert [len(part.holes) for part in found] == [2, 0]
    assert found[1].outer.tolist() == [[24, 14], [28, 14], [28, 18], [24, 18]]


def test_pixels_that_meet_in_a_corner_are_two_parts():
    assert len(parts(Rle.of(np.eye(2, dtype=bool)), 0)) == 2
    assert len(parts(Rle.of(~np.eye(2, dtype=bool)), 0)) == 2


def test_an_object_that_simplifying_would_remove_stays_as_it_is():
    mask = np.zeros((9, 9), dtype=bool)
    mask[4, 2:7] = True
    assert filled(rings(Rle.of(mask), 3), (9, 9)) == Rle.of(mask)


def test_seams_run_inside_of_the_object():
    """Fillers that draw a ring's edges as well then draw nothing outside of the object."""
    mask = ring_shape()
    mask[:, 22:] = False
    (ring,) = rings(Rle.of(mask), 0)
    for (x, y), (u, v) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        for share in np.linspace(0.01, 0.99, 50):
            middle = (x + share * (u - x), y + share * (v - y))
            around = [
                mask[int(middle[1] + dy), int(middle[0] + dx)]
                for dx in (-0.1, 0.1)
                for dy in (-0.1, 0.1)
            ]
            assert any(around)


def test_points_on_pixel_corners_fill_the_pixels_between():
    expected = np.zeros((6, 9), dtype=bool)
    expected[1:4, 2:8] = True
    ring = ring_of([2, 1, 8, 1, 8, 4, 2, 4])
    np.testing.assert_array_equal(filled([ring], (6, 9)).mask(), expected)


@pytest.mark.parametrize(
    "numbers",
    [
        [],
        [1, 2, 3, 4],
        [1, 2, 3, 4, 5, 6, 7],
        [1, 2, 3, 4, 5, "6"],
        [1, 2, 3, 4, 5, float("nan")],
        [1, 2, 3, 4, 5, 10**400],
    ],
)
def test_what_is_no_ring_is_refused(numbers):
    with pytest.raises(InputError, match="its polygon has"):
        ring_of(numbers)


@pytest.mark.parametrize(
    "ring", [[-2, 1, 5, 1, 5, 5], [1, 1, 12, 1, 5, 5], [1, -3, 5, 1, 5, 5], [1, 1, 5, 1, 5, 13]]
)
def test_a_ring_that_leaves_the_photo_is_refused(ring):
    with pytest.raises(InputError, match="outside the photo of 10x10"):
        check_inside(ring_of(ring), (10, 10))


def test_a_ring_that_gets_too_large_when_scaled_is_refused():
    with pytest.raises(InputError, match="not finite"):
        ring_of([1, 2, 3, 4, 5, 1e308], (100, 100))


@pytest.mark.parametrize("far", [-101, 111, 1e7, 1e8, 1e12, 1e300])
def test_a_ring_far_outside_of_the_photo_is_not_filled(far):
    with pytest.raises(InputError, match="too far outside the photo of 10x10 pixels"):
        filled([ring_of([far, 1, 5, 1, 5, 5])], (10, 10))


def test_a_ring_within_ten_photos_of_the_photo_is_filled():
    ring = ring_of([-100, -100, 110, -100, 110, 110, -100, 110])
    assert filled([ring], (10, 10)).area == 100


def test_a_ring_in_a_photo_of_an_absurd_size_is_not_filled():
    with pytest.raises(InputError, match="too far outside"):
        filled([ring_of([1, 1, 1e9, 1, 5, 5])], (2, 10**9))


def test_a_ring_may_run_along_the_border_and_a_pixel_beyond():
    check_inside(ring_of([-1, 0, 11, 0, 10, 10.5, 0, 10]), (10, 10))


def test_a_ring_that_crosses_itself_is_refused():
    with pytest.raises(InputError, match="crosses itself near x"):
        check_simple(ring_of(BOW_TIE))


def test_a_crossing_is_found_far_along_a_long_ring():
    angles = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    ring = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 900 + 1000
    check_simple(ring)
    ring[[1200, 1201]] = ring[[1201, 1200]]
    with pytest.raises(InputError, match="crosses itself"):
        check_simple(ring)
