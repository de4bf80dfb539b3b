"""Masks of every form become float32 HxW in [0, 1]; what is no mask is refused by name."""

import os

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from edgewise.errors import InputError, OutputError
from edgewise.masks import GREY_TOLERANCE, as_mask, binary, fit_mask, read_mask, write_mask

# The first colours of PASCAL VOC's palette: background, aeroplane, bicycle, bird; 7 (bus) is grey.
VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
VOC_FULL = VOC + [0, 0, 128, 128, 0, 128, 0, 128, 128, 128, 128, 128] + 247 * [0, 0, 64]
VOC_FULL += [224, 224, 192]

sides = st.integers(1, 40)
soft_masks = arrays(
    np.float32, st.tuples(sides, sides), elements=st.floats(0, 1, width=32, allow_subnormal=False)
)


def palette_picture(indices, palette):
    picture = Image.fromarray(np.asarray(indices, dtype=np.uint8))
    picture.putpalette(palette)
    return picture


def assert_reads(path, expected, **options):
    mask = read_mask(path, **options)
    assert mask.dtype == np.float32
    assert mask.shape == np.shape(expected)
    np.testing.assert_array_equal(mask, np.asarray(expected, dtype=np.float32))


# Reading grey


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mask.png", {}),
        ("mask.bmp", {}),
        ("mask.gif", {}),
        ("mask.tif", {}),
        ("mask.tif", {"compression": "group4"}),
    ],
)
def test_one_bit_masks_are_read(save, shape, name, options):
    assert_reads(save(shape, name, **options), shape)


@pytest.mark.parametrize("name", ["mask.png", "mask.bmp", "mask.gif", "mask.tif"])
def test_every_8_bit_level_is_its_share(save, name):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert_reads(save(levels, name), levels / 255)


@pytest.mark.parametrize("name", ["mask.png", "mask.tif"])
def test_16_bit_levels_are_shares_of_65535(save, name):
    levels = np.array([[0, 1, 256, 32767], [32768, 65533, 65534, 65535]], dtype=np.uint16)
    assert_reads(save(levels, name), levels / 65535)


def test_floating_point_masks_are_read(save):
    values = np.array([[0, 0.25], [0.5, 1]], dtype=np.float32)
    assert_reads(save(values, "mask.tif"), values)


def test_a_value_just_out_of_range_is_told():
    with pytest.raises(InputError, match=r"from 0 to 1\.0000001; expected"):
        as_mask(np.array([[0, 1.0000001]], np.float32))


@pytest.mark.parametrize("value", [-0.1, 1.5, 255, float("nan")])
def test_floating_point_masks_out_of_range_are_refused(save, value):
    path = save(np.array([[0, value]], dtype=np.float32), "mask.tif")
    with pytest.raises(InputError, match=r"mask\.tif: has values from .* expected 0 to 1"):
        read_mask(path)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32])
def test_indices_0_and_1_are_background_and_object(save, shape, dtype):
    assert_reads(save(shape.astype(dtype), "mask.tif"), shape)


