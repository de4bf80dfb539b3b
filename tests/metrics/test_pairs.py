"""What metrics take, and what they say to the rest."""

import numpy as np
import pytest
from hypothesis import given
from mask_pairs import drawn_pair, pairs

from edgewise import metrics
from edgewise.errors import InputError
from edgewise.metrics.pairs import binarise, object_window

HARD = [
    metrics.iou,
    metrics.mba,
    metrics.boundary_iou,
    metrics.boundary_f,
    metrics.hausdorff,
    metrics.hd95,
    metrics.assd,
    metrics.hce,
    metrics.agreement,
    metrics.overlap,
]
SOFT = [metrics.mae, metrics.s_measure, metrics.weighted_f]
LABELS = [metrics.mba_classes, metrics.mean_iou]
MASK = np.eye(5, 7, dtype=bool)


@pytest.mark.parametrize("metric", HARD + SOFT + LABELS)
def test_differing_sizes_are_named(metric):
    form = bool if metric in HARD else np.float32 if metric in SOFT else int
    true_form = int if metric in LABELS else bool
    with pytest.raises(InputError, match=r"\(5, 7\).*\(5, 6\)"):
        metric(MASK.astype(form), MASK[:, :6].astype(true_form))


@pytest.mark.parametrize("metric", HARD)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, int])
def test_binary_metrics_take_only_bool(metric, dtype):
    with pytest.raises(InputError, match="must be bool"):
        metric(MASK.astype(dtype), MASK)
    with pytest.raises(InputError, match="truth must be bool"):
        metric(MASK, MASK.astype(dtype))


@pytest.mark.parametrize("metric", SOFT)
def test_soft_metrics_take_only_levels_from_0_to_1_and_a_binary_truth(metric):
    soft = MASK.astype(np.float32)
    with pytest.raises(InputError, match="floating"):
        metric(MASK, MASK)
    with pytest.raises(InputError, match="truth must be bool"):
        metric(soft, soft)
    for bad in (soft * 255, soft - 0.5, np.where(MASK, np.nan, soft)):
        with pytest.raises(InputError, match=r"in \[0, 1\]"):
            metric(bad, MASK)


@pytest.mark.parametrize("metric", LABELS)
def test_label_metrics_take_only_integers_from_0(metric):
    labels = MASK.astype(int)
    with pytest.raises(InputError, match="integers"):
        metric(MASK, labels)
    with pytest.raises(InputError, match="holds -1"):
        metric(labels, labels - 1)


@pytest.mark.parametrize("metric", HARD)
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (3, 4, 1), (4,)])
def test_arrays_without_pixels_or_of_other_dimensions_are_refused(metric, shape):
    with pytest.raises(InputError, match="are"):
        metric(np.zeros(shape, bool), np.zeros(shape, bool))


@pytest.mark.parametrize("metric", HARD)
@given(pair=pairs(largest=40))
def test_memory_order_does_not_matter(metric, pair):
    mask, truth = pair
    strided = np.repeat(mask, 2, axis=1)[:, ::2]
    expected = metric(mask, truth)
    np.testing.assert_equal(metric(np.asfortranarray(mask), np.asfortranarray(truth)), expected)
    np.testing.assert_equal(metric(strided, truth), expected)


@pytest.mark.parametrize("metric", SOFT + LABELS)
@given(pair=pairs(largest=30))
def test_memory_order_does_not_matter_to_soft_masks_and_labels(metric, pair):
    mask, truth = pair
    forms = (float, bool) if metric in SOFT else (int, int)
    mask, truth = mask.astype(forms[0]), truth.astype(forms[1])
    turned = metric(np.asfortranarray(mask), np.asfortranarray(truth))
    np.testing.assert_equal(turned, metric(mask, truth))


@pytest.mark.parametrize("metric", HARD)
def test_inputs_are_left_as_they_are(metric):
    mask, truth = drawn_pair(1, 60, 70)
    before = mask.copy(), truth.copy()
    mask.flags.writeable = truth.flags.writeable = False
    metric(mask, truth)
    np.testing.assert_array_equal((mask, truth), before)


def test_a_soft_mask_counts_where_its_8_bit_level_is_above_128():
    levels = np.arange(256, dtype=np.uint8)[None]
    for soft in (levels / 255, levels.astype(np.float32) / np.float32(255)):
        np.testing.assert_array_equal(binarise(soft), levels > 128)


def test_the_window_is_the_box_grown_within_the_picture():
    mask = np.zeros((20, 30), bool)
    mask[4:6, 27:29] = True
    assert np.indices(mask.shape)[:, *object_window(mask, 3)].max(axis=(1, 2)).tolist() == [8, 29]
    assert np.indices(mask.shape)[:, *object_window(mask, 3)].min(axis=(1, 2)).tolist() == [1, 24]
