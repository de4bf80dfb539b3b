"""Objects that did not overlap do not afterwards, and none vanishes."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgewise.formats.annotation import Rle
from edgewise.refiner import Refiner
from edgewise.scenes.instances import refine_instances, soft_masks

from ..fakes import ColourEngine, red_on_blue

SIZE = (12, 16)
PHOTO = np.zeros((*SIZE, 3), dtype=np.uint8)


@dataclass
class Soft:
    soft: np.ndarray


class Answers:
    """Gives prepared soft masks, in turn."""

    def __init__(self, *softs):
        self.softs = list(softs)
        self.calls = []

    def refine(self, photo, mask):
        self.calls.append(mask)
        return Soft(np.asarray(self.softs[len(self.calls) - 1], np.float32))


def block(columns, rows=slice(2, 9), level=True):
    mask = np.zeros(SIZE, dtype=type(level))
    mask[rows, columns] = level
    return mask


def refined(softs, masks, fixed=()):
    results = refine_instances(
        Answers(*softs), PHOTO, [Rle.of(mask) for mask in masks], fixed=[Rle.of(m) for m in fixed]
    )
    return [None if result is None else result.mask() for result in results]


def test_every_mask_is_refined_once_in_its_order():
    masks = [block(slice(0, 4)), block(slice(8, 12))]
    softs = [block(slice(0, 5), level=0.8), block(slice(7, 12), level=0.9)]
    answers = Answers(*softs)
    np.testing.assert_array_equal(list(soft_masks(answers, PHOTO, masks)), np.float32(softs))
    np.testing.assert_array_equal(answers.calls, masks)
    np.testing.assert_array_equal(refined(softs, masks), [soft > 0.5 for soft in softs])


def test_a_contested_pixel_goes_to_the_more_probable_object():
    masks = [block(slice(0, 6)), block(slice(6, 12))]
    first, second = block(slice(0, 8), level=0.7), block(slice(5, 12), level=0.6)
    second[:, 7] *= 1.5
    left, right = refined([first, second], masks)
    np.testing.assert_array_equal(left, block(slice(0, 7)))
    np.testing.assert_array_equal(right, block(slice(7, 12)))


def test_between_equals_the_pixel_stays_where_it_was():
    masks = [block(slice(0, 6)), block(slice(6, 12))]
    softs = [block(slice(0, 8), level=0.75), block(slice(4, 12), level=0.75)]
    np.testing.assert_array_equal(refined(softs, masks), masks)


def test_objects_that_overlapped_may_go_on_doing_so():
    masks = [block(slice(0, 7)), block(slice(6, 12))]
    softs = [block(slice(0, 8), level=0.7), block(slice(5, 12), level=0.6)]
    np.testing.assert_array_equal(refined(softs, masks), [soft > 0.5 for soft in softs])


def test_objects_that_are_not_refined_lose_no_pixel():
    (result,) = refined(
        [block(slice(0, 12), level=0.99)], [block(slice(0, 6))], [block(slice(6, 9))]
    )
    expected = block(slice(0, 12)) & ~block(slice(6, 9))
    np.testing.assert_array_equal(result, expected)


def test_an_object_of_which_nothing_is_found_stays_and_keeps_its_pixels():
    masks = [block(slice(0, 6)), block(slice(6, 9))]
    softs = [block(slice(0, 12), level=0.9), block(slice(6, 9), level=0.1)]
    first, second = refined(softs, masks)
    assert second is None
    np.testing.assert_array_equal(first, block(slice(0, 12)) & ~masks[1])


def test_an_object_that_would_lose_every_pixel_stays_and_keeps_them():
    masks = [block(slice(0, 6)), block(slice(6, 9))]
    softs = [block(slice(0, 12), level=0.9), block(slice(6, 9), level=0.6)]
    first, second = refined(softs, masks)
    assert second is None
    np.testing.assert_array_equal(first, block(slice(0, 12)) & ~masks[1])


@given(st.data(), st.integers(1, 4))
def test_results_are_disjoint_where_inputs_were_and_leave_no_gap(data, count):
    """On noise: disjointness for each pair, and every claimed pixel keeps an owner."""
    size = (4, 5)
    draw = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    masks = [draw.random(size) < 0.4 for _ in range(count)]
    masks = [mask if mask.any() else ~mask for mask in masks]
    softs = draw.choice([0.0, 0.25, 0.6, 0.75, 1.0], (count, *size)).astype(np.float32)
    results = refine_instances(Answers(*softs), PHOTO[:4, :5], [Rle.of(mask) for mask in masks])
    final = [
        m if result is None else result.mask() for m, result in zip(masks, results, strict=True)
    ]
    for first in range(count):
        assert final[first].any()
        for second in range(first):
            if not (masks[first] & masks[second]).any():
                assert not (final[first] & final[second]).any()
    np.testing.assert_array_equal(np.any(final, axis=0) >= (softs > 0.5).any(axis=0), True)


def test_the_order_of_objects_does_not_matter():
    draw = np.random.default_rng(5)
    masks = [block(slice(0, 5)), block(slice(5, 9)), block(slice(9, 16))]
    softs = draw.random((3, *SIZE)).astype(np.float32)
    forward = refined(list(softs), masks)
    backward = refined(list(softs[::-1]), masks[::-1])[::-1]
    np.testing.assert_array_equal(forward, backward)


def test_the_refiner_finds_each_objects_edge():
    truths = [np.zeros((96, 128), dtype=bool) for _ in range(2)]
    truths[0][20:60, 10:50] = True
    truths[1][30:80, 70:110] = True
    masks = [np.roll(truth, 2, axis=1) for truth in truths]
    results = refine_instances(
        Refiner(ColourEngine()), red_on_blue(truths[0] | truths[1]), [Rle.of(m) for m in masks]
    )
    for truth, mask, result in zip(truths, masks, results, strict=True):
        assert (result.mask() ^ truth).sum() < (mask ^ truth).sum() / 4
