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
    coarse edge, the surer the network has to be. Where both agree the answer stays as it is.

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
    inside = cv2.distanceTransform(coarse.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    outside = cv2.distanceTransform((~coarse).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    away = (inside[against] + outside[against]) / size
    prior = trust * np.clip((away - free) / (near - free), LEAST, 1)
    prior[~coarse[against]] *= -1
    odds = np.clip(soft[against], 1e-6, 1 - 1e-6)
    settled = soft.copy()
    settled[against] = 1 / (1 + (1 - odds) / odds * np.exp(-prior))
    return settled