@pytest.mark.parametrize("name", ["mask.jpg", "mask.webp"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossy_masks_are_the_same_when_binary(save, shape, name, mode):
    large = np.kron(shape, np.ones((8, 8), dtype=bool))
    path = save(Image.fromarray(large).convert(mode), name, quality=80)
    assert (binary(read_mask(path)) == large).all()


@pytest.mark.parametrize("orientation", [1, 3])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("rows", [slice(45, 46), slice(45, 47)])
def test_a_thin_object_in_a_jpeg_is_no_label_map(save, rows, mode, orientation):
    """The greys around it, which the format adds, outnumber its pixels."""
    inside = np.zeros((90, 120), bool)
    inside[rows, 20:100] = True
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = save(Image.fromarray(inside).convert(mode), "mask.jpg", quality=75, exif=exif)
    upright = inside if orientation == 1 else inside[::-1, ::-1]
    assert (binary(read_mask(path)) == upright).all()


@pytest.mark.parametrize(
    ("name", "options"),
    [("m.webp", {"quality": 75}), ("m.tif", {"compression": "jpeg", "quality": 50})],
)
def test_a_thin_object_in_another_file_with_loss_is_no_label_map(save, name, options):
    inside = np.zeros((90, 120), bool)
    inside[45:48, 20:100] = True
    path = save(Image.fromarray(inside).convert("L"), name, **options)
    assert np.count_nonzero(binary(read_mask(path)) != inside) < 30


@pytest.mark.parametrize("values", [[0, 15], [0, 1, 2, 3], [0, 7, 15, 100]])
def test_a_label_map_in_a_jpeg_is_refused(save, values):
    labels = np.kron(np.array([values], np.uint8), np.ones((32, 32), np.uint8))
    with pytest.raises(InputError, match="a label map"):
        read_mask(save(labels, "labels.jpg"))


@pytest.mark.parametrize("level", [0, 255])
def test_empty_and_full_masks_are_masks(save, level):
    assert_reads(save(np.full((4, 5), level, np.uint8)), np.full((4, 5), level / 255))


@pytest.mark.parametrize(
    "values", [[0, 15], [0, 7, 15], [3, 100], [0, 127], [1, 2, 3], [0, 15, 15, 255], range(64)]
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_grey_label_maps_are_refused_unless_levels_are_asked_for(save, values, dtype):
    """As levels they would be an empty mask."""
    path = save(np.array([values], dtype=dtype), "labels.png")
    with pytest.raises(InputError, match=r"holds the levels .* below half of \d+: a label map; c"):
        read_mask(path)
    assert_reads(path, np.array([values]) / np.iinfo(dtype).max, soft=True)


@pytest.mark.parametrize(
    "values", [[0, 1, 255, 255], [0, 7, 15, 255, 255, 255], [0, 1, 65535, 65535]]
)
def test_labels_beside_more_void_are_refused(save, values):
    """As of a small object in PASCAL VOC: as levels the void would be the object."""
    dtype = np.uint16 if max(values) > 255 else np.uint8
    with pytest.raises(InputError, match=r"holds the levels 0, .*, labels and void: a label map"):
        read_mask(save(np.array([values], dtype), "labels.png"))


def test_dust_beside_an_object_is_no_label(save):
    levels = np.full((20, 20), 255, np.uint8)
    levels[0, :9] = [0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert_reads(save(levels), levels / 255)


def test_a_soft_mask_of_the_lowest_level_is_not_an_index_where_levels_are_asked_for(save):
    assert_reads(save(np.array([[0, 1]], np.uint8)), [[0, 1 / 255]], soft=True)


@pytest.mark.parametrize("values", [[0, 128], [0, 64, 255], [0, 64, 128, 191, 255], [0, 0, 200]])
def test_a_soft_edge_of_few_levels_is_no_label_map(save, values):
    levels = np.array([values], dtype=np.uint8)
    assert_reads(save(levels), levels / 255)


def test_a_weak_soft_mask_is_no_label_map(save):
    levels = np.arange(100, dtype=np.uint8).reshape(10, 10)
    assert_reads(save(levels), levels / 255)


# Reading palettes


@pytest.mark.parametrize("name", ["mask.png", "mask.gif", "mask.tif", "mask.bmp"])
def test_a_palette_of_greys_is_grey_whatever_its_order(save, name):
    indices = np.arange(15).reshape(3, 5) % 3
    path = save(palette_picture(indices, [255, 255, 255, 0, 0, 0, 100, 100, 100]), name)
    assert_reads(path, np.array([255, 0, 100])[indices] / 255)


@pytest.mark.parametrize("label", [1, 2, 3])
def test_the_one_label_of_a_coloured_palette_is_the_object(save, shape, label):
    assert_reads(save(palette_picture(shape * label, VOC)), shape)


def test_a_grey_label_among_coloured_ones_is_a_label(save, shape):
    """PASCAL VOC's bus is drawn in the level 128, which would be a mask of one half."""
    assert_reads(save(palette_picture(shape * 7, VOC_FULL)), shape)


def test_without_index_0_the_darker_colour_is_background(save, shape):
    palette = [9, 9, 9, 200, 200, 0, 10, 0, 0]
    assert_reads(save(palette_picture(np.where(shape, 1, 2), palette)), shape)
    assert_reads(save(palette_picture(np.where(shape, 2, 1), palette)), ~shape)


def test_index_0_is_background_though_it_is_lighter(save, shape):
    assert_reads(save(palette_picture(shape, [255, 255, 0, 90, 0, 0])), shape)


def test_two_labels_of_one_colour_are_told_apart_by_index(save, shape):
    assert_reads(save(palette_picture(shape, [0] * 6)), shape)


@pytest.mark.parametrize(("label", "share"), [(0, 0), (2, 1)])
def test_a_palette_picture_of_one_label_is_empty_or_full(save, label, share):
    path = save(palette_picture(np.full((4, 5), label), VOC))
    assert_reads(path, np.full((4, 5), share))


def test_a_palette_picture_of_several_labels_is_refused(save):
    path = save(palette_picture([[0, 1, 2, 255]], VOC_FULL), "labels.png")
    with pytest.raises(InputError, match=r"labels\.png: holds the labels 0, 1, 2, 255: a label m"):
        read_mask(path)


def test_many_labels_are_not_all_listed(save):
    path = save(palette_picture([range(20)], VOC_FULL))
    with pytest.raises(InputError, match=r"holds the labels 0, 1, 2, 3, 4, \.\.\.: a label map"):
        read_mask(path)


# Reading alpha and colour


@pytest.mark.parametrize("name", ["cut.png", "cut.tif", "cut.webp"])
def test_the_alpha_of_a_cut_out_is_the_mask(save, colours, name):
    alpha = np.arange(192, dtype=np.uint8).reshape(12, 16)
    options = {"lossless": True} if name.endswith("webp") else {}
    assert_reads(save(np.dstack([colours, alpha]), name, **options), alpha / 255)


def test_a_soft_mask_refused_as_a_label_map_is_read_as_alpha(save):
    levels = np.repeat(np.array([0, 60], np.uint8), 8).reshape(4, 4)
    with pytest.raises(InputError, match="a soft mask: as a picture's alpha"):
        read_mask(save(levels, "grey.png"))
    alpha = read_mask(save(np.dstack([levels] * 4), "alpha.png"))
    assert (np.rint(alpha * 255) == levels).all()


def test_the_alpha_of_a_grey_cut_out_is_the_mask(save, shape):
    alpha = Image.fromarray(np.where(shape, 200, 0).astype(np.uint8))
    picture = Image.merge("LA", [Image.new("L", alpha.size, 77), alpha])
    assert_reads(save(picture), np.where(shape, 200, 0) / 255)


@pytest.mark.parametrize("name", ["cut.png", "cut.gif"])
def test_the_transparent_entry_of_a_palette_cut_out_is_background(save, shape, name):
    indices = np.where(shape, 1 + np.indices(shape.shape)[1] % 3, 0)
    assert_reads(save(palette_picture(indices, VOC), name, transparency=0), shape)


@pytest.mark.parametrize("level", [0, 255])
def test_constant_alpha_says_nothing(save, shape, level):
    grey = Image.fromarray(np.where(shape, 255, 0).astype(np.uint8))
    for mode, path in (("LA", "la.png"), ("RGBA", "rgba.png")):
        picture = grey.convert(mode)
        picture.putalpha(level)
        assert_reads(save(picture, path), shape)


@pytest.mark.parametrize("name", ["mask.png", "mask.bmp", "mask.tif"])
def test_grey_rgb_is_read_by_its_level(save, name):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert_reads(save(np.repeat(levels[..., None], 3, axis=2), name), levels / 255)


def test_grey_may_be_tinted_by_the_tolerance_and_no_more(save):
    levels = np.repeat(np.array([[0, 100, 200, 240]], np.uint8)[..., None], 3, axis=2)
    tinted = levels + np.array([0, GREY_TOLERANCE, 0], np.uint8)
    assert read_mask(save(tinted)).shape == (1, 4)
    with pytest.raises(InputError, match="has 4 colours"):
        read_mask(save(tinted + np.array([0, 1, 0], np.uint8)))


def test_16_bit_grey_rgb_is_read(tmp_path, png_bytes):
    row = np.repeat(np.array([0, 65535], dtype=">u2"), 3).tobytes()
    (tmp_path / "mask.png").write_bytes(png_bytes(2, 1, 16, 2, b"\0" + row))
    assert_reads(tmp_path / "mask.png", [[0, 1]])


def test_one_colour_on_black_is_the_object(save, shape):
    """A palette mask that some program has saved as RGB."""
    assert_reads(save((shape[..., None] * [128, 0, 0]).astype(np.uint8)), shape)


def test_cmyk_black_and_white_is_read(save, shape):
    large = np.kron(shape, np.ones((8, 8), dtype=bool))
    path = save(Image.fromarray(large).convert("RGB").convert("CMYK"), "mask.jpg", quality=95)
    assert (binary(read_mask(path)) == large).all()


def test_a_photo_is_no_mask(save):
    noise = np.random.default_rng(0).integers(0, 255, (20, 20, 3), dtype=np.uint8)
    with pytest.raises(InputError, match=r"picture\.png: looks like a photo, not a mask; expected"):
        read_mask(save(noise))


@pytest.mark.parametrize(
    "row", [[[0, 0, 0], [128, 0, 0], [0, 128, 0]], [[99, 0, 0]], [[0, 51, 0], [100, 0, 0]]]
)
def test_colours_that_do_not_say_which_is_object_are_refused(save, row):
    """Three colours; one; two of the same lightness."""
    with pytest.raises(InputError, match=rf"has {len(row)} colours: a label map; choose one"):
        read_mask(save(np.array([row], dtype=np.uint8)))


def test_lab_colours_are_refused(save):
    with pytest.raises(InputError, match="mode LAB"):
        read_mask(save(Image.new("LAB", (3, 2)), "lab.tif"))


# Reading: orientation, size, bad files


@pytest.mark.parametrize("name", ["mask.png", "mask.tif", "mask.webp"])
def test_exif_orientation_is_applied(oriented, shape, name):
    assert_reads(oriented(np.where(shape, 255, 0).astype(np.uint8), name), shape)


def test_a_mask_of_the_photos_size_is_not_resampled(save, shape):
    assert_reads(save(shape), shape, size=(12, 16))


def test_a_mask_of_another_size_is_resampled(save, shape):
    assert read_mask(save(shape), size=(24, 32)).shape == (24, 32)


def test_a_mask_of_another_aspect_is_refused_with_its_path(save, shape):
    with pytest.raises(InputError, match=r"/mask\.png: has 16x12 pixels and the photo 20x12; exp"):
        read_mask(save(shape, "mask.png"), size=(12, 20))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is empty"),
        (b"not a picture", "is not a picture"),
        (b"\x89PNG\r\n\x1a\n", "is a damaged or cut off PNG file"),
    ],
)
def test_a_file_that_is_no_picture_is_refused(tmp_path, content, message):
    path = tmp_path / "mask.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=rf"mask\.png: {message}"):
        read_mask(path)


# Fitting


@given(
    size=st.tuples(st.integers(1, 5000), st.integers(1, 5000)),
    scale=st.floats(0.01, 1),
    rounding=st.sampled_from([np.floor, np.ceil, np.rint]),
    swap=st.booleans(),
)
def test_sides_rounded_in_one_way_always_fit(size, scale, rounding, swap):
    """The derivation of the tolerance: floor, ceil and round of both sides stay inside it."""
    small = tuple(max(1, int(rounding(side * scale))) for side in size)
    assume(min(side * scale for side in size) >= 1)
    mask_size, photo_size = (size, small) if swap else (small, size)
    mask = np.broadcast_to(np.float32(1), mask_size)
    assume(mask_size[0] * mask_size[1] * photo_size[0] * photo_size[1] < 1e10)
    assert fit_mask(mask, photo_size).shape == photo_size


@pytest.mark.parametrize(
    ("mask", "photo"), [((100, 100), (100, 102)), ((50, 52), (500, 500)), ((513, 513), (375, 500))]
)
def test_another_aspect_does_not_fit(mask, photo):
    sizes = f"has {mask[1]}x{mask[0]} pixels and the photo {photo[1]}x{photo[0]}"
    with pytest.raises(InputError, match=f"{sizes}; expected the photo's size"):
        fit_mask(np.zeros(mask, np.float32), photo)


def test_a_turned_mask_is_told_from_one_of_another_aspect():
    with pytest.raises(InputError, match="16x12 pixels and the photo 24x32; it fits when turned"):
        fit_mask(np.zeros((12, 16), np.float32), (32, 24))


@given(mask=soft_masks, factor=st.integers(2, 5))
def test_shrinking_averages_areas(mask, factor):
    large = np.random.default_rng(0).random(np.multiply(mask.shape, factor), dtype=np.float32)
    blocks = large.reshape(mask.shape[0], factor, mask.shape[1], factor)
    np.testing.assert_allclose(fit_mask(large, mask.shape), blocks.mean((1, 3)), atol=1e-5)


@given(mask=soft_masks, factor=st.integers(2, 5))
def test_enlarging_is_linear_between_centres(mask, factor):
    """Against linear interpolation by numpy, first along rows and then along columns."""
    height, width = mask.shape
    wide = np.array([_enlarged(row, factor) for row in mask])
    expected = np.array([_enlarged(column, factor) for column in wide.T]).T
    fitted = fit_mask(mask, (height * factor, width * factor))
    np.testing.assert_allclose(fitted, expected, atol=1e-5)


def _enlarged(line, factor):
    centres = (np.arange(len(line) * factor) + 0.5) / factor - 0.5
    return np.interp(centres, np.arange(len(line)), line)


@given(mask=soft_masks, scale=st.floats(0.3, 3))
def test_fitting_keeps_the_range_and_commutes_with_flips(mask, scale):
    shape = tuple(max(1, round(side * scale)) for side in mask.shape)
    fitted = fit_mask(mask, shape)
    assert fitted.dtype == np.float32
    assert mask.min() - 1e-6 <= fitted.min() <= fitted.max() <= mask.max() + 1e-6
    assert 0 <= fitted.min() <= fitted.max() <= 1
    flipped = fit_mask(mask[::-1, ::-1], shape)
    np.testing.assert_allclose(flipped[::-1, ::-1], fitted, atol=1e-5)


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_a_mask_of_another_type_is_resampled_by_its_levels(kind):
    mask = np.zeros((4, 6), kind)
    mask[1:3, 1:4] = np.array(True if kind is bool else 255)
    expected = fit_mask(as_mask(mask), (8, 12))
    assert 0 < expected[1, 4] < 1
    assert np.array_equal(fit_mask(mask, (8, 12)), expected)


@given(mask=soft_masks)
def test_a_mask_that_fits_is_passed_on(mask):
    assert fit_mask(mask, mask.shape) is mask


def test_rounding_never_leaves_the_range():
    """OpenCV's weights of a 7 to 2 pixel area sum to a little over one."""
    assert fit_mask(np.ones((7, 7), np.float32), (2, 2)).max() == 1


def test_a_very_long_mask_is_resampled():
    assert fit_mask(np.ones((10, 35_000), np.float32), (20, 70_000)).min() == 1


# Arrays


@pytest.mark.parametrize(
    "array",
    [
        np.array([[False, True]]),
        np.array([[0, 1]], np.uint8),
        np.array([[0, 255]], np.uint8),
        np.array([[0, 65535]], np.uint16),
        np.array([[0, 1]], np.int64),
        np.array([[0, 255]], np.int32),
        np.array([[0, 1]], np.float64),
        np.array([[0, 1]], np.float16),
        np.array([[[0], [1]]], np.float32),
        [[False, True]],
    ],
)
def test_arrays_of_many_types_are_masks(array):
    mask = as_mask(array)
    assert mask.dtype == np.float32
    assert mask.tolist() == [[0, 1]]


def test_levels_between_are_kept():
    assert as_mask(np.array([[0, 51, 255]], np.uint8)).tolist() == [[0, np.float32(0.2), 1]]


@given(mask=soft_masks)
def test_a_soft_mask_is_passed_on(mask):
    assert as_mask(mask) is mask


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[0, np.nan]]), "values from nan to nan; expected 0 to 1"),
        (np.array([[-0.1, 1]]), "values from -0.1 to 1; expected 0 to 1"),
        (np.array([[0, 255.0]]), "values from 0 to 255; expected 0 to 1"),
        (np.array([[0, np.inf]]), "values from 0 to inf; expected 0 to 1"),
        (np.array([[0, 2]]), "holds int64 from 0 to 2; expected 0 and 1, or uint8"),
        (np.array([[0, 128, 255]]), "holds int64 from 0 to 255; expected 0 and 1, or uint8"),
        (np.array([[-1, 0]]), "holds int64 from -1 to 0; expected 0 and 1, or uint8"),
        (
            np.array([[0, 15]], np.uint8),
            r"holds the levels 0, 15, most of them below half of 255: a label map",
        ),
        (np.array([["a"]]), "of type <U1; expected bool, uint8 or float32"),
        (np.array([[1j]]), "of type complex128; expected bool, uint8 or float32"),
        (np.zeros((4, 5, 3)), r"shape is \(4, 5, 3\); expected height x width"),
        (np.zeros(4), r"shape is \(4,\); expected height x width"),
        (np.zeros((0, 4)), r"shape is \(0, 4\); expected height x width"),
    ],
)
def test_other_arrays_are_refused_with_what_would_be_right(array, message):
    with pytest.raises(InputError, match=message):
        as_mask(array)


