"""Line files keep whole lines, whatever the end of a process leaves behind them."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.errors import InputError, OutputError
from edgewise.lines import LineFile

VALUES = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8), max_size=3)


def read(path):
    file = LineFile(path)
    try:
        return [json.loads(line) for line in file.lines()]
    finally:
        file.close()


@settings(max_examples=40)
@given(st.lists(VALUES, max_size=6), st.integers(0, 400), VALUES)
def test_after_any_cut_the_whole_lines_are_there_and_more_can_be_added(
    tmp_path_factory, rows, cut, new
):
    path = tmp_path_factory.mktemp("lines") / "file"
    file = LineFile(path)
    for row in rows:
        file.add(row)
    file.close()
    data = path.read_bytes()[:cut]
    path.write_bytes(data)
    file = LineFile(path)
    kept = [json.loads(line) for line in file.lines()]
    file.add(new)
    file.sync()
    file.close()
    assert kept == rows[: data.count(b"\n")]
    assert read(path) == [*kept, new]


def test_a_name_that_is_no_unicode_is_kept(tmp_path):
    name = os.fsdecode(b"caf\xe9.png")
    file = LineFile(tmp_path / "file")
    file.add({"done": name})
    file.close()
    assert read(tmp_path / "file") == [{"done": name}]


def test_a_locked_file_is_refused_to_others_until_it_is_closed(tmp_path):
    first, second = LineFile(tmp_path / "file"), LineFile(tmp_path / "file")
    first.lock()
    with pytest.raises(InputError, match="in use by another run"):
        second.lock()
    first.close()
    second.lock()
    second.close()


def test_a_file_that_cannot_be_made_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"none/file: cannot be written"):
        LineFile(tmp_path / "none" / "file")


@pytest.mark.parametrize("name", ["/dev/zero", "pipe"])
def test_what_is_no_file_is_refused(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is not a regular file"):
        LineFile(tmp_path / name)
