"""Crops: the window is where it matters, outlines run along the masks' borders."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from edgewise.evaluation import find_pairs
from edgewise.evaluation.kept import keep_mask
from edgewise.evaluation.masks import Masks
from edgewise.report.crops import (
    OUTLINE_SCALE,
    OUTLINE_SHIFT,
    SIDE,
    Window,
    choose_window,
    crop_pair,
    data_uri,
    outline,
)
from tests.evaluation.folders import Orange, disc, write_pair

SIZE = (700, 900)


def masks(truth, before, after):
    return Masks(truth=truth, before=None if before is None else before.astype("f4"), after=after)


def holds(window, row, column):
    return (
        window.top <= row < window.top + window.height
        and window.left <= column < window.left + window.width
    )


def halves():
    truth = np.zeros(SIZE, bool)
    truth[:, 450:] = True
    return truth


def test_the_window_of_a_loss_is_where_the_refined_mask_is_wrong_and_the_coarse_right():
    truth = halves()
    before, after = truth.copy(), truth.copy()
    before[80:120, 430:470] ^= True  # put right
    after[600:640, 430:470] ^= True  # put wrong
    assert holds(choose_window(masks(truth, before, after), lost=True), 620, 450)
    assert holds(choose_window(masks(truth, before, after), lost=False), 100, 450)


def test_a_window_holds_some_of_the_truths_edge():
    truth = halves()
    after = truth.copy()
    after[0:200, 0:200] = True  # far from the edge, and the greatest loss
    after[500:520, 440:450] = True
    window = choose_window(masks(truth, truth, after), lost=True)
    assert window.left < 450 < window.left + window.width


def test_without_a_mask_before_the_window_is_where_most_is_wrong():
    truth = halves()
    after = truth.copy()
    after[600:640, 430:470] ^= True
    assert holds(choose_window(masks(truth, None, after), lost=True), 620, 450)


@pytest.mark.parametrize("size", [(30, 40), (256, 256), (257, 1000), (1, 1)])
def test_a_window_is_within_the_picture(size):
    truth = disc(min(size) // 3, size=size, middle=(0, size[1]))
    window = choose_window(masks(truth, ~truth, truth), lost=False)
    assert 0 <= window.left <= window.left + window.width <= size[1]
    assert 0 <= window.top <= window.top + window.height <= size[0]
    assert (window.width, window.height) == (min(SIDE, size[1]), min(SIDE, size[0]))


def test_an_empty_truth_has_a_window_too():
    truth = np.zeros(SIZE, bool)
    after = truth.copy()
    after[600:640, 430:470] = True
    assert holds(choose_window(masks(truth, None, after), lost=True), 620, 450)


def points(path):
    """The corners of an SVG path of M, h, v, l and z, in pixels."""
    found = []
    for letter, text in re.findall(r"([Mhvlz])([^Mhvlz]*)", path):
        numbers = [int(number) for number in text.split()]
        if letter == "M":
            x, y = numbers
        elif letter == "h":
            x += numbers[0]
        elif letter == "v":
            y += numbers[0]
        elif letter == "l":
            x, y = x + numbers[0], y + numbers[1]
        found.append((x * OUTLINE_SCALE + OUTLINE_SHIFT, y * OUTLINE_SCALE + OUTLINE_SHIFT))
    return np.array(found)


def test_an_outline_runs_along_the_pixels_borders():
    mask = np.zeros((60, 60), bool)
    mask[10:20, 30:50] = True
    found = points(outline(mask, Window(left=5, top=5, width=50, height=50)))
    assert found.min(axis=0) == pytest.approx((25, 5), abs=0.2)
    assert found.max(axis=0) == pytest.approx((45, 15), abs=0.2)


def test_the_pictures_own_border_is_no_outline():
    found = points(outline(halves()[:50, 420:480], Window(left=0, top=0, width=60, height=50)))
    inside = found[(found > 0.5).all(axis=1) & (found < (59.5, 49.5)).all(axis=1)]
    assert len(inside) == 0  # the one edge runs from above the window to below it
    assert (np.abs(found[:, 0] - 30) < 0.2).any()


def test_holes_and_islands_have_outlines():
    mask = disc(20, size=(60, 60), middle=(30, 30)) & ~disc(8, size=(60, 60), middle=(30, 30))
    mask[2, 2] = True
    path = outline(mask, Window(left=0, top=0, width=60, height=60))
    assert path.count("M") == path.count("z") == 3


def decoded(uri):
    head, data = uri.split(",")
    assert head == "data:image/webp;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"))


def test_a_picture_survives_as_a_data_uri():
    photo = np.full((30, 40, 3), (200, 120, 40), np.uint8)
    assert np.abs(decoded(data_uri(photo)).astype(int) - photo).max() < 6


def test_a_crop_is_one_pixel_a_pixel(tmp_path):
    truth = disc(200, size=SIZE, middle=(350, 450))
    write_pair(tmp_path, "x", truth=truth, coarse=disc(150, size=SIZE, middle=(350, 450)))
    (pair,) = find_pairs([tmp_path]).pairs
    crop = crop_pair(pair, Orange()(), worst=frozenset())
    assert decoded(crop.picture).shape == (SIDE, SIDE, 3)
    assert decoded(crop.overview).shape == (87, 112, 3)
    assert crop.outlines.keys() == {"truth", "before", "after"}
    assert crop.frame[2:] == (SIDE / 900, SIDE / 700)


def test_without_a_photo_the_truth_is_painted(tmp_path):
    write_pair(tmp_path, "x", refined=disc(11), coarse=False, photo=False)
    (pair,) = find_pairs([tmp_path]).pairs
    crop = crop_pair(pair, None, worst=frozenset())
    picture = decoded(crop.picture)
    assert picture[20, 24].mean() > picture[0, 0].mean() + 50
    assert crop.outlines.keys() == {"truth", "after"}


def test_a_file_that_is_gone_is_said_in_its_place(tmp_path):
    write_pair(tmp_path, "x")
    (pair,) = find_pairs([tmp_path]).pairs
    (tmp_path / "x_seg.png").unlink()
    crop = crop_pair(pair, Orange()(), worst=frozenset())
    assert crop.window is None
    assert "x_seg.png" in crop.error


def test_other_engines_masks_are_outlined_in_the_same_window(tmp_path):
    write_pair(tmp_path / "data", "x", truth=disc(16), coarse=disc(9))
    (pair,) = find_pairs([tmp_path / "data"]).pairs
    folders = {"same": tmp_path / "same", "none": tmp_path / "none"}
    keep_mask(pair, disc(16), folder=folders["same"])
    crop = crop_pair(pair, Orange()(), worst=frozenset(), rivals=folders)
    assert crop.rivals == {"same": crop.outlines["truth"]}


def test_another_engines_mask_of_another_size_is_said_in_its_place(tmp_path):
    write_pair(tmp_path / "data", "x")
    (pair,) = find_pairs([tmp_path / "data"]).pairs
    keep_mask(pair, disc(9, size=(30, 30)), folder=tmp_path / "bad")
    crop = crop_pair(pair, Orange()(), worst=frozenset(), rivals={"bad": tmp_path / "bad"})
    assert crop.window is None
    assert "has not the size of its truth" in crop.error
