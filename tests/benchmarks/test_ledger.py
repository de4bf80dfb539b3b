"""The ledger remembers between commands, and says when it cannot be read."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgewise.benchmarks.ledger import FILE, Ledger
from edgewise.errors import InputError, OutputError


def test_an_absent_ledger_knows_nothing(tmp_path):
    ledger = Ledger(tmp_path / "none")
    assert ledger.checksum("a") is None
    assert ledger.accepted("big") is None


def test_what_is_recorded_is_there_for_the_next_command(tmp_path):
    Ledger(tmp_path / "new").record("a", "12ab", 7)
    Ledger(tmp_path / "new").accept("big", "Not for sale.")
    ledger = Ledger(tmp_path / "new")
    assert ledger.checksum("a") == "12ab"
    assert ledger.checksum("b") is None
    assert ledger.accepted("big") == "Not for sale."


@pytest.mark.parametrize("text", ["{", "[]", '{"files": 3}'])
def test_a_damaged_ledger_is_told_by_path(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=r"ledger\.json: .*mend or remove"):
        Ledger(tmp_path).checksum("a")


def test_nothing_is_lost_where_several_write_at_once(tmp_path):
    def write(name):
        for number in range(20):
            Ledger(tmp_path).record(f"{name}{number}", "12ab", 7)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, "abcd"))
    files = json.loads((tmp_path / FILE).read_text())["files"]
    assert sorted(files) == sorted(f"{name}{number}" for name in "abcd" for number in range(20))


def test_a_root_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match=r"file: cannot be made: File exists"):
        Ledger(tmp_path / "file").accept("big", "Not for sale.")
