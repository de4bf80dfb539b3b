"""Settle: where the network has no strong evidence, the coarse answer stays.

Two pieces of evidence: how sure the network is (`settle`), and how well the coarse mask's contour
lies on edges of the photo already (`edge_agreement`).
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

LEAST = 0.01  # of the weight is there even beside the edge: an even answer leaves the mask alone


def settle(
    soft: NDArray[np.float32],
    coarse: NDArray[np.bool_],
    *,
    trust: float,
    near: float,
    free: float,
) -> NDArray[np.float32]:
    """Join the network's answer with the coarse mask as a prior that grows with distance.

    In log-odds: `logit(soft) + trust * w * (2 coarse - 1)`. The weight w is next to 0 up to `free`
    times the object's size away from the coarse mask's edge and rises to 1 at `near` times. Beside
    the edge the network decides alone, which is what it is for; the further a change reaches from
    the coarse edge, the surer the network has to be. Where both agree the answer stays as it is.

    Args:
        soft: float32 HxW in 0..1, the network's answer.
        coarse: bool HxW.
        trust: log-odds of the coarse mask far from its edge.
        near: distance, as a share of the square root of the object's area, where that is reached.
        free: distance, likewise, up to which the coarse mask has no say; less than `near`.
    """
    if coarse.all() or not coarse.any():
        return soft
    against = (soft > 0.5) != coarse  # elsewhere the prior could only confirm the answer
    if not against.any():
        return soft
    size = float(np.sqrt(np.count_nonzero(coarse)))
    inside = cv2.distanceTransform(coarse.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    outside = cv2.distanceTransform((~coarse).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    away = (inside[against] + outside[against]) / size
    prior = trust * np.clip((away - free) / (near - free), LEAST, 1)
    prior[~coarse[against]] *= -1
    odds = np.clip(soft[against], 1e-6, 1 - 1e-6)
    settled = soft.copy()
    settled[against] = 1 / (1 + (1 - odds) / odds * np.exp(-prior))
    return settled


def edge_agreement(
    photo: NDArray[np.uint8], coarse: NDArray[np.bool_], refined: NDArray[np.bool_]
) -> float:
    """How strong the photo's edges are along the coarse contour, relative to the refined one.

    A rough mask's contour runs beside the photo's edges, at about half the strength that the
    refined contour finds; that of an exact mask lies on them, at about the same strength. It
    tells a mask that needs no refining from one that does, without asking the network.

    Args:
        photo: uint8 HxWx3 RGB.
        coarse: bool HxW.
        refined: bool HxW.

    Returns:
        The mean gradient along the coarse contour over that along the refined one; 0 where the
        coarse mask has no contour inside the photo, infinite where only the refined has none.
    """
    contours = [_contour(mask) for mask in (coarse, refined)]
    if not contours[0].any():
        return 0.0
    if not contours[1].any():
        return math.inf
    blurred = cv2.GaussianBlur(photo, (0, 0), 1.0)
    across = cv2.Sobel(blurred, cv2.CV_16S, 1, 0)
    down = cv2.Sobel(blurred, cv2.CV_16S, 0, 1)
    means = []
    for on in contours:
        length = np.hypot(across[on].astype(np.float32), down[on].astype(np.float32))
        means.append(float(length.max(1).mean()))
    return means[0] / max(means[1], 1e-3)


def _contour(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Pixels on both sides of the mask's edge, but for the photo's own rim of two pixels."""
    square = np.ones((3, 3), np.uint8)
    on = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_GRADIENT, square) > 0
    on[:2] = on[-2:] = False
    on[:, :2] = on[:, -2:] = False
    return np.asarray(on)
