"""`edgewise refine`: one photo, a folder, and everything a user can get wrong."""

import os
import signal
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgewise import masks
from edgewise.cli import build, main, refine, run
from edgewise.masks import read_mask
from tests.fakes import disc, red_on_blue

TRUTH = disc((90, 120), (45, 60), 28)
COARSE = np.roll(TRUTH, 3, 1)


@pytest.fixture
def files(tmp_path):
    photo, mask = tmp_path / "photo.jpg", tmp_path / "mask.png"
    Image.fromarray(red_on_blue(TRUTH)).save(photo, quality=95)
    Image.fromarray(COARSE).save(mask)
    return photo, mask, tmp_path / "out.png"


def _run(capsys, *arguments):
    """Exit status and what was printed to standard error."""
    sys_argv, sys.argv = sys.argv, ["edgewise", *map(str, arguments)]
    try:
        main()
        status = 0
    except SystemExit as stop:
        status = stop.code or 0
    finally:
        sys.argv = sys_argv
    return status, capsys.readouterr().err


def test_one_photo_gives_a_one_bit_mask_of_its_size(files, capsys):
    photo, mask, out = files
    assert _run(capsys, "refine", photo, mask, "-o", out, "--threads", 1) == (0, "")
    with Image.open(out) as picture:
        assert picture.mode == "1"
        assert picture.size == (120, 90)
    assert os.stat(out).st_mode & 0o777 == os.stat(mask).st_mode & 0o777


def test_soft_gives_eight_bits(files, capsys):
    photo, mask, out = files
    assert _run(capsys, "refine", photo, mask, "-o", out, "--soft", "--overview-only")[0] == 0
    with Image.open(out) as picture:
        assert picture.mode == "L"
    assert len(np.unique(read_mask(out, soft=True))) > 2


def test_a_mask_of_another_size_is_brought_to_the_photo_s(files, capsys):
    photo, mask, out = files
    Image.fromarray(COARSE).resize((60, 45)).save(mask)
    assert _run(capsys, "refine", photo, mask, "-o", out)[0] == 0
    assert read_mask(out).shape == (90, 120)


def test_the_same_bytes_come_on_a_second_run(files, capsys, tmp_path):
    photo, mask, out = files
    again = tmp_path / "again.png"
    for path in (out, again):
        assert _run(capsys, "refine", photo, mask, "-o", path)[0] == 0
    assert out.read_bytes() == again.read_bytes()


def test_an_empty_mask_comes_back_with_a_line(files, capsys):
    photo, mask, out = files
    Image.new("1", (120, 90)).save(mask)
    status, error = _run(capsys, "refine", photo, mask, "-o", out)
    assert status == 0
    assert error == f"edgewise: {mask}: the mask is empty: it came back as it was\n"
    assert not read_mask(out).any()


def _bomb(path):
    def chunk(kind, data):
        return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)

    size = (200_000).to_bytes(4)
    header = chunk(b"IHDR", size + size + bytes((1, 0, 0, 0, 0)))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )


def _text_as_photo(files):
    files["photo"].write_text("hello")


def _half_a_photo(files):
    files["photo"].write_bytes(files["photo"].read_bytes()[:600])


def _no_bytes(files):
    files["mask"].write_bytes(b"")


def _other_aspect(files):
    Image.new("1", (50, 90)).save(files["mask"])


def _huge_header(files):
    files["photo"] = files["photo"].with_suffix(".png")
    _bomb(files["photo"])


def _renamed(key, change):
    def apply(files):
        files[key] = change(files[key])

    return apply


