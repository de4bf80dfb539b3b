"""The store holds few documents in memory and loses none."""

import io

import numpy as np
import pytest

from edgewise.studio import edits
from edgewise.studio.limits import Limits, RefusedError
from edgewise.studio.store import Store
from tests.studio.serving import COARSE, PHOTO, coded


@pytest.fixture
def store():
    store = Store(Limits(documents=2, uploads=4))
    yield store
    store.close()


def upload(store):
    return store.upload("a.png", io.BytesIO(coded(PHOTO)), io.BytesIO(coded(COARSE)))


def test_documents_come_back_from_the_disk_with_their_history(store):
    keys = [upload(store) for _ in range(4)]
    for number, key in enumerate(keys):
        with store.using(key) as document:
            edits.paint(document, "add", [(number * 10 + 5, 5)], 3)
    assert len(store._loaded) == 2
    for number, key in enumerate(keys):
        with store.using(key) as document:
            assert document.layers["current"][5, number * 10 + 5] == 255
            assert document.revision == 1
            document.undo()
            np.testing.assert_array_equal(document.layers["current"] > 127, COARSE)


def test_documents_in_use_or_busy_stay_in_memory(store):
    first, second = upload(store), upload(store)
    busy, _ = store.begin(first, "refine")
    with store.using(second) as held:
        for _ in range(2):
            upload(store)
        with store.using(first) as again:
            assert again is busy
        with store.using(second) as again:
            assert again is held
    busy.end()


def test_above_the_limit_the_upload_untouched_longest_goes(store):
    keys = [upload(store) for _ in range(4)]
    with store.using(keys[0]):
        pass
    upload(store)
    with store.using(keys[0]):
        pass
    with pytest.raises(RefusedError, match="no document") as caught, store.using(keys[1]):
        pass
    assert caught.value.status == 404


def test_a_refused_upload_leaves_nothing_behind(store):
    before = list(store._home.path.iterdir())
    with pytest.raises(RefusedError):
        store.upload("a.png", io.BytesIO(b"no picture"), None)
    assert list(store._home.path.iterdir()) == before
