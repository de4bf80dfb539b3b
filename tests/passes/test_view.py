"""Views cover the object, stay apart, and zoom in only where that pays."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.passes.view import Box, choose_views, component_boxes


def _mask(shape, *boxes):
    mask = np.zeros(shape, bool)
    for box in boxes:
        mask[box.slices] = True
    return mask


def _views(mask, **changes):
    options = {"margin": 0.1, "least": 2, "gain": 1.6, "most": 8} | changes
    return choose_views(mask, **options)


def test_one_object_gets_one_view_with_margin():
    assert _views(_mask((100, 200), Box(40, 50, 60, 90))) == [Box(36, 46, 64, 94)]


def test_views_end_at_the_photo():
    assert _views(_mask((50, 60), Box(0, 0, 50, 10))) == [Box(0, 0, 50, 15)]


def test_far_small_pieces_get_views_of_their_own():
    pieces = Box(5, 5, 15, 15), Box(180, 280, 195, 290)
    assert len(_views(_mask((200, 300), *pieces))) == 2


def test_pieces_of_about_the_whole_size_share_one_view():
    pieces = Box(10, 10, 190, 140), Box(10, 160, 190, 290)
    assert len(_views(_mask((200, 300), *pieces))) == 1


def test_too_many_pieces_share_one_view():
    mask = np.zeros((300, 300), bool)
    mask[5::50, 5::50] = True
    assert len(_views(mask)) == 1
    assert len(_views(mask, most=36)) == 36


@given(
    st.lists(
        st.tuples(st.integers(0, 70), st.integers(0, 90), st.integers(1, 12), st.integers(1, 12)),
        min_size=1,
        max_size=6,
    )
)
def test_views_cover_every_pixel_once(rows):
    mask = _mask((80, 100), *(Box(t, x, t + h, x + w) for t, x, h, w in rows))
    covered = np.zeros(mask.shape, int)
    for view in _views(mask):
        covered[view.slices] += 1
    assert covered.max() == 1
    assert covered[mask].all()


def test_components_join_over_corners():
    mask = np.zeros((4, 4), bool)
    mask[0, 0] = mask[1, 1] = mask[3, 3] = True
    assert component_boxes(mask) == [Box(0, 0, 2, 2), Box(3, 3, 4, 4)]


@pytest.mark.parametrize(("other", "meets"), [(Box(5, 5, 9, 9), False), (Box(4, 4, 9, 9), True)])
def test_boxes_meet_only_where_they_share_a_pixel(other, meets):
    assert Box(0, 0, 5, 5).meets(other) is meets