# What is wrong, how it is made so, and a word that the message must have.
DAMAGE = {
    "missing photo": (_renamed("photo", lambda path: path.with_name("gone.jpg")), "gone.jpg"),
    "missing mask": (_renamed("mask", lambda path: path.with_name("gone.png")), "gone.png"),
    "not an image": (_text_as_photo, "photo.jpg"),
    "truncated": (_half_a_photo, "photo.jpg"),
    "zero bytes": (_no_bytes, "mask.png"),
    "aspect": (_other_aspect, "50x90"),
    "bomb": (_huge_header, "200000x200000"),
    "folder as photo": (_renamed("photo", lambda path: path.parent), "is not a file"),
    "no folder for output": (_renamed("out", lambda path: path.parent / "no" / "o.png"), "folder"),
    "folder as output": (_renamed("out", lambda path: path.parent), "is a folder"),
    "name too long": (_renamed("out", lambda path: path.with_name(260 * "n" + ".png")), "too long"),
    "lossy output": (_renamed("out", lambda path: path.with_suffix(".jpg")), ".png"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_bad_input_is_one_line_and_leaves_nothing(files, capsys, kind):
    named = dict(zip(("photo", "mask", "out"), files, strict=True))
    damage, word = DAMAGE[kind]
    damage(named)
    before = sorted(files[0].parent.iterdir())
    status, error = _run(capsys, "refine", named["photo"], named["mask"], "-o", named["out"])
    assert status == 2
    assert error.startswith("edgewise: ")
    assert error.count("\n") == 1
    assert word in error
    assert sorted(files[0].parent.iterdir()) == before


def test_an_interrupt_ends_the_process_while_networks_open_and_no_longer(
    files, capsys, monkeypatch
):
    """An import that it broke off in one thread could make the other's wait for ever."""
    handlers = []

    def seen(function):
        def calling(*arguments, **options):
            handlers.append(signal.getsignal(signal.SIGINT))
            return function(*arguments, **options)

        return calling

    monkeypatch.setattr("edgewise.cli.refine._open", seen(refine._open))
    monkeypatch.setattr("edgewise.masks.write_mask", seen(masks.write_mask))
    before = signal.getsignal(signal.SIGINT)
    _run(capsys, "refine", *files[:2], "-o", files[2])
    assert handlers == [signal.SIG_DFL, before]
    _run(capsys, "refine", files[0].with_name("gone.jpg"), files[1], "-o", files[2])
    assert signal.getsignal(signal.SIGINT) == before


@pytest.mark.parametrize("kind", ["no folder for output", "lossy output"])
def test_an_output_that_cannot_be_is_refused_before_the_work(files, capsys, monkeypatch, kind):
    def work(*_):
        raise AssertionError

    monkeypatch.setattr("edgewise.images.load_picture", work)
    named = dict(zip(("photo", "mask", "out"), files, strict=True))
    damage, word = DAMAGE[kind]
    damage(named)
    status, error = _run(capsys, "refine", named["photo"], named["mask"], "-o", named["out"])
    assert status == 2
    assert word in error


@pytest.mark.parametrize("key", [0, 1])
def test_an_input_is_never_written_over(files, capsys, key):
    before = files[key].read_bytes()
    link = files[2].with_name("link.png")
    link.symlink_to(files[key])
    for output in (files[key], link):
        status, error = _run(capsys, "refine", *files[:2], "-o", output)
        assert status == 2
        assert error == (
            f"edgewise: {output}: is an input, which is never changed; give another name\n"
        )
    assert files[key].read_bytes() == before


def test_an_older_output_survives_a_failure(files, capsys):
    photo, mask, out = files
    out.write_bytes(b"older")
    photo.write_bytes(photo.read_bytes()[:600])
    assert _run(capsys, "refine", photo, mask, "-o", out)[0] == 2
    assert out.read_bytes() == b"older"


@pytest.mark.parametrize("size", [(1, 1), (30000, 20)])
def test_extreme_photos_are_refined(tmp_path, capsys, size):
    photo, mask, out = (tmp_path / name for name in ("p.png", "m.png", "o.png"))
    Image.new("RGB", size, (90, 120, 30)).save(photo)
    shape = np.zeros(size[::-1], bool)
    shape[:, : (size[0] + 1) // 2] = True
    Image.fromarray(shape).save(mask)
    assert _run(capsys, "refine", photo, mask, "-o", out)[0] == 0
    assert read_mask(out, soft=True).shape == size[::-1]


@pytest.fixture
def folders(tmp_path):
    for folder in ("photos", "masks"):
        (tmp_path / folder).mkdir()
    for name in "abc":
        Image.fromarray(red_on_blue(TRUTH)).save(tmp_path / "photos" / f"{name}.jpg")
        Image.fromarray(COARSE).save(tmp_path / "masks" / f"{name}.png")
    return ["--photos", tmp_path / "photos", "--masks", tmp_path / "masks", "-o", tmp_path / "out"]


def test_a_folder_is_refined_by_stem(folders, capsys):
    status, error = _run(capsys, "refine", *folders)
    assert status == 0
    assert sorted(path.name for path in folders[-1].iterdir()) == ["a.png", "b.png", "c.png"]
    assert error.startswith("3 refined, 0 failed")


def test_an_interrupt_ends_the_process_while_a_folder_s_networks_open(folders, capsys, monkeypatch):
    handlers = []
    for name in ("_open", "_refine_one"):
        monkeypatch.setattr(
            refine, name, lambda *_, **__: handlers.append(signal.getsignal(signal.SIGINT))
        )
    before = signal.getsignal(signal.SIGINT)
    _run(capsys, "refine", *folders)
    assert handlers == [signal.SIG_DFL, before, before, before]


def test_a_failed_photo_is_told_and_the_rest_go_on(folders, capsys):
    (folders[1] / "b.jpg").write_bytes(b"broken")
    status, error = _run(capsys, "refine", *folders)
    assert status == 1
    assert "b.jpg" in error
    assert sorted(path.name for path in folders[-1].iterdir()) == ["a.png", "c.png"]


def test_a_photo_without_mask_is_told(folders, capsys):
    (folders[3] / "b.png").unlink()
    status, error = _run(capsys, "refine", *folders)
    assert status == 1
    assert "b.jpg: no mask of this stem" in error


@pytest.mark.parametrize("arguments", [[], ["--photos", "."], ["a.jpg", "--masks", "."]])
def test_half_a_job_is_refused(capsys, arguments):
    status, error = _run(capsys, "refine", *arguments, "-o", "x.png")
    assert status == 2
    assert "PHOTO MASK" in error


def test_a_folder_of_inputs_is_never_written_over(folders, capsys):
    masks = folders[3]
    before = {path.name: path.read_bytes() for path in masks.iterdir()}
    status, error = _run(capsys, "refine", *folders[:-1], masks)
    assert status == 2
    assert "is an input, which is never changed" in error
    folders[-1].mkdir()
    (folders[-1] / "b.png").symlink_to(masks / "b.png")
    status, error = _run(capsys, "refine", *folders)
    assert status == 2
    assert "b.png: is an input, which is never changed" in error
    assert {path.name: path.read_bytes() for path in masks.iterdir()} == before


@pytest.mark.parametrize("memory", ["0", "100MB", 400 * "9"])
def test_a_memory_that_cannot_be_is_refused_before_the_first_photo(folders, capsys, memory):
    status, error = _run(capsys, "refine", *folders, "--memory", memory)
    assert status == 2
    assert error.count("\n") == 1
    assert "expected" in error
    assert not folders[-1].exists()


def test_results_do_not_go_among_the_photos(folders, capsys):
    photos = folders[1]
    before = sorted(photos.iterdir())
    status, error = _run(capsys, "refine", *folders[:-1], photos)
    assert status == 2
    assert f"{photos}: is an input, which is never changed" in error
    assert sorted(photos.iterdir()) == before


def test_two_photos_of_one_stem_are_refused(folders, capsys):
    Image.fromarray(red_on_blue(TRUTH)).save(folders[1] / "a.png")
    status, error = _run(capsys, "refine", *folders)
    assert status == 2
    assert "two photos of one stem: a.jpg, a.png; keep one" in error
    assert not folders[-1].exists()


def test_two_masks_of_one_stem_are_refused(folders, capsys):
    Image.fromarray(COARSE).save(folders[3] / "a.tif")
    status, error = _run(capsys, "refine", *folders)
    assert status == 2
    assert "two masks of one stem" in error


def test_the_command_runs_as_a_program(files):
    photo, mask, out = files
    # What others asked for at the end is still done.
    last = "import atexit; atexit.register(print, 'last', end='')"
    command = [sys.executable, "-c", f"{last}; from edgewise.cli import run; run()", "refine"]
    done = subprocess.run([*command, photo, mask, "-o", out], check=True, stdout=subprocess.PIPE)
    assert out.exists()
    assert done.stdout == b"last"
    closed = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    failed = subprocess.run([*closed, photo, out.parent / "none.png", "-o", out], check=False)
    assert failed.returncode == 2


def test_a_process_with_an_engine_of_the_users_ends_as_any_other(monkeypatch):
    """What that engine has not yet written, or does in threads, would be lost."""

    def end(code=0):
        raise SystemExit(code)

    def cut_off(code):
        raise InterruptedError(code)

    monkeypatch.setattr("edgewise.cli.main", end)
    monkeypatch.setattr("os._exit", cut_off)
    monkeypatch.setattr("atexit._run_exitfuncs", lambda: None)
    for words, how in (([], InterruptedError), (["--engine=mine:refine"], SystemExit)):
        monkeypatch.setattr(sys, "argv", ["edgewise", "refine", "a", "b", *words])
        with pytest.raises(how):
            run()


def test_an_unknown_option_is_refused():
    assert CliRunner().invoke(build(), ["refine", "a", "b", "--nosuch"]).exit_code == 2
