"""A journal gives back what was finished, of the same run only, and goes when all is done."""

from contextlib import suppress

import pytest

from edgewise.errors import InputError, OutputError
from edgewise.formats.annotation import Rle
from edgewise.formats.journal import Entry, Journal

from .shapes import ring_shape

ENTRIES = [Entry(0, {4: Rle.of(ring_shape())}, ["annotation 5: odd"]), Entry(2, {}, [])]
RUN = {"input": "abc", "min_area": 0}


def interrupted(output, about=RUN):
    """The journal of a run that the user stopped after two photos."""
    journal = Journal(output, about, resume=True)
    with suppress(KeyboardInterrupt), journal:
        for entry in ENTRIES:
            journal.add(entry)
        raise KeyboardInterrupt
    return journal


def test_finished_photos_come_back_after_a_stop(tmp_path):
    left = interrupted(tmp_path / "out.json").path
    assert left == tmp_path / "out.json.journal"
    with Journal(tmp_path / "out.json", RUN, resume=True) as journal:
        assert journal.done == {entry.scene: entry for entry in ENTRIES}
        assert not journal.stale
        assert left.exists()
    assert not left.exists()


def test_a_second_stop_keeps_what_the_first_had(tmp_path):
    interrupted(tmp_path / "out.json")
    with suppress(KeyboardInterrupt), Journal(tmp_path / "out.json", RUN, resume=True):
        raise KeyboardInterrupt
    assert Journal(tmp_path / "out.json", RUN, resume=True).done[0] == ENTRIES[0]


def test_nothing_of_the_first_run_is_written_anew(tmp_path, monkeypatch):
    """A second run that is killed at once has lost nothing of it."""
    left = interrupted(tmp_path / "out.json").path
    before = left.read_bytes()
    monkeypatch.setattr(Journal, "add", None)
    with suppress(KeyboardInterrupt), Journal(tmp_path / "out.json", RUN, resume=True):
        assert left.read_bytes() == before
        raise KeyboardInterrupt
    assert left.read_bytes() == before


def test_two_runs_of_one_output_at_once_are_refused(tmp_path):
    with Journal(tmp_path / "out.json", RUN, resume=True) as journal:
        journal.add(ENTRIES[0])
        second = Journal(tmp_path / "out.json", RUN, resume=True)
        with pytest.raises(InputError, match=r"out.json.journal: is in use by another run"), second:
            pass
        assert journal.path.exists()


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    left = interrupted(tmp_path / "out.json").path
    left.write_text(left.read_text() + '{"scene": 1, "masks": {"3')
    assert set(Journal(tmp_path / "out.json", RUN, resume=True).done) == {0, 2}


@pytest.mark.parametrize(
    "line",
    [
        "3",
        "[]",
        '{"scene": 1}',
        '{"scene": 1, "masks": {"0": {"height": 2, "width": 2, "counts": "52"}}, "problems": []}',
        '{"scene": "x", "masks": {}, "problems": []}',
    ],
)
def test_a_damaged_line_is_left_out(tmp_path, line):
    left = interrupted(tmp_path / "out.json").path
    left.write_text(left.read_text() + line + "\n")
    assert set(Journal(tmp_path / "out.json", RUN, resume=True).done) == {0, 2}


def test_another_runs_journal_is_not_used(tmp_path):
    interrupted(tmp_path / "out.json")
    journal = Journal(tmp_path / "out.json", {**RUN, "min_area": 9}, resume=True)
    assert journal.stale
    assert journal.done == {}


def test_a_journal_is_not_used_where_that_is_not_wanted(tmp_path):
    interrupted(tmp_path / "out.json")
    assert Journal(tmp_path / "out.json", RUN, resume=False).done == {}


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("text", ["mine", '{"images": []}\n', "\n"])
def test_a_file_that_is_no_journal_is_refused_and_stays(tmp_path, text, resume):
    (tmp_path / "out.json.journal").write_text(text)
    with pytest.raises(OutputError, match=r"out.json.journal: is no journal; move it away"):
        Journal(tmp_path / "out.json", RUN, resume=resume)
    assert (tmp_path / "out.json.journal").read_text() == text


@pytest.mark.parametrize("text", ["", '{"edg', '{"edgewise": 1, "input": "ab'])
def test_a_journal_that_was_cut_off_in_its_first_line_is_begun_anew(tmp_path, text):
    (tmp_path / "out.json.journal").write_text(text)
    with Journal(tmp_path / "out.json", RUN, resume=True) as journal:
        assert journal.done == {}


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path):
    with (
        pytest.raises(OutputError, match=r"out.json.journal: cannot be written: No such file"),
        Journal(tmp_path / "none" / "out.json", RUN, resume=True),
    ):
        pass
