"""`edgewise cutout`: files in, files out, and one line where something cannot be used."""

import sys

import numpy as np
import pytest
from PIL import Image

from edgewise.cli import BAD_INPUT, main
from edgewise.cutout import compose, cut_out
from edgewise.network import runtime
from edgewise.refiner import Refiner
from tests.fakes import NothingProposer

SIZE = (80, 96)


class FakeEngine:
    """Answers with the prior, blurred to a ramp in 0.1..0.9 so that it differs from the mask."""

    stride = 64

    def __init__(self, model="default", *, threads=None, device="cpu"):
        self.options = (model, threads, device)

    def __call__(self, views):
        prior = views[:, 3].astype(np.float32) / 255
        near = (prior + np.roll(prior, 1, 1) + np.roll(prior, 1, 2)) / 3
        return 0.1 + 0.88 * near


@pytest.fixture
def files(save):
    """Paths of a photo and of a soft mask, and their arrays."""
    photo = np.random.default_rng(2).integers(0, 256, (*SIZE, 3), np.uint8)
    mask = np.zeros(SIZE, np.uint8)
    mask[20:60, 30:70] = 255
    mask[20, 30:70] = 100
    mask[60, 30:70] = 200
    return save(photo, "photo.png"), save(mask, "mask.png"), photo, mask


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command with a fake network; gives the exit status and standard error."""

    def ran(*arguments):
        monkeypatch.setattr(runtime, "OnnxEngine", FakeEngine)
        monkeypatch.setattr(runtime, "OnnxProposer", NothingProposer)
        monkeypatch.setattr(sys, "argv", ["edgewise", "cutout", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = stopped.code or 0
        return status, capsys.readouterr().err

    return ran


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize("name", ["out.png", "out.webp", "out.tif"])
def test_without_refining_the_masks_levels_are_the_alpha(run, files, tmp_path, name):
    photo_path, mask_path, photo, mask = files
    assert run(photo_path, mask_path, "-o", tmp_path / name, "--no-refine") == (0, "")
    expected = cut_out(photo, (mask / 255).astype(np.float32), is_alpha=True)
    np.testing.assert_array_equal(pixels(tmp_path / name), expected)
    np.testing.assert_array_equal(expected[..., 3], mask)


def test_by_default_the_refined_soft_mask_is_cut_out(run, files, tmp_path):
    photo_path, mask_path, photo, mask = files
    assert run(photo_path, mask_path, "-o", tmp_path / "out.png") == (0, "")
    soft = Refiner(FakeEngine()).refine(photo, mask).soft
    np.testing.assert_array_equal(pixels(tmp_path / "out.png"), cut_out(photo, soft))


def test_background_colour_gives_an_opaque_picture(run, files, tmp_path):
    photo_path, mask_path, photo, mask = files
    out = tmp_path / "out.png"
    assert run(photo_path, mask_path, "-o", out, "--no-refine", "--background", "lime")[0] == 0
    cut = cut_out(photo, (mask / 255).astype(np.float32), is_alpha=True)
    np.testing.assert_array_equal(pixels(out), compose(cut, (0, 255, 0)))


def test_background_picture_is_laid_beneath(run, files, save, tmp_path):
    photo_path, mask_path, *_ = files
    ground = save(np.full((40, 48, 3), (9, 8, 7), np.uint8), "ground.png")
    out = tmp_path / "out.jpg"
    assert run(photo_path, mask_path, "-o", out, "--no-refine", "--background", ground)[0] == 0
    assert pixels(out).shape == (*SIZE, 3)
    np.testing.assert_allclose(pixels(out)[:10], np.broadcast_to((9, 8, 7), (10, 96, 3)), atol=3)


def test_crop_keeps_the_box_of_the_object(run, files, tmp_path):
    photo_path, mask_path, *_ = files
    out = tmp_path / "out.png"
    assert run(photo_path, mask_path, "-o", out, "--no-refine", "--crop")[0] == 0
    assert pixels(out).shape == (41, 40, 4)


def test_an_index_mask_of_0_and_1_is_opaque_where_it_is_1(run, files, save, tmp_path):
    mask = save((files[3] > 127).astype(np.uint8), "index.png")
    assert run(files[0], mask, "-o", tmp_path / "out.png", "--no-refine")[0] == 0
    np.testing.assert_array_equal(pixels(tmp_path / "out.png")[..., 3] == 255, files[3] > 127)


def test_what_the_refiner_warns_of_is_told(run, files, save, tmp_path):
    full = save(np.full(SIZE, 255, np.uint8), "full.png")
    status, error = run(files[0], full, "-o", tmp_path / "out.png")
    assert status == 0
    assert error == f"edgewise: {full}: the mask is full: it came back as it was\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-o", "out.jpg"], "needs a background"),
        (["-o", "out.bmp"], "expected one of .png"),
        (["-o", "out.png", "--background", "nocolour"], "no such file, and no colour"),
        (["-o", "out.png", "--background", "#ffffff80"], "expected an opaque colour"),
        (["-o", "out.png", "--background", "rgb(300,0,0)"], "rgb(300,0,0): is out of range"),
        (["-o", "out.png", "--background", "hsl(0,300%,50%)"], "is out of range"),
        (["-o", "out.png", "--background", "x" * 300], "no such file, and no colour"),
        (["-o", "missing/out.png", "--no-refine"], "there is no folder"),
    ],
)
def test_bad_options_are_one_line_and_leave_no_file(
    run, files, tmp_path, monkeypatch, options, message
):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    status, error = run(*files[:2], *options)
    assert status == BAD_INPUT
    assert error.startswith("edgewise: ")
    assert error.count("\n") == 1
    assert message in error
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("name", ["photo.png", "mask.png", "ground.png"])
def test_an_input_is_never_written_over(run, files, save, tmp_path, name):
    ground = save(files[2], "ground.png")
    before = (tmp_path / name).read_bytes()
    status, error = run(*files[:2], "-o", tmp_path / name, "--background", ground)
    assert (status, error.count("\n")) == (BAD_INPUT, 1)
    assert "is an input, which is never changed" in error
    assert (tmp_path / name).read_bytes() == before


def test_a_mask_of_another_size_or_none_at_all_is_one_line(run, files, save, tmp_path):
    turned = save(np.ascontiguousarray(files[3].T), "turned.png")
    status, error = run(files[0], turned, "-o", tmp_path / "out.png")
    assert (status, error.count("\n")) == (BAD_INPUT, 1)
    assert "turned" in error
    empty = save(np.zeros(SIZE, np.uint8), "empty.png")
    status, error = run(files[0], empty, "-o", tmp_path / "out.png", "--no-refine", "--crop")
    assert status == BAD_INPUT
    assert "nothing to crop" in error
