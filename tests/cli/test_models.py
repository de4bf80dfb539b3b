"""The models command: what the package holds, and an end in a line where nothing can be printed."""

import errno
import os
from pathlib import Path

import pytest

from edgewise.cli import BAD_INPUT, main

FULL = Path("/dev/full")


def test_each_network_is_listed_with_its_licence(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["edgewise", "models", "--verify"])
    with pytest.raises(SystemExit) as end:
        main()
    assert not end.value.code
    printed = capsys.readouterr().out
    assert printed.count("verified") == printed.count("licence: ") > 1


@pytest.mark.skipif(not FULL.exists(), reason="a device that is always full")
@pytest.mark.parametrize("also_errors", [False, True])
def test_where_nothing_can_be_printed_the_end_is_a_line_and_a_status(
    capsys, monkeypatch, also_errors
):
    monkeypatch.setattr("sys.argv", ["edgewise", "models"])
    with FULL.open("w") as full:
        monkeypatch.setattr("sys.stdout", full)
        if also_errors:
            monkeypatch.setattr("sys.stderr", full)
        with pytest.raises(SystemExit) as end:
            main()
    assert end.value.code == BAD_INPUT
    said = capsys.readouterr().err.splitlines()
    reason = os.strerror(errno.ENOSPC)
    line = f"edgewise: the standard output or a temporary file: cannot be written: {reason}"
    assert said == ([] if also_errors else [line])
