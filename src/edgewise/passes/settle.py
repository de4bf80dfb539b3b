"""Settle: where the network has no strong evidence, the coarse answer stays."""

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
    times the object's size away from the coarse mask's edge and rises to 1 at `near` times. Beside the
    edge the network decides alone, which is what it is for; the further a change reaches from the
    coarse edge, the surer the network has to be.

    Args:
        soft: float32 HxW in 0..1, the network's answer.
        coarse: bool HxW.
        trust: log-odds of the coarse mask far from its edge.
        near: distance, as a share of the square root of the object's area, where that is reached.
        free: distance, likewise, up to which the coarse mask has no say; less than `near`.
    """
    if coarse.all() or not coarse.any():
        return soft
    size = float(np.sqrt(np.count_nonzero(coarse)))
    inside = cv2.distanceTransform(coarse.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform((~coarse).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    share = np.clip(((inside + outside) / size - free) / (near - free), LEAST, 1)
    prior = trust * np.where(coarse, share, -share)
    odds = np.clip(soft, 1e-6, 1 - 1e-6)
    return np.asarray(1 / (1 + (1 - odds) / odds * np.exp(-prior)), np.float32)
