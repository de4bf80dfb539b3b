"""Undo and redo are inverse to one another, whatever was done, and survive a restart."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.errors import InputError, OutputError
from edgewise.passes.view import Box
from edgewise.studio.document import LAYERS, Change, Document, Flags
from edgewise.studio.journal import Journal
from edgewise.studio.limits import RefusedError
from edgewise.studio.patches import Patch, patch_to

SHAPE = (9, 13)
PHOTO = np.zeros((*SHAPE, 3), np.uint8)
COARSE = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
ABOUT = {"of": "a photo"}
FLAGS = st.builds(Flags, has_mask=st.booleans(), has_coarse=st.booleans(), refined=st.booleans())


def opened(folder, coarse=COARSE):
    return Document("key", "a.jpg", PHOTO, coarse, Journal(folder / "journal", ABOUT))


def state(document):
    """Everything that an operation may change."""
    layers = {name: layer.copy() for name, layer in document.layers.items()}
    return layers, document.flags


def assert_same(one, other):
    assert one[1] == other[1]
    for name in LAYERS:
        np.testing.assert_array_equal(one[0][name], other[0][name])


@st.composite
def changes(draw):
    """New pixels for a rectangle of a layer."""
    top, left = draw(st.integers(0, SHAPE[0] - 1)), draw(st.integers(0, SHAPE[1] - 1))
    bottom, right = draw(st.integers(top + 1, SHAPE[0])), draw(st.integers(left + 1, SHAPE[1]))
    pixels = np.random.default_rng(draw(st.integers(0, 9))).integers(
        0, 256, (bottom - top, right - left), np.uint8
    )
    return Change(draw(st.sampled_from(LAYERS)), Box(top, left, bottom, right), pixels)


OPERATIONS = st.lists(
    st.one_of(st.sampled_from(["undo", "redo"]), st.tuples(st.lists(changes(), max_size=2), FLAGS)),
    max_size=10,
)


@settings(max_examples=30)
@given(operations=OPERATIONS, coarse=st.sampled_from([COARSE, None]))
def test_any_operations_taken_back_give_the_first_mask_and_made_again_the_last(
    tmp_path_factory, operations, coarse
):
    folder = tmp_path_factory.mktemp("document")
    document = opened(folder, coarse)
    stack, at = [state(document)], 0  # an independent history: whole states
    for operation in operations:
        if operation == "undo":
            if at == 0:
                with pytest.raises(RefusedError):
                    document.undo()
                continue
            document.undo()
            at -= 1
        elif operation == "redo":
            if at == len(stack) - 1:
                with pytest.raises(RefusedError):
                    document.redo()
                continue
            document.redo()
            at += 1
        elif document.apply("test", *operation):
            stack, at = [*stack[: at + 1], state(document)], at + 1
        assert_same(state(document), stack[at])
        assert (document.can_undo, document.can_redo) == (at > 0, at < len(stack) - 1)
    again = opened(folder, coarse)
    assert_same(state(again), stack[at])
    assert again.revision == document.revision
    while again.can_redo:
        again.redo()
    assert_same(state(again), stack[-1])
    while again.can_undo:
        again.undo()
    assert_same(state(again), stack[0])


@given(changes())
def test_a_patch_survives_its_way_through_json_and_undoes_itself(change):
    layers = {name: COARSE.copy() for name in LAYERS}
    patch = patch_to(change.layer, layers[change.layer], change.pixels, change.box)
    if patch is None:
        np.testing.assert_array_equal(COARSE[change.box.slices], change.pixels)
        return
    patch = Patch.from_json(patch.as_json(), layers)
    patch.lay_on(layers)
    np.testing.assert_array_equal(layers[change.layer][change.box.slices], change.pixels)
    patch.lay_on(layers)
    np.testing.assert_array_equal(layers[change.layer], COARSE)


@pytest.mark.parametrize(
    "damage",
    [
        {"layer": "other"},
        {"box": [0, 0, 99, 3]},
        {"box": [0, 0]},
        {"flips": "AAAA"},
        {"flips": "no base64"},
        {"box": [0, 0, 13, 9]},
    ],
)
def test_a_damaged_patch_is_an_error(damage):
    value = Patch("lock", Box(0, 0, 2, 3), np.ones((2, 3), np.uint8)).as_json()
    layers = {name: COARSE.copy() for name in LAYERS}
    with pytest.raises(InputError, match="patch of the journal"):
        Patch.from_json(value | damage, layers)


def test_the_rectangle_that_changed_is_the_smallest_around_all_changes(tmp_path):
    document = opened(tmp_path)
    pixels = COARSE[2:8, 1:12].copy()
    pixels[1, 2] ^= 1
    pixels[4, 7] ^= 1
    change = Change("current", Box(2, 1, 8, 12), pixels)
    assert document.apply("test", [change], document.flags) == Box(3, 3, 7, 9)
    assert document.undo() == Box(3, 3, 7, 9)
    assert document.apply("test", [], document.flags) is None


def test_while_long_work_is_under_way_others_wait(tmp_path):
    document = opened(tmp_path)
    change = Change("current", Box(0, 0, 1, 1), 255 - COARSE[:1, :1])
    document.apply("test", [change], document.flags)
    busy = document.begin("refine")
    for other in (
        lambda: document.begin("start"),
        document.undo,
        document.redo,
        lambda: document.apply("test", [], document.flags),
    ):
        with pytest.raises(RefusedError, match="is busy"):
            other()
    assert document.apply(
        "refine", [Change("lock", Box(0, 0, 1, 1), COARSE[:1, :1])], document.flags, by=busy
    )
    document.end()
    document.undo()


def test_work_that_lost_its_document_changes_nothing(tmp_path):
    document = opened(tmp_path)
    busy = document.begin("refine")
    document.end()
    document.begin("another")
    with pytest.raises(RefusedError):
        document.apply("refine", [], document.flags, by=busy)


def test_what_cannot_be_noted_is_not_done(tmp_path, monkeypatch):
    document = opened(tmp_path)
    before = state(document)

    def fail(_):
        raise OutputError("full")

    monkeypatch.setattr(Journal, "append", lambda self, event: fail(event))
    with pytest.raises(OutputError):
        document.apply("test", [Change("lock", Box(0, 0, 9, 13), COARSE)], Flags())
    assert_same(state(document), before)
    assert not document.can_undo


def test_an_event_without_sense_is_an_error(tmp_path):
    Journal(tmp_path / "journal", ABOUT).append({"do": "test", "patches": []})
    with pytest.raises(InputError, match="no sense"):
        opened(tmp_path)
