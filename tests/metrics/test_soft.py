"""MAE and S-measure against their papers' formulas, and against PySODMetrics."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mask_pairs import coarse, drawn_pair, pairs
from reference_pairs import REFERENCE

from edgewise.metrics import mae, s_measure


def object_score(levels):
    if not levels.size:
        return 0.0
    deviation = levels.std(ddof=1) if levels.size > 1 else 0.0
    return 2 * levels.mean() / (levels.mean() ** 2 + 1 + deviation)


def similarity(soft, truth):
    """SSIM of a quarter without its constants; 1 where both are flat and nothing differs."""
    freedom = max(soft.size - 1, 2**-52)
    spread = ((soft - soft.mean()) ** 2).sum() + ((truth - truth.mean()) ** 2).sum()
    covariance = ((soft - soft.mean()) * (truth - truth.mean())).sum() / freedom
    lower = (soft.mean() ** 2 + truth.mean() ** 2) * spread / freedom
    upper = 4 * soft.mean() * truth.mean() * covariance
    return upper / (lower + 2**-52) if upper else float(lower == 0)


def published_s_measure(soft, truth):
    if not truth.any() or truth.all():
        return soft.mean() if truth.any() else 1 - soft.mean()
    share = truth.mean()
    by_object = share * object_score(soft[truth]) + (1 - share) * object_score(1 - soft[~truth])
    row, column = (np.round(axis.mean()).astype(int) + 1 for axis in np.nonzero(truth))
    by_region = 0.0
    for rows in (np.s_[:row], np.s_[row:]):
        for columns in (np.s_[:column], np.s_[column:]):
            part = soft[rows, columns]
            if part.size:
                by_region += similarity(part, truth[rows, columns]) * part.size / truth.size
    return max(0.0, (by_object + by_region) / 2)


@given(pairs())
def test_mae_is_the_mean_difference(pair):
    mask, truth = pair
    soft = mask * 0.75 + 0.125
    expected = sum(abs(float(a) - float(b)) for a, b in zip(soft.flat, truth.flat, strict=True))
    assert mae(soft, truth) == pytest.approx(expected / truth.size, abs=1e-12)


@given(pairs())
def test_s_measure_of_a_binary_mask_equals_the_papers_formula(pair):
    mask, truth = pair
    soft = mask.astype(np.float64)
    assert s_measure(soft, truth) == pytest.approx(published_s_measure(soft, truth), abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_s_measure_of_a_soft_mask_equals_the_papers_formula(seed):
    _, truth = drawn_pair(seed, 201, 143)
    soft = coarse(np.random.default_rng(seed), truth) / 255
    assert s_measure(soft, truth) == pytest.approx(published_s_measure(soft, truth), abs=1e-9)


@pytest.mark.parametrize("pair", REFERENCE, ids=str)
def test_both_equal_pysodmetrics(pair):
    assert mae(pair.soft, pair.truth) == pytest.approx(pair.values["mae"], abs=1e-12)
    assert s_measure(pair.soft, pair.truth) == pytest.approx(pair.values["s_measure"], abs=1e-9)
    binary = pair.mask.astype(float)
    expected = pair.values["s_measure_binary"]
    assert s_measure(binary, pair.truth) == pytest.approx(expected, abs=1e-9)


@given(st.floats(0, 1, width=32), st.integers(2, 400), st.integers(1, 400))
def test_rounding_is_no_structure_in_a_flat_mask(level, height, width):
    """Quarters in which the truth is flat too score 1, the upper ones 0, at whatever level."""
    truth = np.zeros((height, width), bool)
    truth[height // 2 :] = True
    by_object = truth.mean() * 2 * level / (level**2 + 1)
    by_object += (1 - truth.mean()) * 2 * (1 - level) / ((1 - level) ** 2 + 1)
    below = height - 1 - round((height // 2 + height - 1) / 2)
    flat = s_measure(np.full(truth.shape, level, np.float32), truth)
    assert flat == pytest.approx((by_object + below / height) / 2, abs=1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_floating_form_gives_the_same(dtype):
    mask, truth = drawn_pair(2, 90, 70)
    assert s_measure(mask.astype(dtype), truth) == s_measure(mask.astype(float), truth)
    assert mae(mask.astype(dtype), truth) == mae(mask.astype(float), truth)


def test_empty_and_full_truths_score_by_the_mean():
    soft = np.linspace(0, 0.5, 20).reshape(4, 5)
    assert s_measure(soft, np.zeros((4, 5), bool)) == pytest.approx(0.75)
    assert s_measure(soft, np.ones((4, 5), bool)) == pytest.approx(0.25)


def test_a_perfect_mask_scores_1_and_0():
    _, truth = drawn_pair(3, 80, 90)
    assert s_measure(truth.astype(float), truth) == pytest.approx(1)
    assert mae(truth.astype(float), truth) == 0
