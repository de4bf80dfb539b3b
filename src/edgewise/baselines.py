"""Baselines: two classical refiners, and worked examples of an engine that is a function.

Each takes a photo and a coarse mask and gives a mask: `edgewise evaluate DIR --engine grabcut` is
short for `--engine edgewise.baselines:grabcut`, and any function of that form will do.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Photo = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Soft = NDArray[np.float32]

BAND = 0.02
"""GrabCut decides pixels up to this share of the diagonal from the coarse contour."""

GRABCUT_SIDE = 1000
"""Longer side in pixels at which GrabCut works; it takes minutes on more."""

GRABCUT_ROUNDS = 5
SEED = 0

RADIUS = 0.01
"""Of the guided filter's window, as a share of the diagonal."""

REGULARISATION = 1e-4
"""The guided filter's epsilon, for a guide in 0..1: a variance below it counts as flat."""


def grabcut(photo: Photo, mask: Soft) -> Mask:
    """GrabCut (Rother et al. 2004) in a band along the coarse contour.

    Args:
        photo: uint8 HxWx3 RGB.
        mask: float32 HxW in 0..1.

    Returns:
        bool HxW. The coarse mask where it is empty or full, or leaves nothing sure.
    """
    coarse = mask > 0.5
    scale = min(1.0, GRABCUT_SIDE / max(coarse.shape))
    size = (max(1, round(coarse.shape[1] * scale)), max(1, round(coarse.shape[0] * scale)))
    small = np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)
    levels = np.where(coarse, 255, 0).astype(np.uint8)
    rough = cv2.resize(levels, size, interpolation=cv2.INTER_AREA) > 127
    labels = _band_labels(rough)
    if not (labels == cv2.GC_FGD).any() or not (labels == cv2.GC_BGD).any():
        return coarse
    cv2.setRNGSeed(SEED)  # its mixtures start at random
    models = np.zeros((2, 1, 65), np.float64)
    everything = (0, 0, 1, 1)  # a rectangle, which it ignores with a mask
    cv2.grabCut(
        small, labels, everything, models[0], models[1], GRABCUT_ROUNDS, cv2.GC_INIT_WITH_MASK
    )
    inside = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    answer = cv2.resize(inside.astype(np.float32), coarse.shape[::-1])
    return np.asarray(answer > 0.5)


def _band_labels(rough: Mask) -> NDArray[np.uint8]:
    """GrabCut's labels: sure away from the contour, probable beside it."""
    reach = BAND * float(np.hypot(*rough.shape))
    inside = rough.astype(np.uint8)
    deep, far = (
        cv2.distanceTransform(one, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) > reach
        for one in (inside, 1 - inside)
    )
    labels = np.where(rough, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[deep & rough] = cv2.GC_FGD
    labels[far & ~rough] = cv2.GC_BGD
    return labels


def guided(photo: Photo, mask: Soft) -> Soft:
    """A guided filter (He, Sun and Tang 2010): the mask as a local linear function of grey.

    Args:
        photo: uint8 HxWx3 RGB.
        mask: float32 HxW in 0..1.

    Returns:
        float32 HxW in 0..1.
    """
    radius = max(1, round(RADIUS * float(np.hypot(*mask.shape))))
    guide = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY) / np.float64(255)
    coarse = mask.astype(np.float64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.blur(values, (2 * radius + 1, 2 * radius + 1)))

    centre, level = mean(guide), mean(coarse)
    spread = mean(guide * guide) - centre * centre
    slope = (mean(guide * coarse) - centre * level) / (spread + REGULARISATION)
    offset = level - slope * centre
    answer = mean(slope) * guide + mean(offset)
    return np.clip(answer, 0, 1).astype(np.float32)
