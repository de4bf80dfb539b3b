"""Label maps are read from indices, palettes and colours alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from edgewise.benchmarks import voc
from edgewise.benchmarks.inputs.labels import (
    check_labels,
    read_labels,
    voc_labels,
    whole_numbers,
)
from edgewise.errors import InputError
from tests.benchmarks.inputs.native import write_grey, write_palette

LABELS = np.array([[0, 7, 7, 20], [15, 1, 255, 0]], dtype=np.int32)
PALETTE = [voc.colour(label) for label in range(256)]


def reads(path, expected=LABELS):
    found = voc_labels(path)
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, expected)


def test_grey_levels_are_labels(tmp_path):
    reads(write_grey(tmp_path / "a.png", LABELS))


def test_deep_grey_levels_are_labels(tmp_path):
    Image.fromarray(LABELS.astype(np.uint16)).save(tmp_path / "a.png")
    reads(tmp_path / "a.png")


def test_palette_indices_are_labels(tmp_path):
    reads(write_palette(tmp_path / "a.png", LABELS, PALETTE))


def test_indices_of_a_strange_palette_are_labels(tmp_path):
    palette = [(3 * index % 256, index, 9) for index in range(256)]
    reads(write_palette(tmp_path / "a.png", LABELS, palette))


def test_a_palette_that_was_sorted_anew_is_read_by_its_colours(tmp_path):
    used = np.unique(LABELS)
    order = np.random.default_rng(3).permutation(used)
    indices = np.searchsorted(used, LABELS)
    indices = np.array([np.flatnonzero(order == label)[0] for label in used])[indices]
    reads(write_palette(tmp_path / "a.png", indices, [voc.colour(int(one)) for one in order]))


@given(arrays(np.uint8, (5, 6), elements=st.sampled_from(voc.LABELS)))
def test_voc_colours_are_read_back_for_any_labels(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("colours") / "a.png"
    Image.fromarray(np.array(PALETTE, np.uint8)[labels]).save(path)
    np.testing.assert_array_equal(voc_labels(path), labels)


def test_labels_thrice_in_rgb_are_labels(tmp_path):
    rgb = np.repeat(LABELS.astype(np.uint8)[..., None], 3, axis=2)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    reads(tmp_path / "a.png")


def test_grey_rgb_of_the_cars_colour_is_a_car(tmp_path):
    """The one colour of the palette that is grey, and no label."""
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0] = 128
    Image.fromarray(rgb).save(tmp_path / "a.png")
    reads(tmp_path / "a.png", [[7, 7], [0, 0]])


def test_an_alpha_channel_is_no_label(tmp_path):
    rgba = np.full((2, 4, 4), 77, np.uint8)
    rgba[..., :3] = np.array(PALETTE, np.uint8)[LABELS]
    Image.fromarray(rgba).save(tmp_path / "a.png")
    reads(tmp_path / "a.png")


def test_one_bit_is_black_and_white(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), [[255, 0]])


def test_smoothed_colours_are_refused_by_name(tmp_path):
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0, 0] = (64, 0, 1)
    Image.fromarray(rgb).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"a\.png: has the colour \(64, 0, 1\)"):
        voc_labels(tmp_path / "a.png")


def test_a_photo_is_refused(tmp_path):
    photo = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="more than 4096 colours"):
        voc_labels(tmp_path / "a.png")


def test_colours_mean_nothing_without_a_table(tmp_path):
    Image.fromarray(np.array(PALETTE, np.uint8)[LABELS]).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"has the colour .* in grey or palette, saved"):
        read_labels(tmp_path / "a.png")


def test_labels_out_of_range_are_told_with_the_range(tmp_path):
    write_grey(tmp_path / "a.png", np.array([[0, 21, 91]]))
    with pytest.raises(InputError, match=r"a\.png: holds the labels 21, 91; expected 0\.\.20, 255"):
        voc_labels(tmp_path / "a.png")
    check_labels(np.array([[0, 150]], np.int32), range(151), "x")


def test_whole_numbers_become_labels_and_others_not():
    np.testing.assert_array_equal(whole_numbers(np.array([[0.0, 20.0]]), "x"), [[0, 20]])
    for bad in ([[0.5]], [[-1.0]], [[np.nan]], [[1e9]]):
        with pytest.raises(InputError, match="x: holds numbers"):
            whole_numbers(np.array(bad), "x")
