"""The pixels under a brush are those near its line, for any line and size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.studio.strokes import stroke_patch

SHAPE = (23, 31)
POINT = st.tuples(
    st.floats(-15, 45, allow_nan=False, width=32), st.floats(-15, 40, allow_nan=False, width=32)
)


def covered(points, radius):
    """The stroke as a whole mask."""
    mask = np.zeros(SHAPE, bool)
    patch = stroke_patch(points, radius, SHAPE)
    if patch:
        mask[patch.box.slices] = patch.pixels
    return mask


def distances(points):
    """Distance of each pixel's centre to the line, by projection on each segment."""
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    best = np.full(SHAPE, np.inf)
    for (ax, ay), (bx, by) in zip(points, points[1:] or points, strict=False):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length if length else 0 * x
        along = np.clip(along, 0, 1)
        best = np.minimum(best, np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
    return best


@given(st.lists(POINT, min_size=1, max_size=6), st.floats(0.75, 12))
def test_a_stroke_covers_the_pixels_within_its_radius(points, radius):
    away = distances(points)
    mask = covered(points, radius)
    assert mask[away < radius - 1e-6].all()
    assert not mask[away > radius + 1e-6].any()


@given(st.tuples(st.floats(0, 30.99), st.floats(0, 22.99)))
def test_the_smallest_brush_covers_the_pixel_that_it_points_at(point):
    mask = covered([point], 0.01)
    assert mask[int(point[1]), int(point[0])]
    assert mask.sum() <= 4


@given(st.lists(POINT, min_size=1, max_size=5), st.floats(0.75, 9))
def test_a_stroke_is_the_same_in_both_directions(points, radius):
    forth, back = covered(points, radius), covered(points[::-1], radius)
    close = np.abs(distances(points) - radius) < 1e-6
    np.testing.assert_array_equal(forth[~close], back[~close])


@pytest.mark.parametrize("point", [(-20, 5), (60, 5), (5, -20), (5, 60)])
def test_a_stroke_beside_the_photo_covers_nothing(point):
    assert stroke_patch([point], 10, SHAPE) is None