def test_an_array_of_another_shape_is_refused():
    mask = np.zeros((4, 5), bool)
    assert as_mask(mask, (4, 5)).shape == (4, 5)
    with pytest.raises(InputError, match="5x4 pixels and the photo 10x8; they must agree"):
        as_mask(mask, (8, 10))


def test_binary_is_above_one_half():
    mask = np.array([[0, 0.5, np.nextafter(np.float32(0.5), np.float32(1)), 1]], np.float32)
    assert binary(mask).tolist() == [[False, False, True, True]]
    assert binary(mask).dtype == bool


# Writing

LOSSLESS = ["mask.png", "mask.tif", "mask.tiff", "mask.webp", "MASK.PNG"]


@given(mask=arrays(bool, st.tuples(sides, sides)), name=st.sampled_from(LOSSLESS))
def test_a_binary_mask_survives_a_round_trip(mask, name, tmp_path_factory):
    path = tmp_path_factory.mktemp("masks") / name
    write_mask(path, mask)
    assert_reads(path, mask)


@given(mask=soft_masks, name=st.sampled_from(LOSSLESS))
def test_a_soft_mask_survives_a_round_trip_to_half_a_level(mask, name, tmp_path_factory):
    path = tmp_path_factory.mktemp("masks") / name
    write_mask(path, mask, soft=True)
    read = read_mask(path, soft=True)
    assert np.abs(read - mask).max() <= 0.5 / 255 + 1e-6
    write_mask(path, read, soft=True)
    assert_reads(path, read, soft=True)


