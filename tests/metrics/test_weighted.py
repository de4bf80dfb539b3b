"""Weighted F against its paper's formula, pixel by pixel, and against PySODMetrics."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from mask_pairs import drawn_pair, pairs, points
from reference_pairs import REFERENCE

from edgewise.metrics import weighted_f


def gaussian():
    rows, columns = np.mgrid[-3:4, -3:4]
    weights = np.exp(-(rows**2 + columns**2) / 50)
    return weights / weights.sum()


def published_weighted_f(soft, truth):
    """Margolin et al.'s E, EA, B and Ew in full, with the nearest pixel of every pixel."""
    if not truth.any():
        return math.nan
    height, width = truth.shape
    objects = points(truth).astype(int)
    error = np.abs(soft - truth)
    nearest_error, distance = error.copy(), np.zeros(truth.shape)
    for row, column in points(~truth).astype(int):
        squares = ((objects - (row, column)) ** 2).sum(axis=1)
        order = np.lexsort((objects[:, 0], objects[:, 1], squares))
        nearest_error[row, column] = error[tuple(objects[order[0]])]
        distance[row, column] = math.sqrt(squares[order[0]])
    padded, around = np.pad(nearest_error, 3), np.zeros(truth.shape)
    for row in range(height):
        for column in range(width):
            around[row, column] = (padded[row : row + 7, column : column + 7] * gaussian()).sum()
    lenient = np.where(truth & (around < error), around, error)
    weighted = lenient * np.where(truth, 1, 2 - np.exp(math.log(0.5) / 5 * distance))
    right = truth.sum() - weighted[truth].sum()
    recall = 1 - weighted[truth].mean()
    precision = right / (right + weighted[~truth].sum() + 2**-52)
    return 2 * recall * precision / (recall + precision + 2**-52)


@settings(max_examples=50)
@given(pairs(largest=22))
def test_equals_the_papers_formula(pair):
    mask, truth = pair
    soft = 0.1 + 0.7 * mask
    expected = published_weighted_f(soft, truth)
    assert weighted_f(soft, truth) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    expected = published_weighted_f(mask.astype(float), truth)
    found = weighted_f(mask.astype(np.float32), truth)
    assert found == pytest.approx(expected, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("pair", REFERENCE, ids=str)
def test_equals_pysodmetrics(pair):
    assert weighted_f(pair.soft, pair.truth) == pytest.approx(pair.values["weighted_f"], abs=1e-6)
    expected = pair.values["weighted_f_binary"]
    assert weighted_f(pair.mask.astype(float), pair.truth) == pytest.approx(expected, abs=1e-6)


def test_an_empty_truth_is_undefined():
    truth = np.zeros((8, 9), bool)
    assert math.isnan(weighted_f(truth.astype(np.float32), truth))
    assert math.isnan(weighted_f(np.ones((8, 9), np.float32), truth))


def test_a_perfect_mask_scores_1():
    _, truth = drawn_pair(3, 80, 90)
    assert weighted_f(truth.astype(np.float32), truth) == pytest.approx(1)


def test_a_surplus_further_from_the_object_costs_more():
    truth = np.zeros((40, 90), bool)
    truth[10:30, 10:30] = True
    scores = []
    for column in (30, 35, 50, 80):
        soft = truth.astype(np.float32)
        soft[10:30, column : column + 5] = 1
        scores.append(weighted_f(soft, truth))
    assert scores == sorted(set(scores), reverse=True)
