"""Places are where changes and doubts are, the most important first."""

import numpy as np

from edgewise.studio.places import MOST, places
from tests.fakes import disc

SHAPE = (300, 400)
LEVELS = np.where(disc(SHAPE, (150, 200), 90), np.uint8(255), np.uint8(0))


def test_nothing_changed_and_nothing_in_doubt_gives_no_place():
    assert places(LEVELS, LEVELS) == []
    assert places(LEVELS, None) == []


def test_the_larger_change_comes_first_and_each_lies_where_it_is():
    current = LEVELS.copy()
    current[100:108, 20:28] = 255
    current[250:254, 380:384] = 255
    found = places(current, LEVELS)
    assert [place.kind for place in found] == ["changed", "changed"]
    assert [(round(p.x), round(p.y)) for p in found] == [(24, 104), (382, 252)]
    assert [p.score for p in found] == [64, 16]


def test_a_doubtful_region_is_found_and_a_soft_edge_is_not():
    current = LEVELS.copy()
    current[150, 105:112] = 128  # one pixel wide, as every edge is
    current[40:50, 300:310] = 120
    found = places(current, LEVELS)
    doubts = [place for place in found if place.kind == "unsure"]
    assert len(doubts) == 1
    assert abs(doubts[0].x - 305) <= 1
    assert abs(doubts[0].y - 45) <= 1


def test_places_are_at_most_so_many_and_keep_apart():
    noise = np.random.default_rng(0).integers(0, 256, SHAPE, np.uint8)
    found = [place for place in places(noise, LEVELS) if place.kind == "changed"]
    assert 20 < len(found) <= MOST
    spots = np.array([(place.x, place.y) for place in found])
    gaps = np.abs(spots[:, None] - spots[None]).max(axis=2)
    assert gaps[~np.eye(len(spots), dtype=bool)].min() > found[0].size / 2


def test_the_smallest_photo_has_its_place():
    one = np.full((1, 1), 255, np.uint8)
    assert places(one, one * 0)[0].kind == "changed"
