"""The refiner: right with a perfect engine, harmless with none, the same however it tiles."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import edgewise
from edgewise.demo import pairs
from edgewise.errors import EdgewiseWarning, InputError
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.network.runtime import OnnxEngine
from edgewise.passes.edges import EdgeSettings
from edgewise.passes.planes import Held, Pyramid
from edgewise.passes.proposal import GRID
from edgewise.refiner import Refiner, Settings
from tests.fakes import AnswerEngine, ColourEngine, disc, overlap, prior_of, red_on_blue

SMALL = Settings(overview_side=64, edges=EdgeSettings(tile=64, overlap=16))


def _moved(mask, down, right):
    return np.roll(mask, (down, right), (0, 1))


def _scene(shape=(160, 200), radius=40):
    truth = disc(shape, (shape[0] / 2, shape[1] / 2), radius)
    return red_on_blue(truth), _moved(truth, 4, -5), truth


def test_with_a_perfect_engine_the_truth_comes_back():
    photo, coarse, truth = _scene()
    refined = Refiner(ColourEngine(), settings=SMALL).refine(photo, coarse)
    assert overlap(coarse, truth) < 0.9
    assert overlap(refined.mask, truth) > 0.995
    assert refined.mask.dtype == bool
    assert refined.soft.dtype == np.float32
    assert np.array_equal(refined.mask, refined.soft > 0.5)


def test_a_mask_that_is_exact_already_comes_back_as_it_is():
    photo, _, truth = _scene()
    wrong = AnswerEngine(lambda views: prior_of(views) * 0)
    for engine in (ColourEngine(), wrong):
        assert np.array_equal(Refiner(engine, settings=SMALL).refine(photo, truth).mask, truth)


def test_a_mask_that_follows_edges_but_lacks_a_part_is_refined():
    photo, _, truth = _scene()
    half = truth.copy()
    half[:, truth.shape[1] // 2 :] = False
    photo[truth & ~half] = (200, 230, 40)  # an edge of the photo where the mask ends
    refiner = Refiner(ColourEngine(), settings=SMALL).with_settings(margin=0.8, trust=0.0)
    assert overlap(refiner.refine(photo, half).mask, truth) > 0.99
    kept = refiner.with_settings(exact_overlap=0.0).refine(photo, half).mask
    assert np.array_equal(kept, half)


def test_with_an_engine_that_repeats_its_prior_the_coarse_mask_comes_back():
    photo, coarse, _ = _scene()
    refined = Refiner(AnswerEngine(prior_of), settings=SMALL).refine(photo, coarse)
    assert overlap(refined.mask, coarse) > 0.97


def test_with_an_engine_that_is_never_sure_the_coarse_mask_s_body_stays():
    photo, coarse, _ = _scene()
    unsure = AnswerEngine(lambda views: np.full(views[:, 0].shape, 0.5, np.float32))
    refined = Refiner(unsure, settings=SMALL).refine(photo, coarse)
    assert overlap(refined.mask, coarse) > 0.97


@pytest.mark.parametrize(("gain", "changes"), [(0.0, False), (1.0, True)])
def test_what_the_judge_takes_for_no_gain_stays_as_it_was(gain, changes):
    photo, coarse, truth = _scene()
    judged = []

    class Judge:
        def __call__(self, pieces):
            judged.append(pieces.shape)
            return np.full(len(pieces), gain, np.float32)

        def verdict(self, masks):
            return np.ones(len(masks), np.float32)

    refiner = Refiner(ColourEngine(), judge=Judge(), settings=SMALL)
    refined = refiner.refine(photo, coarse)
    assert judged[0][0] > 1
    assert overlap(refined.mask, truth if changes else coarse) > 0.995
    assert np.array_equal(refined.mask, refined.soft > 0.5)
    everything = refiner.with_settings(gain_least=0.0).refine(photo, coarse)
    assert overlap(everything.mask, truth) > 0.995
    assert len(judged) == 1


@pytest.mark.parametrize("value", [False, True])
def test_an_empty_or_full_mask_comes_back_with_a_warning(value):
    photo = np.zeros((30, 40, 3), np.uint8)
    with pytest.warns(EdgewiseWarning, match="full" if value else "empty"):
        refined = Refiner(ColourEngine()).refine(photo, np.full((30, 40), value))
    assert (refined.mask == value).all()


def test_whatever_is_above_one_half_is_object():
    photo, coarse, truth = _scene()
    least = np.nextafter(np.float32(0.5), np.float32(1)) * coarse
    refined = Refiner(ColourEngine(), settings=SMALL).refine(photo, least)
    assert overlap(refined.mask, truth) > 0.995


@settings(max_examples=15)
@given(st.integers(0, 7), st.integers(30, 90), st.integers(30, 90), st.integers(5, 12))
def test_flips_and_turns_commute(turn, height, width, radius):
    truth = disc((height * 2, width * 2), (height, width), radius * 2)
    photo, coarse = red_on_blue(truth), _moved(truth, 2, 3)
    refiner = Refiner(ColourEngine(), settings=SMALL)

    def turned(image):
        image = np.rot90(image, turn % 4)
        return image[:, ::-1] if turn >= 4 else image

    expected = turned(refiner.refine(photo, coarse).mask)
    actual = refiner.refine(turned(photo), turned(coarse)).mask
    assert overlap(expected, actual) > 0.98


@settings(max_examples=10)
@given(st.integers(0, 30), st.integers(0, 30))
def test_room_around_the_photo_does_not_matter(down, right):
    photo, coarse, truth = _scene()
    padding = ((down, 5), (right, 7))
    wide = np.pad(photo, (*padding, (0, 0)), mode="edge")
    refined = Refiner(ColourEngine(), settings=SMALL).refine(wide, np.pad(coarse, padding))
    assert overlap(refined.mask, np.pad(truth, padding)) > 0.99


@pytest.mark.parametrize("tile", [64, 128, 192])
def test_the_tile_size_does_not_matter_to_an_engine_that_sees_locally(tile):
    photo, coarse, _ = _scene((400, 300), 110)
    answers = [
        Refiner(
            ColourEngine(),
            settings=Settings(overview_side=64, edges=EdgeSettings(tile=side, overlap=16)),
        ).refine(photo, coarse)
        for side in (256, tile)
    ]
    assert np.abs(answers[0].soft - answers[1].soft).max() < 1e-4


class MovingProposer:
    """A proposal network that gives prompts back, the first one moved by 2 of its grid's pixels."""

    stride = 32

    def __init__(self):
        self.prompts = []

    def __call__(self, photo, mask, places):
        self.prompts.append(mask > 0)
        return np.roll(mask, 0 if len(self.prompts) > 1 else 2, 1)[None]


