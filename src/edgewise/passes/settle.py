"""Settle: where the network has no strong evidence, the coarse answer stays."""

import cv2
import numpy as np
from numpy.typing import NDArray


def settle(
    soft: NDArray[np.float32],
    coarse: NDArray[np.bool_],
    *,
    trust: float,
    near: float,
) -> NDArray[np.float32]:
    """Join the network's answer with the coarse mask as a prior that grows with distance.

    In log-odds: `logit(soft) + trust * d * (2 coarse - 1)`, with d from 0 at the coarse mask's
    edge to 1 at `near` times the object's size away from it. Beside the edge the network decides
    alone, which is what it is for; the further a change reaches from the coarse edge, the surer
    the network has to be.

    Args:
        soft: float32 HxW in 0..1, the network's answer.
        coarse: bool HxW.
        trust: log-odds of the coarse mask far from its edge.
        near: distance, as a share of the square root of the object's area, where that is reached.
    """
    if coarse.all() or not coarse.any():
        return soft
    size = float(np.sqrt(np.count_nonzero(coarse)))
    inside = cv2.distanceTransform(coarse.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform((~coarse).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    prior = trust * np.clip((inside - outside) / (near * size), -1, 1)
    odds = np.clip(soft, 1e-6, 1 - 1e-6)
    return np.asarray(1 / (1 + (1 - odds) / odds * np.exp(-prior)), np.float32)
