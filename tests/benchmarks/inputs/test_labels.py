"""Label maps are read from indices, palettes and colours alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from edgewise.benchmarks import voc
from edgewise.benchmarks.inputs.colours import ade20k_colours, read_colours
from edgewise.benchmarks.inputs.labels import (
    check_labels,
    coloured_labels,
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


def test_grey_of_few_bits_has_its_own_levels(tmp_path, png_bytes):
    """Pillow spreads them over 0..255."""
    path = tmp_path / "a.png"
    path.write_bytes(png_bytes(2, 2, 4, 0, b"\0\x01\0\x2f"))
    reads(path, [[0, 1], [2, 15]])


def test_what_is_compressed_with_loss_is_refused(tmp_path):
    Image.fromarray(LABELS.astype(np.uint8)).save(tmp_path / "a.png", format="JPEG")
    with pytest.raises(InputError, match="compressed with loss"):
        read_labels(tmp_path / "a.png")


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


# ADE20K's colours

ADE = np.array([[0, 1, 13, 150], [8, 8, 3, 1]], dtype=np.int32)
ADE_PALETTE = [
    next(
        colour
        for colour, one in [*ade20k_colours().labels.items(), ((140, 140, 140), 49)]
        if one == label
    )
    for label in range(151)
]


def in_colours(labels):
    return np.array(ADE_PALETTE, np.uint8)[labels]


@given(
    arrays(np.uint8, (5, 6), elements=st.sampled_from([*range(7), *range(8, 49), *range(50, 151)]))
)
def test_ade20ks_colours_are_read_back_for_any_labels_but_two(tmp_path_factory, labels):
    path = tmp_path_factory.mktemp("colours") / "a.png"
    Image.fromarray(in_colours(labels)).save(path)
    np.testing.assert_array_equal(coloured_labels(path, ade20k_colours()), labels)


def test_ade20ks_palette_in_another_order_is_read_by_its_colours(tmp_path):
    picture = Image.fromarray(in_colours(ADE)).quantize(16)
    picture.save(tmp_path / "a.png")
    np.testing.assert_array_equal(coloured_labels(tmp_path / "a.png", ade20k_colours()), ADE)


@pytest.mark.parametrize("first", [0, 1])
def test_indices_of_ade20ks_palette_in_order_are_labels(tmp_path, first):
    """The palettes that begin with void's black and with the wall's grey."""
    labels = np.clip(ADE, 1, None) - 1 + first
    write_palette(tmp_path / "a.png", labels, ADE_PALETTE[1 - first :])
    assert coloured_labels(tmp_path / "a.png", ade20k_colours()) is None
    np.testing.assert_array_equal(read_labels(tmp_path / "a.png"), labels)


def test_grey_labels_and_strange_palettes_are_not_in_colours(tmp_path):
    table = ade20k_colours()
    assert coloured_labels(write_grey(tmp_path / "a.png", ADE), table) is None
    thrice = np.repeat(ADE.astype(np.uint8)[..., None], 3, axis=2)
    Image.fromarray(thrice).save(tmp_path / "b.png")
    assert coloured_labels(tmp_path / "b.png", table) is None
    palette = [(index, 9, 200) for index in range(256)]
    assert coloured_labels(write_palette(tmp_path / "c.png", ADE, palette), table) is None


def test_a_colour_of_two_labels_is_refused_until_a_table_says_which(tmp_path):
    path, table = tmp_path / "a.png", ade20k_colours()
    Image.fromarray(in_colours(np.array([[49, 1]]))).save(path)
    words = r"\(140, 140, 140\), which stands for the labels 7 and 49; .* --colours"
    with pytest.raises(InputError, match=words):
        coloured_labels(path, table)
    lines = [line for line in table.path.read_text().splitlines() if not line.startswith("7,")]
    (tmp_path / "own.csv").write_text("\n".join(lines))
    np.testing.assert_array_equal(
        coloured_labels(path, read_colours(tmp_path / "own.csv")), [[49, 1]]
    )


def test_colours_that_ade20k_does_not_have_are_refused(tmp_path):
    picture = in_colours(ADE)
    picture[0, 0] = (1, 2, 4)
    Image.fromarray(picture).save(tmp_path / "a.png")
    with pytest.raises(InputError, match=r"colour \(1, 2, 4\), which is none of ade20k_colours"):
        coloured_labels(tmp_path / "a.png", ade20k_colours())
    photo = np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8)
    Image.fromarray(photo).save(tmp_path / "a.png")
    with pytest.raises(InputError, match="more than 4096 colours"):
        coloured_labels(tmp_path / "a.png", ade20k_colours())
