"""An export tells how far it is, can be stopped, and runs alone."""

import threading
from contextlib import closing

import pytest
from PIL import Image

from edgewise.studio.exports import Exports
from edgewise.studio.folder import EXPORT, Queue
from edgewise.studio.jobs import StoppedJob
from edgewise.studio.limits import Limits, RefusedError
from edgewise.studio.store import Store
from tests.fakes import disc

SHAPE = (24, 30)


@pytest.fixture
def queue(tmp_path):
    """Three accepted photos."""
    for name in "abc":
        Image.new("RGB", SHAPE[::-1], "red").save(tmp_path / f"{name}_im.png")
        Image.fromarray(disc(SHAPE, (12, 15), 8)).save(tmp_path / f"{name}_seg.png")
    with closing(Queue(tmp_path)) as found:
        for key in found.entries:
            found.decide(key, "accepted", 1)
        yield found


@pytest.fixture
def store():
    with closing(Store(Limits())) as held:
        yield held


class Watched(Store):
    """A store that calls a function before each document that is asked for."""

    def __init__(self, watch):
        super().__init__(Limits())
        self.watch = watch

    def open(self, source):
        self.watch()
        return super().open(source)


def test_an_export_counts_its_photos_and_then_none(queue):
    exports, seen = Exports(), []
    with closing(Watched(lambda: seen.append((exports.done, exports.photos)))) as store:
        target, count = exports.run(queue, store, threading.Event())
    assert seen == [(0, 3), (1, 3), (2, 3)]
    assert (exports.done, exports.photos) == (0, 0)
    assert count == 3
    assert len(list(target.iterdir())) == 9


def test_a_stopped_export_leaves_nothing_and_the_next_one_does_all(queue):
    exports, stopped, opened = Exports(), threading.Event(), []

    def watch():
        opened.append(1)
        if len(opened) == 2:
            stopped.set()

    with closing(Watched(watch)) as store:
        with pytest.raises(StoppedJob):
            exports.run(queue, store, stopped)
        assert len(opened) == 2
        assert not list(queue.folder.glob(f"**/{EXPORT}*"))
        target, count = exports.run(queue, store, threading.Event())
    assert (target.name, count) == (f"{EXPORT}-1", 3)


def test_a_second_export_is_refused_while_one_runs(queue, store):
    exports, caught = Exports(), []

    def again():
        with pytest.raises(RefusedError, match="under way") as error:
            exports.run(queue, store, threading.Event())
        caught.append(error.value.status)

    with closing(Watched(again)) as watched:
        exports.run(queue, watched, threading.Event())
    assert caught == [409, 409, 409]
