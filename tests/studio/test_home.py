"""The folder of uploads goes with its server, or with the next one where that was killed."""

import subprocess
import sys
import tempfile
from contextlib import closing

import pytest

from edgewise.studio.home import Home

KILLED = """
import os
from edgewise.studio.home import Home
home = Home()
(home.path / "upload").write_bytes(b"a photo")
os._exit(9)
"""


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    """The system's temporary folder."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_it_goes_with_its_server(place):
    with closing(Home()) as home:
        assert home.path.parent == place
        (home.path / "upload").write_bytes(b"a photo")
    assert not list(place.iterdir())


def test_that_of_a_killed_server_goes_with_the_next_start(place):
    subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert len(list(place.iterdir())) == 1
    with closing(Home()) as home:
        assert list(place.iterdir()) == [home.path]


def test_those_of_servers_that_run_and_other_folders_stay(place):
    other = place / "edgewise-studio-notes"
    other.mkdir()
    with closing(Home()) as first, closing(Home()) as second:
        assert set(place.iterdir()) == {other, first.path, second.path}