def _prompts(coarse, **choices):
    """What the proposal network is asked where the refinement network repeats its prior."""
    proposer = MovingProposer()
    settings = Settings(proposal_side=128, overview_side=128, **choices)
    refiner = Refiner(AnswerEngine(prior_of), proposer=proposer, settings=settings)
    refiner.refine(red_on_blue(coarse), coarse, overview_only=True)
    return proposer.prompts


def test_a_second_proposal_is_prompted_with_what_the_overview_made_of_the_first():
    first, second = _prompts(disc((160, 200), (80, 90), 40))
    assert overlap(second, np.roll(first, 2, 1)) > 0.9
    assert overlap(second, first) < 0.88


@pytest.mark.parametrize(("large_pixels", "side"), [(10_000, 64), (100_000, 128)])
def test_large_views_are_proposed_for_at_fewer_pixels(large_pixels, side):
    coarse = disc((160, 200), (80, 90), 60)
    choices = {"proposal_side_large": 64, "large_pixels": large_pixels}
    first, second = _prompts(coarse, **choices)
    assert first.shape == second.shape
    assert max(first.shape) * GRID == side


@given(st.floats(0, 1))
def test_the_overview_starts_from_proposal_and_coarse_mask_in_their_shares(share):
    proposed = np.zeros((20, 30), np.float32)
    proposed[:10] = 0.8
    coarse = np.zeros((80, 120), np.uint8)
    coarse[:, :60] = 255
    refiner = Refiner(ColourEngine(), settings=replace(SMALL, coarse_share=share))
    prior = refiner.prior(Pyramid(Held(coarse)), proposed)
    assert np.allclose(prior[5, [5, 25]], [0.8 * (1 - share) + share, 0.8 * (1 - share)], atol=1e-5)
    assert np.allclose(prior[15, [5, 25]], [share, 0], atol=1e-5)


def test_the_second_proposal_can_be_left_out():
    assert len(_prompts(disc((160, 200), (80, 90), 40), proposal_again=1.1)) == 1


@pytest.mark.parametrize(("overview_again", "looks"), [(0, 1), (1.1, 2)])
def test_a_second_overview_is_made_only_where_the_second_proposal_says_another_thing(
    overview_again, looks
):
    coarse, seen = disc((160, 200), (80, 90), 40), []

    def answer(views):
        seen.append(views)
        return prior_of(views)

    choices = Settings(proposal_side=128, overview_side=128, overview_again=overview_again)
    refiner = Refiner(AnswerEngine(answer), proposer=MovingProposer(), settings=choices)
    refiner.refine(red_on_blue(coarse), coarse, overview_only=True)
    assert len(seen) == looks