@given(mask=soft_masks)
def test_a_binary_file_holds_what_binary_gives(mask, tmp_path_factory):
    path = tmp_path_factory.mktemp("masks") / "mask.png"
    write_mask(path, mask)
    assert_reads(path, binary(mask))


def test_levels_are_rounded_and_not_truncated(tmp_path):
    mask = np.array([[0.999, 0.501, 0.5 / 255 + 1e-4, 0.49 / 255]], np.float32)
    write_mask(tmp_path / "mask.png", mask, soft=True)
    levels = np.asarray(Image.open(tmp_path / "mask.png"))
    assert levels.tolist() == [[255, 128, 1, 0]]


@pytest.mark.parametrize(
    ("name", "soft", "mode"),
    [
        ("mask.png", False, "1"),
        ("mask.png", True, "L"),
        ("mask.tif", False, "1"),
        ("mask.tif", True, "L"),
    ],
)
def test_files_are_as_deep_as_they_need_be(tmp_path, shape, name, soft, mode):
    write_mask(tmp_path / name, shape, soft=soft)
    with Image.open(tmp_path / name) as picture:
        assert picture.mode == mode


@pytest.mark.parametrize("size", [(24, 32, 3), (0, 0)])
def test_what_is_no_size_is_refused(shape, size):
    with pytest.raises(InputError, match=r"size \(.*\): expected height and width, in pixels"):
        fit_mask(shape, size)


