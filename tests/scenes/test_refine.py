"""Refining label maps: one label a pixel, void kept, and no matter in which order labels count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgewise
from edgewise.errors import InputError
from edgewise.network.runtime import OnnxEngine
from edgewise.passes.view import Box
from edgewise.refiner import Refiner, Settings
from edgewise.scenes.refine import Claim, SceneSettings, claims, compete, refine_labels

from ..fakes import AnswerEngine, ColourEngine, disc, prior_of, red_on_blue
from .scene_maps import painted, scenes

SMALL = SceneSettings(small=60)


class SeedEngine:
    """Answers by the pixels alone, in a way that no scene was made for."""

    stride = 64

    def __call__(self, views):
        mixed = np.sin(views.astype(np.float32).sum(axis=1) / 37) / 2 + 0.5
        return np.float32(0.9 * mixed + 0.1 * views[:, 4] / 255)


def photo_for(labels, seed=0):
    """Colours by label, and noise."""
    random = np.random.default_rng(seed)
    colours = random.integers(0, 256, (10, 3))
    noise = random.integers(-20, 21, (*labels.shape, 3))
    return np.clip(colours[labels] + noise, 0, 255).astype(np.uint8)


def photo_beside(labels):
    """A photo whose edges the labels miss by some pixels."""
    return photo_for(np.roll(labels, (4, 5), (0, 1)))


def refined(photo, labels, engine=None, **options):
    options = {"settings": SMALL, **options}
    return refine_labels(photo, labels, refiner=Refiner(engine or SeedEngine()), **options)


def test_the_edge_between_two_labels_moves_to_the_photo_s():
    truth = np.where(disc((96, 128), (48, 64), 30), 7, 3)
    coarse = np.roll(truth, 4, 1)
    photo = red_on_blue(truth == 7)

    def colour_of_own(views):
        """Each piece is what has the mean colour of its coarse mask."""
        inside = views[:, 4] > 127
        red = views[:, 0] > views[:, 2]
        wanted = np.array(
            [colour[mask].mean() > 0.5 for colour, mask in zip(red, inside, strict=True)]
        )
        return np.where(red == wanted[:, None, None], 0.9, 0.1).astype(np.float32)

    found = refined(photo, coarse, AnswerEngine(colour_of_own))
    assert (found != truth).sum() < 0.1 * (coarse != truth).sum()


@settings(max_examples=15, deadline=None)
@given(scenes, st.permutations(range(1, 6)))
def test_renaming_labels_renames_the_result(labels, names):
    photo = photo_beside(labels)
    table = np.array([0, *names])
    np.testing.assert_array_equal(table[refined(photo, labels)], refined(photo, table[labels]))


@settings(max_examples=15, deadline=None)
@given(scenes)
def test_void_stays_where_it_was_and_no_label_is_new(labels):
    found = refined(photo_beside(labels), labels)
    np.testing.assert_array_equal(found == 0, labels == 0)
    assert set(np.unique(found)) <= set(np.unique(labels))


def test_some_of_these_scenes_change():
    labels = painted(7)
    assert (refined(photo_beside(labels), labels) != labels).any()


def test_labels_whose_edges_are_the_photo_s_stay():
    labels = painted(7)
    np.testing.assert_array_equal(refined(photo_for(labels), labels), labels)


def test_without_void_zero_is_a_label_like_others():
    labels = painted(7, labels=2)
    photo = photo_beside(labels)
    np.testing.assert_array_equal(
        refined(photo, labels, void=None) + 1, refined(photo, labels + 1, void=None)
    )
    assert (refined(photo, labels, void=None)[labels == 0] != 0).any()


def test_a_network_that_keeps_its_masks_keeps_the_scene():
    labels = painted(11)
    np.testing.assert_array_equal(
        refined(photo_for(labels), labels, AnswerEngine(prior_of), settings=SceneSettings(small=0)),
        labels,
    )


def test_small_pieces_keep_their_label_against_all():
    labels = np.ones((64, 64), np.int32)
    labels[20:25, 20:25] = 2
    labels[40:44, :] = 3

    def everything(views):
        return np.full(views.shape[:1] + views.shape[2:], 0.99, np.float32)

    found = refined(photo_for(labels), labels, AnswerEngine(everything))
    assert (found[labels == 2] == 2).all()


def test_one_run_of_the_network_sees_pieces_of_one_size_together_within_bounds():
    labels = np.ones((40, 400), np.int32)
    for number in range(8):
        labels[10:30, 50 * number + 10 : 50 * number + 30] = 2
    engine = ColourEngine()
    refined(
        photo_for(labels),
        labels,
        engine,
        settings=SceneSettings(small=60, batch_pixels=5 * 128 * 128, looks=1, enlarged=2),
    )
    assert sorted(shape[0] for shape in engine.shapes if shape[2:] == (128, 128)) == [3, 5]


@pytest.mark.parametrize("looks", [1, 3])
def test_a_small_view_is_seen_at_its_own_size_each_time_with_the_answer_before(looks):
    labels = np.zeros((90, 150), np.int32)
    labels[30:60, 50:100] = 1
    seen = []

    def a_little_surer(views):
        seen.append(views[0].copy())
        return views[:, 3].astype(np.float32) / 255 * 0.8 + 0.1

    refined(
        photo_for(labels),
        labels,
        AnswerEngine(a_little_surer),
        settings=SceneSettings(small=60, looks=looks, enlarged=1, still=0),
    )
    assert [view.shape for view in seen] == [(5, 128, 128)] * looks
    expected = seen[0][4].astype(np.float32)
    for view in seen:
        np.testing.assert_allclose(view[3], expected, atol=1)
        expected = expected * 0.8 + 25.5


@pytest.mark.parametrize(("step", "looks"), [(0, 2), (4, 5)])
def test_a_piece_that_moves_no_more_is_not_seen_again(step, looks):
    labels = np.zeros((90, 150), np.int32)
    labels[30:60, 50:100] = 1
    seen = []

    def moving(views):
        seen.append(views.shape)
        return np.roll(views[:, 3], step, 2).astype(np.float32) / 255

    settings = SceneSettings(small=60, looks=5, enlarged=1)
    refined(photo_for(labels), labels, AnswerEngine(moving), settings=settings)
    assert len(seen) == looks


@pytest.mark.parametrize(("exact", "stays"), [(0.0, True), (1.0, False)])
def test_what_counts_as_exact_in_a_scene_is_the_scene_s_own_choice(exact, stays):
    labels = painted(7)
    settings = SceneSettings(small=60, exact=exact)
    found = refined(photo_beside(labels), labels, settings=settings)
    assert (found == labels).all() == stays


def test_overview_only_looks_once_at_each_piece():
    labels = np.ones((700, 900), np.int32)
    labels[100:600, 100:700] = 2
    shapes = []
    for only in (True, False):
        engine = ColourEngine()
        refined(photo_for(labels), labels, engine, settings=SceneSettings(overview_only=only))
        shapes.append(engine.shapes)
    assert sum(shape[0] for shape in shapes[0]) == 2
    assert max(max(shape[2:]) for shape in shapes[0]) == Settings().overview_side
    assert len(shapes[1]) > len(shapes[0])


class ColourProposer:
    """Proposes what is red or not, as the point inside is; remembers how often it was asked."""

    stride = 4

    def __init__(self):
        self.asked = 0

    def __call__(self, photo, mask, places):
        self.asked += 1
        red = photo[0] > photo[2]
        x, y = places[0].astype(int)
        return np.where(red[::4, ::4] == red[y, x], 8, -8).astype(np.float32)[None]


def test_a_part_that_the_labels_miss_comes_back_by_a_proposal():
    truth = np.where(disc((120, 160), (60, 80), 40), 2, 1)
    coarse = truth.copy()
    coarse[20:50] = 1  # a cap of the disc
    photo = red_on_blue(truth == 2)
    errors = []
    for proposer in (None, ColourProposer()):
        refiner = Refiner(AnswerEngine(prior_of), proposer=proposer)
        found = refine_labels(photo, coarse, refiner=refiner, settings=SMALL)
        errors.append((found != truth).sum())
    assert errors[1] < 0.2 * errors[0]


@pytest.mark.parametrize(
    ("choices", "asked"),
    [
        ({}, 3),
        ({"most_proposed": 2}, 2),
        ({"proposed_share": 0.1}, 1),
        ({"overview_only": True}, 0),
    ],
)
def test_only_the_largest_pieces_are_proposed_for(choices, asked):
    labels = np.ones((100, 100), np.int32)
    labels[10:30, 10:30] = 2
    labels[60:80, 60:80] = 3
    labels[50:59, 10:19] = 4  # less than the share
    proposer = ColourProposer()
    refiner = Refiner(SeedEngine(), proposer=proposer)
    settings = SceneSettings(**{"small": 60, **choices})
    refine_labels(photo_beside(labels), labels, refiner=refiner, settings=settings)
    assert proposer.asked == asked


def test_the_result_has_the_type_of_the_labels():
    labels = painted(2).astype(np.uint16)
    assert refined(photo_for(labels), labels).dtype == np.uint16


def test_a_map_without_labels_comes_back():
    empty = np.zeros((20, 30), np.uint8)
    np.testing.assert_array_equal(refined(np.zeros((20, 30, 3), np.uint8), empty), empty)


@st.composite
def _claims(draw):
    found = []
    for _ in range(draw(st.integers(0, 6))):
        top, left = draw(st.integers(0, 5)), draw(st.integers(0, 7))
        bottom, right = draw(st.integers(top, 6)), draw(st.integers(left, 8))
        random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        soft = random.random((bottom - top, right - left), np.float32)
        found.append(Claim(draw(st.integers(1, 4)), Box(top, left, bottom, right), soft))
    return found


@settings(deadline=None)
@given(_claims(), st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.25]))
def test_the_competition_is_the_rule_pixel_by_pixel(found, seed, lead):
    coarse = np.random.default_rng(seed).integers(0, 5, (6, 8)).astype(np.int32)
    expected = coarse.copy()
    for y, x in np.ndindex(*coarse.shape):
        by_label = {}
        for claim in found:
            box = claim.box
            if box.top <= y < box.bottom and box.left <= x < box.right:
                level = float(claim.soft[y - box.top, x - box.left])
                by_label[claim.label] = max(level, by_label.get(claim.label, 0))
        own = by_label.pop(int(coarse[y, x]), None)
        if own is not None and by_label:
            label = max(by_label, key=by_label.get)
            if np.float32(by_label[label]) - np.float32(own) > np.float32(lead):
                expected[y, x] = label
    np.testing.assert_array_equal(compete(coarse, found, lead=lead), expected)


@settings(max_examples=30, deadline=None)
@given(_claims(), st.integers(0, 2**32 - 1), st.randoms())
def test_the_order_of_claims_does_not_matter(found, seed, random):
    coarse = np.random.default_rng(seed).integers(0, 5, (6, 8)).astype(np.int32)
    shuffled = random.sample(found, len(found))
    np.testing.assert_array_equal(
        compete(coarse, shuffled, lead=0.0), compete(coarse, found, lead=0.0)
    )


def test_pieces_apart_have_claims_of_their_own_and_close_ones_share_one():
    labels = np.zeros((80, 200), np.int32)
    labels[10:30, 10:30] = labels[10:30, 34:54] = labels[10:30, 150:170] = 1
    found = list(claims(Refiner(ColourEngine()), photo_for(labels), labels, settings=SMALL))
    assert len(found) == 2
    assert all(claim.soft.shape == (claim.box.height, claim.box.width) for claim in found)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (700, 3)])
def test_thin_photos_are_refined(size):
    labels = np.ones(size, np.int32)
    labels[: (size[0] + 1) // 2, : (size[1] + 1) // 2] = 2
    photo = np.zeros((*size, 3), np.uint8)
    found = refined(photo, labels, settings=SceneSettings(small=0))
    assert found.shape == size


def test_the_package_s_own_network_refines_by_default():
    truth = np.where(disc((96, 128), (48, 64), 30), 2, 1)
    found = edgewise.refine_labels(red_on_blue(truth == 2), truth)
    assert set(np.unique(found)) == {1, 2}


def test_sizes_that_differ_are_told():
    with pytest.raises(InputError, match="20x10 pixels and the photo 30x10"):
        refined(np.zeros((10, 30, 3), np.uint8), np.ones((10, 20), int))


@pytest.mark.parametrize(
    "wrong",
    [
        {"small": -1},
        {"lead": 1.0},
        {"margin": -0.1},
        {"looks": 0},
        {"still": -0.1},
        {"enlarged": 0.5},
        {"batch_pixels": 0},
        {"most_proposed": -1},
        {"proposed_share": 2},
    ],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        SceneSettings(**wrong)


def test_the_answer_does_not_depend_on_the_cores():
    labels = np.zeros((120, 300), np.int32)
    for number in range(4):
        labels[30:90, 70 * number + 10 : 70 * number + 60 - 5 * number] = number + 1
    photo = photo_for(labels)
    one, two = (Refiner(OnnxEngine(threads=threads)) for threads in (1, 2))
    np.testing.assert_array_equal(
        refine_labels(photo, labels, refiner=one), refine_labels(photo, labels, refiner=two)
    )