def test_holes_and_several_pieces_are_handled():
    truth = disc((300, 400), (80, 90), 60) & ~disc((300, 400), (80, 90), 25)
    truth |= disc((300, 400), (230, 330), 40)
    coarse = disc((300, 400), (84, 92), 58) & ~disc((300, 400), (84, 92), 20)
    coarse |= disc((300, 400), (226, 333), 42)
    refined = Refiner(ColourEngine(), settings=SMALL).refine(red_on_blue(truth), coarse)
    assert overlap(refined.mask, truth) > 0.995


def test_a_small_object_in_a_large_photo_gets_its_own_view():
    truth = disc((900, 1200), (700, 1000), 12)
    engine = ColourEngine()
    refined = Refiner(engine, settings=SMALL).refine(red_on_blue(truth), _moved(truth, 2, 2))
    assert overlap(refined.mask, truth) > 0.9  # the coarse mask: 0.74
    assert len(engine.shapes) <= 5  # an overview, and tiles at twice the view's size


@pytest.mark.parametrize("shape", [(1, 2), (2, 2), (3, 700), (900, 5)])
def test_photos_of_extreme_shapes_are_handled(shape):
    coarse = np.zeros(shape, bool)
    coarse[: (shape[0] + 1) // 2, : (shape[1] + 1) // 2] = True
    refined = Refiner(ColourEngine(), settings=SMALL).refine(red_on_blue(coarse), coarse)
    assert refined.mask.shape == shape


@pytest.mark.parametrize(
    ("photo", "mask", "message"),
    [
        (np.zeros((4, 4, 2), np.uint8), np.ones((4, 4), bool), "shape"),
        (np.zeros((4, 4, 3), np.uint8), np.ones((4, 5), bool), "they must agree"),
        (np.zeros((4, 4, 3), np.float32), np.ones((4, 4), bool), "uint8"),
        (np.zeros((4, 4, 3), np.uint8), np.full((4, 4), np.nan), "(?i)nan"),
    ],
)
def test_arrays_of_another_form_are_refused(photo, mask, message):
    with pytest.raises(InputError, match=message):
        Refiner(ColourEngine()).refine(photo, mask)


@pytest.mark.parametrize(
    "wrong", [{"margin": -1}, {"overview_rounds": 0}, {"near": 0}, {"coarse_share": 1.1}]
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong)))):
        Settings(**wrong)


def test_tiles_that_the_engine_cannot_take_are_refused():
    with pytest.raises(InputError, match="tile 100: must be a multiple of 64"):
        Refiner(ColourEngine()).with_settings(edges=EdgeSettings(tile=100))


@pytest.fixture(scope="module")
def astronaut():
    pair = pairs()[0]
    photo = read_photo(pair.photo)
    return photo, read_mask(pair.coarse, size=photo.shape[:2]) > 0.5


def test_the_real_network_moves_edges_but_keeps_the_object(astronaut):
    photo, coarse = astronaut
    refined = edgewise.refine(photo, coarse).mask
    assert 0.8 < overlap(refined, coarse) < 0.999


def test_the_real_network_gives_the_same_bytes_twice(astronaut):
    refiner = Refiner(OnnxEngine(threads=2))
    first, second = (refiner.refine(*astronaut).soft.tobytes() for _ in range(2))
    assert first == second


def test_the_real_network_nearly_commutes_with_a_flip(astronaut):
    photo, coarse = astronaut
    refined = edgewise.refine(photo, coarse).mask
    mirrored = edgewise.refine(photo[:, ::-1], coarse[:, ::-1]).mask[:, ::-1]
    assert overlap(refined, mirrored) > 0.97


def test_the_real_network_nearly_keeps_its_own_answer(astronaut):
    photo, coarse = astronaut
    refined = edgewise.refine(photo, coarse).mask
    assert overlap(edgewise.refine(photo, refined).mask, refined) > 0.97


def test_the_real_network_gives_about_the_same_with_other_tiles(astronaut):
    photo, coarse = astronaut
    refined = edgewise.refine(photo, coarse).mask
    other = Settings(edges=EdgeSettings(tile=320, overlap=96))
    assert overlap(Refiner(settings=other).refine(photo, coarse).mask, refined) > 0.98
