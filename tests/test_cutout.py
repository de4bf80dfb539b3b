"""Cut-outs: the estimate of the object's colours, and what is made and written of them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from edgewise import cutout
from edgewise.cutout import compose, cropped, cut_out, estimate_foreground
from edgewise.errors import InputError, OutputError
from edgewise.matte import alpha_of

colours = st.tuples(*[st.integers(0, 255)] * 3)


@pytest.fixture(scope="module")
def scene():
    """A composite of known colours with PyMatting's answer; `reference_foreground.py` made it."""
    with np.load(Path(__file__).parent / "data" / "foreground.npz") as arrays:
        return dict(arrays)


def as_float(alpha):
    return (alpha / 255).astype(np.float32)


def difference(first, second, alpha):
    """What shows of a difference of colours where alpha is partial, in levels of 255."""
    partial = (alpha > 0) & (alpha < 255)
    apart = np.abs(first.astype(float) - second.astype(float)).mean(axis=2)
    return (apart * alpha / 255)[partial]


def least_energy(photo, alpha, smoothness=1e-5):
    """The F of the documented energy's exact minimum (without the bounds), HxWx3 in 0..255.

    One linear system for F and B of all pixels, solved densely.
    """
    count = alpha.size
    share = alpha.ravel() / 255
    rest = 1 - share
    numbers = np.arange(count)
    system = np.zeros((2 * count, 2 * count))
    system[numbers, numbers] = share**2
    system[numbers + count, numbers + count] = rest**2
    system[numbers, numbers + count] = system[numbers + count, numbers] = share * rest
    grid = numbers.reshape(alpha.shape)
    for one, other in ((grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:])):
        for i, j in zip(one.ravel(), other.ravel(), strict=True):
            weight = smoothness + abs(share[i] - share[j])
            for shift in (0, count):
                system[[i + shift, j + shift], [i + shift, j + shift]] += weight
                system[[i + shift, j + shift], [j + shift, i + shift]] -= weight
    levels = photo.reshape(count, 3).astype(float)
    right = np.vstack([share[:, None] * levels, rest[:, None] * levels])
    return np.linalg.solve(system, right)[:count].reshape(photo.shape)


def disc(size, radius, blur):
    """Alpha of a disc with a rim that falls over `blur` pixels, 0..255."""
    rows, columns = np.mgrid[0:size, 0:size] - size / 2
    return np.rint(255 * np.clip(0.5 + (radius - np.hypot(rows, columns)) / blur, 0, 1)).astype(
        np.uint8
    )


def mixed(alpha, fore, back):
    """The photo of one colour over another."""
    share = alpha[..., None] / 255
    return np.rint(share * np.array(fore) + (1 - share) * np.array(back)).astype(np.uint8)


def test_foreground_is_that_of_pymatting(scene):
    """Within 0.25 levels in the mean and 1.5 at worst, weighted by alpha."""
    estimate = estimate_foreground(scene["photo"], as_float(scene["alpha"]))
    apart = difference(estimate, scene["pymatting"], scene["alpha"])
    assert apart.mean() < 0.25
    assert apart.max() < 1.5


def test_foreground_nears_the_least_energy_more_than_pymatting(scene):
    best = least_energy(scene["photo"], scene["alpha"])
    estimate = estimate_foreground(scene["photo"], as_float(scene["alpha"]))
    ours = difference(estimate, best, scene["alpha"])
    theirs = difference(scene["pymatting"], best, scene["alpha"])
    assert ours.mean() < 0.5
    assert ours.mean() < theirs.mean()


def test_foreground_recovers_known_colours(scene):
    estimate = estimate_foreground(scene["photo"], as_float(scene["alpha"]))
    before = difference(scene["photo"], scene["known"], scene["alpha"]).mean()
    assert difference(estimate, scene["known"], scene["alpha"]).mean() < before / 8


