"""GrabCut and the guided filter improve what they can, and take every mask."""

import numpy as np
import pytest

from edgewise.baselines import grabcut, guided
from tests.fakes import disc, red_on_blue

TRUTH = disc((90, 120), (45, 60), 28)
PHOTO = red_on_blue(TRUTH)
COARSE = np.roll(TRUTH, 2, 1).astype(np.float32)


def iou(mask, truth=TRUTH):
    return (mask & truth).sum() / (mask | truth).sum()


@pytest.mark.parametrize("refine", [grabcut, guided])
def test_a_moved_disc_comes_nearer_to_the_truth(refine):
    assert iou(refine(PHOTO, COARSE) > 0.5) > iou(COARSE > 0.5)


@pytest.mark.parametrize("refine", [grabcut, guided])
@pytest.mark.parametrize("value", [0, 1])
def test_an_empty_or_full_mask_stays(refine, value):
    mask = np.full(TRUTH.shape, value, np.float32)
    assert np.array_equal(refine(PHOTO, mask) > 0.5, mask > 0.5)


@pytest.mark.parametrize("refine", [grabcut, guided])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (1100, 30)])
def test_extreme_photos_are_taken(refine, shape):
    mask = np.zeros(shape, np.float32)
    mask[:, : (shape[1] + 1) // 2] = 1
    assert refine(np.full((*shape, 3), 80, np.uint8), mask).shape == shape


def test_grabcut_gives_the_same_twice_and_bool():
    first = grabcut(PHOTO, COARSE)
    assert first.dtype == bool
    assert np.array_equal(first, grabcut(PHOTO, COARSE))


def test_grabcut_leaves_what_is_far_from_the_contour():
    far = PHOTO.copy()
    far[5:10, 5:10] = PHOTO[45, 60]  # of the object's colour, in a corner
    assert not grabcut(far, COARSE)[5:10, 5:10].any()


def test_the_guided_filter_is_the_published_formula():
    """Against the paper's equations 5, 6 and 8, worked out window by window."""
    random = np.random.default_rng(0)
    grey = random.integers(0, 256, (12, 14), np.uint8)
    photo = np.repeat(grey[..., None], 3, axis=2)
    mask = (random.random((12, 14)) > 0.5).astype(np.float32)
    guide = grey / 255
    # The radius is 1 % of the diagonal, here 1; at the rim windows repeat by reflection.
    slope, offset = np.zeros((2, 12, 14))
    wide, flat = np.pad(guide, 1, "reflect"), np.pad(mask.astype(float), 1, "reflect")
    for y in range(12):
        for x in range(14):
            i, p = wide[y : y + 3, x : x + 3], flat[y : y + 3, x : x + 3]
            slope[y, x] = ((i * p).mean() - i.mean() * p.mean()) / (i.var() + 1e-4)
            offset[y, x] = p.mean() - slope[y, x] * i.mean()
    a, b = np.pad(slope, 1, "reflect"), np.pad(offset, 1, "reflect")
    expected = np.empty((12, 14))
    for y in range(12):
        for x in range(14):
            near = (slice(y, y + 3), slice(x, x + 3))
            expected[y, x] = a[near].mean() * guide[y, x] + b[near].mean()
    assert np.allclose(guided(photo, mask), np.clip(expected, 0, 1), atol=1e-5)
