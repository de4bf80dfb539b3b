"""The first mask follows the hints, or says why there is none."""

import numpy as np
import pytest

from edgewise.studio.first import Hints, Scribble, first_mask
from edgewise.studio.limits import RefusedError
from tests.fakes import disc, overlap, red_on_blue
from tests.studio.serving import PHOTO, SHAPE, TRUTH


def noisy(photo):
    noise = np.random.default_rng(0).normal(0, 12, photo.shape)
    return np.clip(photo + noise, 0, 255).astype(np.uint8)


def test_a_photo_larger_than_the_first_look_gets_its_mask_at_its_own_size():
    truth = disc((700, 900), (350, 400), 150)
    found = first_mask(noisy(red_on_blue(truth)), Hints(box=(200, 150, 600, 550)))
    assert found.shape == truth.shape
    assert overlap(found, truth) > 0.97


def test_a_box_picks_its_object_out_of_two():
    truth = disc(SHAPE, (45, 30), 18)
    photo = noisy(red_on_blue(truth | disc(SHAPE, (45, 90), 18)))
    found = first_mask(photo, Hints(box=(8, 22, 55, 68)))
    assert overlap(found, truth) > 0.9


def test_the_same_hints_give_the_same_mask():
    photo, hints = noisy(PHOTO), Hints(box=(30, 15, 90, 75))
    np.testing.assert_array_equal(first_mask(photo, hints), first_mask(photo, hints))


def test_a_scribble_keeps_what_it_marks_out_of_the_mask():
    other = disc(SHAPE, (45, 95), 15)
    photo = red_on_blue(TRUTH & ~other)
    photo[other] = (40, 200, 40)
    box = (30, 15, 115, 75)
    assert first_mask(noisy(photo), Hints(box=box))[45, 100]
    beside = Scribble(inside=False, radius=8, points=[(97, 45)])
    found = first_mask(noisy(photo), Hints(box=box, scribbles=[beside]))
    assert not found[45, 100]
    assert overlap(found, TRUTH & ~other) > 0.9


@pytest.mark.parametrize(
    ("hints", "word"),
    [
        (Hints(box=(200, 200, 300, 300)), "no pixel of the photo"),
        (Hints(box=(-50, -50, -5, -5)), "no pixel of the photo"),
        (Hints(scribbles=[Scribble(inside=False, radius=5, points=[(5, 5)])]), "no pixel"),
        (Hints(scribbles=[Scribble(inside=True, radius=500, points=[(5, 5)])]), "background"),
    ],
)
def test_hints_that_say_nothing_are_refused_with_a_reason(hints, word):
    with pytest.raises(RefusedError, match=word) as caught:
        first_mask(PHOTO, hints)
    assert caught.value.status == 422


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5)])
def test_photos_too_small_for_a_first_mask_are_refused_with_a_reason(shape):
    photo = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    with pytest.raises(RefusedError) as caught:
        first_mask(photo, Hints(box=(0, 0, 2, 2)))
    assert caught.value.status == 422