@settings(max_examples=20)
@given(fore=colours, back=colours, blur=st.sampled_from([1, 3, 8]))
def test_foreground_of_one_colour_over_another_is_that_colour(fore, back, blur):
    alpha = disc(32, 10, blur)
    estimate = estimate_foreground(mixed(alpha, fore, back), as_float(alpha))
    shown = compose(np.dstack([estimate, alpha]), (0, 0, 0))
    np.testing.assert_allclose(shown, mixed(alpha, fore, (0, 0, 0)), atol=2)


@settings(max_examples=20)
@given(fore=colours, seed=st.integers(0, 99))
def test_nothing_of_the_background_is_left_beside_a_hard_edge(fore, seed):
    """Not even unseen, where alpha is 0."""
    alpha = disc(21, 6, 0.01)
    photo = np.random.default_rng(seed).integers(0, 256, (21, 21, 3), np.uint8)
    photo[alpha == 255] = fore
    estimate = estimate_foreground(photo, alpha == 255)
    np.testing.assert_allclose(estimate.astype(int), np.broadcast_to(fore, photo.shape), atol=1)


def test_opaque_colours_are_the_photos(scene):
    alpha = scene["alpha"]
    estimate = estimate_foreground(scene["photo"], as_float(alpha))
    np.testing.assert_array_equal(estimate[alpha == 255], scene["photo"][alpha == 255])


def test_work_follows_the_edge_and_not_the_area(monkeypatch):
    """The same object in a photo of 16 times the pixels takes about the same work."""

    def work(size):
        alpha = disc(size, 20, 4)
        updated = []
        monkeypatch.setattr(
            cutout,
            "_updated",
            lambda level, old, chunk: updated.append(chunk.stop - chunk.start) or old[chunk],
        )
        estimate_foreground(np.zeros((size, size, 3), np.uint8), as_float(alpha))
        return sum(updated)

    assert 0 < work(256) < 1.5 * work(64)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (2, 2), (5, 13)])
@pytest.mark.parametrize("level", [0, 0.5, 1])
def test_a_flat_photo_of_any_shape_and_alpha_keeps_its_colour(shape, level):
    photo = np.full((*shape, 3), (10, 130, 250), np.uint8)
    estimate = estimate_foreground(photo, np.full(shape, level, np.float32))
    np.testing.assert_allclose(estimate.astype(int), photo, atol=1)


def test_cut_out_is_rgba_with_straight_alpha(scene):
    photo, alpha = scene["photo"], scene["alpha"]
    result = cut_out(photo, as_float(alpha), is_alpha=True)
    assert result.dtype == np.uint8
    np.testing.assert_array_equal(result[..., 3], alpha)
    np.testing.assert_array_equal(result[..., :3], estimate_foreground(photo, as_float(alpha)))


def test_a_probability_is_cut_out_by_its_alpha(scene):
    soft = as_float(scene["alpha"])
    result = cut_out(scene["photo"], soft)
    expected = alpha_of(scene["photo"], soft)
    np.testing.assert_allclose(result[..., 3] / 255, expected, atol=0.002)
    assert np.abs(expected - soft).max() > 0.1


@pytest.mark.parametrize(
    ("photo", "soft", "message"),
    [
        (np.zeros((2, 2, 3)), np.zeros((2, 2)), "the photo is float64"),
        (np.zeros((2, 2), np.uint8), np.zeros((2, 2)), "x 3 in RGB"),
        (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3)), "the mask's shape"),
        (np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2), np.uint8), "of type uint8"),
        (np.zeros((2, 2, 3), np.uint8), np.full((2, 2), 1.5), "from 1.5 to 1.5"),
        (np.zeros((2, 2, 3), np.uint8), np.full((2, 2), np.nan), "nan"),
        (np.zeros((0, 2, 3), np.uint8), np.zeros((0, 2)), "of shape"),
    ],
)
@pytest.mark.parametrize("call", [cut_out, estimate_foreground])
def test_arrays_of_other_forms_are_refused(call, photo, soft, message):
    with pytest.raises(InputError, match=message):
        call(photo, soft)


