"""Run lengths hold a mask exactly, and damaged ones are refused before pycocotools sees them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import InputError
from edgewise.formats.annotation import Form, Rle, crowd_losses

from .shapes import blobs, dataset, noise, ring_shape


def runs_of(mask):
    """Run lengths down the columns, of background first, counted pixel by pixel."""
    runs, state = [0], False
    for pixel in mask.ravel(order="F").tolist():
        if pixel != state:
            runs.append(0)
            state = pixel
        runs[-1] += 1
    return runs


@given(st.one_of(noise, blobs()))
def test_run_lengths_are_those_counted_one_by_one_and_give_the_mask_back(mask):
    rle = Rle.of(mask)
    assert rle.runs == runs_of(mask)
    assert rle.area == mask.sum()
    np.testing.assert_array_equal(rle.mask(), mask)
    assert Rle.from_runs(rle.runs, mask.shape) == rle
    assert Rle.from_counts(rle.counts.decode(), mask.shape) == rle


def test_runs_of_many_digits_are_read():
    mask = np.zeros((3000, 1000), dtype=bool)
    mask[7, 3:] = True
    assert Rle.of(mask).runs == runs_of(mask)


def test_the_box_is_left_top_width_height():
    assert Rle.of(ring_shape()).box == (2, 2, 26, 16)
    assert Rle.of(np.zeros((3, 4), dtype=bool)).box == (0, 0, 0, 0)


@pytest.mark.parametrize("counts", ["", "0", "52", "zzzz", "é", "k" * 40, "5 2", "n1"])
def test_damaged_texts_are_refused(counts):
    with pytest.raises(InputError, match="its RLE"):
        Rle.from_counts(counts, (4, 5))


@pytest.mark.parametrize("runs", [[], [1, 2], [30], [-1, 21], [1.5, 18.5], ["20"], [True, 19]])
def test_runs_that_are_no_lengths_or_do_not_add_up_are_refused(runs):
    with pytest.raises(InputError, match="its RLE"):
        Rle.from_runs(runs, (4, 5))


@given(st.text(alphabet=[chr(code) for code in range(48, 112)], max_size=12))
def test_any_text_in_the_alphabet_is_a_mask_of_the_right_size_or_refused(counts):
    try:
        rle = Rle.from_counts(counts, (4, 5))
    except InputError:
        return
    assert rle.mask().sum() == rle.area


@given(noise, noise)
def test_overlap_is_a_pixel_in_common(first, second):
    size = np.minimum(first.shape, second.shape)
    first, second = first[: size[0], : size[1]], second[: size[0], : size[1]]
    assert Rle.of(first).overlaps(Rle.of(second)) == (first & second).any()


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf")])
def test_a_tolerance_is_a_length(tolerance):
    with pytest.raises(InputError, match="tolerance"):
        Form(tolerance=tolerance)


def test_lost_crowd_regions_are_counted():
    assert crowd_losses(dataset(ring_shape())) == []
    assert crowd_losses(dataset(ring_shape(), ring_shape(), crowd=True)) == [
        "2 crowd regions became ordinary objects"
    ]
