"""Edits change what they should and nothing else: locks hold, refining here stays here."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgewise.network.runtime import Engine
from edgewise.refiner import Refiner, Settings
from edgewise.studio import edits
from edgewise.studio.document import Busy, Document
from edgewise.studio.first import Hints, Scribble
from edgewise.studio.jobs import Job, StoppedJob
from edgewise.studio.journal import Journal
from edgewise.studio.levels import INSIDE
from edgewise.studio.limits import RefusedError
from edgewise.studio.strokes import stroke_patch
from tests.fakes import ColourEngine, disc, overlap, red_on_blue
from tests.studio.serving import COARSE, PHOTO, SHAPE, TRUTH

LEVELS = np.where(COARSE, np.uint8(255), np.uint8(0))


@pytest.fixture
def document(tmp_path):
    return Document("key", "a.png", PHOTO, LEVELS, Journal(tmp_path / "journal", {}))


@pytest.fixture
def empty(tmp_path):
    return Document("key", "a.png", PHOTO, None, Journal(tmp_path / "empty", {}))


def worked(document, edit, *arguments, engine: Engine | None = None, **options):
    busy = document.begin("test")
    try:
        return edit(document, Job(Refiner(engine or ColourEngine())), busy, *arguments, **options)
    finally:
        document.end()


def stroke_mask(points, radius):
    mask = np.zeros(SHAPE, bool)
    patch = stroke_patch(points, radius, SHAPE)
    if patch:
        mask[patch.box.slices] = patch.pixels
    return mask


def current(document):
    return document.layers["current"].copy()


POINTS = st.lists(st.tuples(st.floats(0, 120), st.floats(0, 90)), min_size=1, max_size=3)


@settings(max_examples=20)
@given(points=POINTS, radius=st.floats(1, 15), mode=st.sampled_from(["add", "remove"]))
def test_a_stroke_sets_the_pixels_under_it_hard(tmp_path_factory, points, radius, mode):
    journal = Journal(tmp_path_factory.mktemp("d") / "journal", {})
    document = Document("key", "a.png", PHOTO, LEVELS, journal)
    under = stroke_mask(points, radius)
    edits.paint(document, mode, points, radius, lock=True)
    assert (document.layers["current"][under] == (255 if mode == "add" else 0)).all()
    np.testing.assert_array_equal(document.layers["current"][~under], LEVELS[~under])
    np.testing.assert_array_equal(document.layers["lock"] > 0, under)


def test_locks_are_drawn_and_taken_away_without_touching_the_mask(document):
    edits.paint(document, "lock", [(60, 45)], 20)
    edits.paint(document, "unlock", [(60, 45)], 8)
    locked = document.layers["lock"] > 0
    np.testing.assert_array_equal(locked, stroke_mask([(60, 45)], 20) & ~stroke_mask([(60, 45)], 8))
    np.testing.assert_array_equal(current(document), LEVELS)


def test_refining_all_finds_the_true_edge(document):
    worked(document, edits.refine_all)
    assert overlap(current(document) > INSIDE, TRUTH) > 0.97
    assert document.flags.refined


@settings(max_examples=10)
@given(points=POINTS, radius=st.floats(3, 30), here=st.booleans())
def test_locked_pixels_never_change_by_refining(tmp_path_factory, points, radius, here):
    journal = Journal(tmp_path_factory.mktemp("d") / "journal", {})
    document = Document("key", "a.png", PHOTO, LEVELS, journal)
    edits.paint(document, "lock", points, radius)
    locked = document.layers["lock"] > 0
    if here:
        worked(document, edits.refine_here, points=[(45, 45), (75, 45)], radius=30)
    else:
        worked(document, edits.refine_all)
    np.testing.assert_array_equal(current(document)[locked], LEVELS[locked])


def test_refining_here_changes_pixels_under_the_stroke_alone(document):
    points, radius = [(36, 35), (36, 55)], 9
    changed = worked(document, edits.refine_here, points=points, radius=radius)
    under = stroke_mask(points, radius)
    after = current(document)
    np.testing.assert_array_equal(after[~under], LEVELS[~under])
    core = stroke_mask(points, radius - 4)
    assert ((after > INSIDE) == TRUTH)[core].mean() > 0.97
    assert ((LEVELS > INSIDE) == TRUTH)[core].mean() < 0.9  # there was something to mend
    assert changed is not None


def test_refining_here_joins_what_was_there_without_a_step():
    patch = stroke_patch([(60, 45)], 24, SHAPE)
    share = edits._share(patch, 24)
    rim = patch.pixels & ~np.pad(patch.pixels, 1)[:-2, 1:-1]
    assert 0 < share[rim].max() <= 0.3
    assert share[24, 24] == 1
    assert not share[~patch.pixels].any()


def test_without_a_mask_there_is_nothing_to_refine(empty):
    for edit, options in (
        (edits.refine_all, {}),
        (edits.refine_here, {"points": [(5.0, 5.0)], "radius": 5.0}),
    ):
        with pytest.raises(RefusedError, match="has no mask yet") as caught:
            worked(empty, edit, **options)
        assert caught.value.status == 409


@pytest.mark.parametrize(
    "hints",
    [
        Hints(box=(30.0, 15.0, 90.0, 75.0)),
        Hints(scribbles=[Scribble(inside=True, radius=6.0, points=[(50.0, 45.0), (70.0, 45.0)])]),
        Hints(
            box=(30.0, 15.0, 90.0, 75.0),
            scribbles=[Scribble(inside=False, radius=3.0, points=[(35.0, 20.0)])],
        ),
    ],
)
def test_a_box_or_a_scribble_is_enough_to_start(empty, hints):
    worked(empty, edits.start, hints)
    assert overlap(current(empty) > INSIDE, TRUTH) > 0.95
    assert set(np.unique(empty.layers["coarse"])) == {0, 255}
    assert empty.flags.has_mask
    assert empty.flags.has_coarse
    empty.undo()
    assert not current(empty).any()
    assert not empty.flags.has_mask


def test_a_stroke_makes_a_first_mask_too(empty):
    edits.paint(empty, "add", [(60, 45)], 10)
    assert empty.flags.has_mask
    assert not empty.flags.has_coarse


def test_progress_grows_and_a_stopped_job_changes_nothing(document):
    seen = []
    busy = document.begin("refine")

    class Watching(ColourEngine):
        def __call__(self, views):
            seen.append(busy.done)
            return super().__call__(views)

    edits.refine_all(document, Job(Refiner(Watching())), busy)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert 0 < seen[-1] < 1
    before = current(document)
    job = Job(Refiner(ColourEngine()))
    job.stop()
    with pytest.raises(StoppedJob):
        edits.refine_all(document, job, busy)
    np.testing.assert_array_equal(current(document), before)


def test_a_job_that_is_stopped_at_the_end_changes_nothing_either(document):
    busy = Busy("refine")

    class Stopping(ColourEngine):
        def __call__(self, views):
            job.stop()  # after its last run nothing would look any more
            return super().__call__(views)

    job = Job(Refiner(Stopping()))
    before = current(document)
    document._busy = busy
    with pytest.raises(StoppedJob):
        edits.refine_all(document, job, busy)
    np.testing.assert_array_equal(current(document), before)


@pytest.mark.parametrize("radius", [10, 30, 40])
def test_the_expected_number_of_runs_is_about_right(radius):
    engine = ColourEngine()
    shape = (300, 300)
    mask = disc(shape, (150, 150), radius * 3)
    Job(Refiner(engine)).refiner.refine(red_on_blue(mask), mask.astype(np.float32))
    expected = edits.expected_runs(mask, Settings())
    assert expected / 3 <= len(engine.shapes) <= expected * 3