@settings(max_examples=30)
@given(fore=colours, back=colours, alpha=st.integers(0, 255))
def test_compose_mixes_by_alpha(fore, back, alpha):
    result = compose(np.array([[[*fore, alpha]]], np.uint8), back)
    expected = (np.array(fore) * alpha + np.array(back) * (255 - alpha)) / 255
    np.testing.assert_allclose(result[0, 0], expected, atol=0.5)


def test_compose_covers_with_the_middle_of_a_picture():
    """A background twice as high and four times as wide loses half its width, evenly."""
    background = np.zeros((8, 32, 3), np.uint8)
    background[:, :8] = background[:, 24:] = 255
    background[:4, 8:24] = (0, 0, 200)
    result = compose(np.zeros((4, 8, 4), np.uint8), background)
    assert result.shape == (4, 8, 3)
    np.testing.assert_array_equal(result[:2], np.broadcast_to([0, 0, 200], (2, 8, 3)))
    assert not result[2:].any()


@pytest.mark.parametrize(
    "background",
    [(0.5, 0.5, 0.5), (0, 0, 256), (-1, 0, 0), (1, 2), "white", np.zeros((4, 4), np.uint8)],
)
def test_compose_refuses_what_is_no_colour_and_no_photo(background):
    with pytest.raises(InputError, match="expected three levels in 0"):
        compose(np.zeros((4, 8, 4), np.uint8), background)


def test_compose_enlarges_a_small_picture():
    result = compose(np.zeros((5, 9, 4), np.uint8), np.full((1, 1, 3), 77, np.uint8))
    np.testing.assert_array_equal(result, np.full((5, 9, 3), 77))


def test_cropped_keeps_every_pixel_that_is_seen():
    picture = np.zeros((9, 11, 4), np.uint8)
    picture[2, 3, 3], picture[6, 7, 3] = 1, 255
    np.testing.assert_array_equal(cropped(picture), picture[2:7, 3:8])


def test_an_empty_cutout_cannot_be_cropped():
    with pytest.raises(InputError, match="empty"):
        cropped(np.zeros((4, 4, 4), np.uint8))


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".webp", ".tif", ".tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_files_hold_the_pixels_exactly_even_unseen_ones(tmp_path, suffix, channels):
    picture = np.random.default_rng(1).integers(0, 256, (6, 5, channels), np.uint8)
    picture[:3, :, 3:] = 0
    path = tmp_path / f"out{suffix}"
    cutout.write_cutout(path, picture)
    with Image.open(path) as written:
        np.testing.assert_array_equal(np.asarray(written), picture)


def test_tiff_says_that_its_alpha_is_straight(tmp_path):
    """Tag ExtraSamples: 2 is unassociated alpha, 1 premultiplied."""
    cutout.write_cutout(tmp_path / "out.tif", np.zeros((2, 2, 4), np.uint8))
    with Image.open(tmp_path / "out.tif") as written:
        assert written.tag_v2[338] in (2, (2,))


def test_jpeg_takes_a_composed_picture_only(tmp_path):
    cutout.write_cutout(tmp_path / "out.jpg", np.full((8, 8, 3), 99, np.uint8))
    with Image.open(tmp_path / "out.jpg") as written:
        np.testing.assert_allclose(np.asarray(written), 99, atol=2)
    with pytest.raises(OutputError, match="background"):
        cutout.write_cutout(tmp_path / "alpha.jpg", np.zeros((8, 8, 4), np.uint8))
    assert not (tmp_path / "alpha.jpg").exists()


@pytest.mark.parametrize("name", ["out.gif", "out"])
def test_other_suffixes_are_refused(tmp_path, name):
    with pytest.raises(OutputError, match=r"expected one of \.png"):
        cutout.write_cutout(tmp_path / name, np.zeros((2, 2, 4), np.uint8))


def test_what_a_format_cannot_hold_is_an_error_that_leaves_no_file(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        cutout.write_cutout(tmp_path / "out.webp", np.zeros((1, 16384, 4), np.uint8))
    assert not list(tmp_path.iterdir())
