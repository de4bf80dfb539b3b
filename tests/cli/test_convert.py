"""`edgewise convert`: formats told by content, losses said, nothing overwritten by accident."""

import json
import sys

import numpy as np
import pytest

from edgewise.cli import BAD_INPUT, main
from edgewise.formats.annotation import Form
from edgewise.formats.convert import read, write

from ..formats.shapes import dataset, masks_of, ring_shape, square


@pytest.fixture
def run(monkeypatch, capsys):
    def ran(*arguments):
        monkeypatch.setattr(sys, "argv", ["edgewise", "convert", *map(str, arguments)])
        status = 0
        try:
            main()
        except SystemExit as stopped:
            status = stopped.code or 0
        return status, capsys.readouterr().err.splitlines()

    return ran


@pytest.fixture
def source(tmp_path):
    write(dataset(ring_shape(), square(1, 1, 4)), tmp_path / "in.json", "coco", Form())
    return tmp_path / "in.json"


def test_formats_are_told_and_objects_counted(run, source, tmp_path):
    status, lines = run(source, tmp_path / "out.xml")
    assert (status, lines) == (0, [f"2 objects of 2 photos: {tmp_path / 'out.xml'}"])
    after = masks_of(read(tmp_path / "out.xml", "cvat"))
    np.testing.assert_array_equal(after, [ring_shape(), square(1, 1, 4)])


def test_formats_can_be_named(run, source, tmp_path):
    options = ("--from", "coco", "--to", "label-studio", "--as", "polygon", "--tolerance", 0)
    assert run(source, tmp_path / "out.json", *options)[0] == 0
    assert "points" in (tmp_path / "out.json").read_text()


def test_what_is_lost_is_said_and_what_cannot_be_read_gives_status_1(run, source, tmp_path):
    data = json.loads(source.read_text())
    data["annotations"][0]["iscrowd"] = 1
    data["annotations"][1]["segmentation"] = []
    source.write_text(json.dumps(data))
    status, lines = run(source, tmp_path / "out", "--to", "voc")
    assert status == 1
    assert lines == [
        "edgewise: annotation 2: empty segmentation",
        "edgewise: 1 crowd regions became ordinary objects",
        f"1 objects of 2 photos: {tmp_path / 'out'}",
    ]


@pytest.mark.parametrize(
    ("output", "options", "wrong"),
    [
        ("in.json", ("--to", "coco"), "in.json: is an input, which is never changed"),
        ("out.json", (), "name the format with --to"),
        ("out.json", ("--to", "pdf"), "no format 'pdf'"),
        ("out.json", ("--to", "coco", "--from", "cvat"), "malformed XML"),
        (".", ("--to", "voc"), "is not empty"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_status_2(
    run, source, tmp_path, output, options, wrong
):
    status, (line,) = run(source, tmp_path / output, *options)
    assert status == BAD_INPUT
    assert wrong in line


def test_a_file_of_the_folder_that_is_read_is_never_written_over(run, source, tmp_path):
    run(source, tmp_path / "labels", "--to", "labelme")
    (file, *_) = sorted((tmp_path / "labels").rglob("*.json"))
    before = file.read_bytes()
    status, (line,) = run(tmp_path / "labels", file, "--to", "coco")
    assert (status, file.read_bytes()) == (BAD_INPUT, before)
    assert f"{file}: is an input, which is never changed" in line
