"""Journals give back what was written, also after the process was killed in the middle."""

import json
import os
import signal
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.errors import InputError, OutputError
from edgewise.studio.journal import Journal

ABOUT = {"of": "this"}
EVENTS = [{"do": "a"}, {"do": "b", "n": [1, 2]}, {"do": "ü"}]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "below" / "journal"


@pytest.fixture
def written(path):
    journal = Journal(path, ABOUT)
    for event in EVENTS:
        journal.append(event)
    return path


def events(path):
    return [event for _, event in Journal(path, ABOUT).events]


def test_nothing_is_written_before_there_is_something_to_say(path):
    assert Journal(path, ABOUT).events == []
    assert not path.parent.exists()


def test_events_come_back_in_order_and_by_their_places(written):
    journal = Journal(written, ABOUT)
    assert [journal.event(place) for place, _ in journal.events] == EVENTS
    place = journal.append({"do": "c"})
    assert journal.event(place) == {"do": "c"}
    assert events(written) == [*EVENTS, {"do": "c"}]


@settings(max_examples=25)
@given(cut=st.integers(1, 200))
def test_a_cut_off_line_is_left_out_and_the_next_one_is_whole(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "journal"
    journal = Journal(path, ABOUT)
    for event in EVENTS:
        journal.append(event)
    data = path.read_bytes()
    cut = min(cut, len(data))
    path.write_bytes(data[:-cut])
    whole = max(0, data[:-cut].count(b"\n") - 1)
    journal = Journal(path, ABOUT)
    assert [event for _, event in journal.events] == EVENTS[:whole]
    journal.append({"do": "next"})
    assert events(path) == [*EVENTS[:whole], {"do": "next"}]


def test_a_killed_process_loses_nothing_that_it_had_been_told_was_written(path):
    code = (
        "import sys; from pathlib import Path; from edgewise.studio.journal import Journal\n"
        f"journal = Journal(Path({str(path)!r}), {ABOUT!r})\n"
        "for n in range(10**6):\n"
        "    journal.append({'n': n, 'fill': 'x' * 5000}); print(n, flush=True)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        for _ in range(20):
            line = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        told = [*map(int, process.stdout.read().split()), int(line)]
    numbers = [event["n"] for event in events(path)]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= max(told) + 1


def test_a_journal_of_something_else_is_refused_and_left_alone(written):
    before = written.read_bytes()
    with pytest.raises(InputError, match="another photo"):
        Journal(written, {"of": "that"})
    assert written.read_bytes() == before


@pytest.mark.parametrize("line", [b"{broken", b"[1]", b"\xff\xfe"])
def test_damage_in_the_middle_is_told_by_its_line(written, line):
    lines = written.read_bytes().split(b"\n")
    lines[2] = line
    written.write_bytes(b"\n".join(lines))
    with pytest.raises(InputError, match="line 3"):
        Journal(written, ABOUT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_journal_that_cannot_be_written_says_so(written):
    written.chmod(0o400)
    with pytest.raises(OutputError, match="cannot be written"):
        Journal(written, ABOUT).append({})


def test_a_failed_write_leaves_no_part_of_a_line(written, monkeypatch):
    journal = Journal(written, ABOUT)

    def fail(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OutputError, match="No space left"):
            journal.append({"do": "lost"})
    journal.append({"do": "kept"})
    assert events(written) == [*EVENTS, {"do": "kept"}]


def test_an_event_that_has_gone_from_the_disk_is_an_error(written):
    journal = Journal(written, ABOUT)
    place = journal.events[-1][0]
    written.write_text(json.dumps(ABOUT) + "\n")
    with pytest.raises(InputError, match="cannot be read any more"):
        journal.event(place)


@pytest.mark.parametrize("damage", [os.unlink, lambda path: path.write_bytes(b"short")])
def test_nothing_is_written_behind_what_has_gone(written, damage):
    journal = Journal(written, ABOUT)
    damage(written)
    left = written.read_bytes() if written.exists() else None
    with pytest.raises(OutputError, match="removed or cut off"):
        journal.append({"do": "next"})
    assert (written.read_bytes() if written.exists() else None) == left
