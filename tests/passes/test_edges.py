"""Edge passes work along the edge alone, at zooms that at most double."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgewise.errors import InputError
from edgewise.passes.answers import Doubled, Known, whole
from edgewise.passes.edges import (
    EdgeSettings,
    edge_answer,
    edge_pass,
    fade,
    work_band,
    work_in,
    zooms,
)
from edgewise.passes.planes import Held, Level, Pyramid, halved
from edgewise.passes.tiles import GRAIN, tiles_over
from edgewise.passes.view import Box
from tests.fakes import AnswerEngine, ColourEngine, disc, overlap, prior_of, red_on_blue

SETTINGS = EdgeSettings(tile=64, overlap=16, batch=4)


def _pass(engine, photo, soft, coarse):
    """One pass over an answer in memory, whole."""
    known = Known(soft)
    work = work_in(known, [Box(0, 0, *soft.shape)], doubt=SETTINGS.doubt, grain=GRAIN)
    tiles = tiles_over(work, soft.shape, SETTINGS.tile, SETTINGS.overlap, 64)
    return whole(edge_pass(engine, Level(Held(photo)), Level(Held(coarse)), known, tiles, SETTINGS))


def _passes(engine, photo, soft, coarse, settings):
    """All passes over a view in memory, whole."""
    return whole(edge_answer(engine, Pyramid(Held(photo)), Pyramid(Held(coarse)), soft, settings))


@given(st.integers(64, 6000), st.integers(64, 6000))
def test_the_first_zoom_about_doubles_and_the_last_is_the_photo(height, width):
    start = (
        max(64, height * 384 // max(height, width)),
        max(64, width * 384 // max(height, width)),
    )
    powers = zooms(start, (height, width))
    assert powers == list(range(len(powers)))[::-1]
    first = halved((height, width), powers[0])
    # Sides of few pixels are rounded by up to half of one.
    growth = max(first[0] / start[0], first[1] / start[1])
    assert (1.35 if len(powers) > 1 else 0) <= growth <= 2.9


def test_an_overview_larger_than_the_view_gets_a_pass_at_the_view_s_size():
    assert zooms((384, 384), (300, 300)) == [0]


@pytest.mark.parametrize(("doubled_pixels", "tiles"), [(64 * 64 - 1, 1), (64 * 64, 4)])
def test_small_views_are_passed_at_twice_their_size(doubled_pixels, tiles):
    engine, truth = ColourEngine(), disc((64, 64), (32, 32), 20)
    soft, rough = truth.astype(np.float32), truth.astype(np.uint8) * 255
    settings = EdgeSettings(tile=64, overlap=0, doubled_pixels=doubled_pixels)
    answer = _passes(engine, red_on_blue(truth), soft, rough, settings)
    assert len(engine.shapes) == tiles
    assert np.array_equal(answer > 0.5, truth)


@given(st.integers(33, 90), st.integers(33, 90))
def test_any_view_comes_back_at_its_own_size(height, width):
    truth = disc((height, width), (height // 2, width // 2), 14)
    soft, rough = truth.astype(np.float32), truth.astype(np.uint8) * 255
    settings = EdgeSettings(tile=64, overlap=16)
    answer = _passes(ColourEngine(), red_on_blue(truth), soft, rough, settings)
    assert np.array_equal(answer > 0.5, truth)


def test_the_band_holds_the_contour_and_what_is_unsure():
    soft = np.zeros((20, 20), np.float32)
    soft[5:10, 5:10] = 1
    soft[15, 15] = 0.3
    band = work_band(soft, doubt=0.05)
    assert band[5, 5]
    assert band[4, 7]
    assert band[15, 15]
    assert not band[7, 7]
    assert not band[0, 0]


@given(st.integers(20, 60), st.integers(20, 60), st.integers(3, 18))
def test_work_found_at_half_the_zoom_holds_the_band(row, column, radius):
    half = Known(disc((80, 90), (row, column), radius).astype(np.float32))
    doubled = Doubled(half, (160, 179))
    found = work_in(half, [Box(0, 0, 80, 90)], doubt=0.4, grain=GRAIN // 2)
    band = work_band(whole(doubled), doubt=0.4)
    pixels = np.repeat(np.repeat(found, GRAIN, 0), GRAIN, 1)[:160, :179]
    assert not (band & ~pixels).any()


def test_nothing_is_run_where_there_is_no_band():
    engine = ColourEngine()
    soft = np.ones((100, 100), np.float32)
    photo = np.zeros((100, 100, 3), np.uint8)
    assert (_pass(engine, photo, soft, np.zeros((100, 100), np.uint8)) == soft).all()
    assert engine.shapes == []


def test_the_edge_is_moved_to_the_photo_s():
    truth = disc((200, 220), (100, 110), 60)
    near = disc((200, 220), (102, 107), 58)
    photo = red_on_blue(truth)
    rough = near.astype(np.uint8) * 255
    soft = _pass(ColourEngine(), photo, near.astype(np.float32), rough)
    assert overlap(near, truth) < 0.96
    assert np.array_equal(soft > 0.5, truth)


def test_thin_parts_are_refined_like_any_other():
    truth = np.zeros((256, 256), bool)
    truth[:, 120:122] = True
    prior = np.zeros((256, 256), bool)
    prior[:, 117:119] = True
    soft = _pass(
        ColourEngine(),
        red_on_blue(truth),
        prior.astype(np.float32),
        prior.astype(np.uint8) * 255,
    )
    assert np.array_equal(soft > 0.5, truth)


def test_far_from_the_band_nothing_changes():
    mask = disc((300, 300), (150, 150), 100)
    engine = AnswerEngine(lambda views: 1 - prior_of(views))  # as wrong as can be
    soft = _pass(
        engine,
        np.zeros((300, 300, 3), np.uint8),
        mask.astype(np.float32),
        np.zeros((300, 300), np.uint8),
    )
    inner = disc((300, 300), (150, 150), 70)
    assert (soft[inner] == 1).all()
    assert (soft[~disc((300, 300), (150, 150), 130)] == 0).all()


def test_cost_follows_the_boundary_not_the_area():
    tiles = []
    for side in (512, 1024):
        engine = ColourEngine()
        mask = np.zeros((side, side), bool)
        mask[:, : side // 2] = True
        _pass(
            engine,
            np.zeros((side, side, 3), np.uint8),
            mask.astype(np.float32),
            np.zeros((side, side), np.uint8),
        )
        tiles.append(sum(shape[0] for shape in engine.shapes))
    assert tiles[1] / tiles[0] < 2.5


def test_tiles_of_several_sizes_are_run_size_by_size():
    truth = disc((900, 950), (450, 470), 400)
    soft, rough = truth.astype(np.float32), truth.astype(np.uint8) * 255
    answers, engines = [], []
    for batch in (1, 3):
        engines.append(ColourEngine())
        settings = EdgeSettings(tile=256, overlap=16, batch=batch, doubled_pixels=0)
        answers.append(_passes(engines[-1], red_on_blue(truth), soft, rough, settings))
    sizes = [[shape[2:] for shape in engine.shapes for _ in range(shape[0])] for engine in engines]
    assert len(set(sizes[0])) > 1
    assert sizes[0] == sizes[1]
    assert len(engines[1].shapes) < len(engines[0].shapes)
    assert np.array_equal(*answers)


def test_the_fade_is_whole_near_the_band_and_none_beyond_reach():
    band = np.zeros((1, 50), bool)
    band[0, 0] = True
    weight = fade(band, 20)[0]
    assert (weight[:10] == 1).all()
    assert (weight[20:] == 0).all()


def test_without_a_band_nothing_may_change():
    assert (fade(np.zeros((5, 5), bool), 16) == 0).all()


@pytest.mark.parametrize(
    "wrong",
    [{"tile": 0}, {"overlap": 256}, {"batch": 0}, {"reach": 0}, {"doubt": 0.5}],
)
def test_settings_that_cannot_work_are_refused(wrong):
    with pytest.raises(InputError, match=str(next(iter(wrong)))):
        EdgeSettings(**wrong)