def test_lists_are_written_like_arrays(tmp_path, shape):
    write_mask(tmp_path / "mask.png", shape.tolist())
    assert_reads(tmp_path / "mask.png", shape)


def test_other_programs_read_the_same_mask(tmp_path, shape):
    """OpenCV shares no code with Pillow."""
    for name in ("mask.png", "mask.tif", "mask.webp"):
        write_mask(tmp_path / name, shape)
        levels = cv2.imread(str(tmp_path / name), cv2.IMREAD_GRAYSCALE)
        assert (levels == np.where(shape, 255, 0)).all(), name


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mask.jpg", r"cannot be written as \.jpg; expected \.png, \.tif, \.tiff or \.webp"),
        ("mask", "cannot be written as a file without suffix; expected"),
        ("missing/mask.png", "there is no folder"),
        ("folder.png", "is a folder"),
    ],
)
def test_what_cannot_be_written_is_an_output_error(tmp_path, shape, name, message):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OutputError, match=message):
        write_mask(tmp_path / name, shape)
    assert os.listdir(tmp_path) == ["folder.png"]


def test_a_mask_too_large_for_webp_is_an_output_error(tmp_path):
    with pytest.raises(OutputError, match=r"16383 pixels; expected \.png$"):
        write_mask(tmp_path / "mask.webp", np.zeros((2, 20_000), bool))
    assert os.listdir(tmp_path) == []


def test_what_is_no_mask_is_not_written(tmp_path):
    with pytest.raises(InputError, match="expected 0 to 1"):
        write_mask(tmp_path / "mask.png", np.array([[0, 2.0]], np.float32))
    assert os.listdir(tmp_path) == []


def test_a_failed_write_leaves_the_old_mask(tmp_path, shape, monkeypatch):
    path = tmp_path / "mask.png"
    write_mask(path, shape)

    def fill_the_disk(_, file, **__):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fill_the_disk)
    with pytest.raises(OutputError, match=r"mask\.png: cannot be written: No space left on devi"):
        write_mask(path, ~shape)
    assert_reads(path, shape)
    assert os.listdir(tmp_path) == ["mask.png"]
