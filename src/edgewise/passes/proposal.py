"""The proposal: what whole object the coarse mask means, as a promptable segmenter sees it.

The refinement network moves edges; it does not know that a horse has a head where the coarse mask
has none. A segmenter prompted with the mask, its box and a point inside it does. Of its candidates
the one closest to the coarse mask counts, and only where the two agree well enough.
"""

from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.network.runtime import Proposer
from edgewise.passes.overview import resized, up_to

_Level = TypeVar("_Level", np.bool_, np.uint8)

MEAN_COLOUR = (124, 116, 104)  # what the network takes for "no photo here"
GRID = 4  # pixels of the photo a side for one of the mask
SURE = 8.0  # log-odds of the coarse mask as a prompt
MOST_SURE = 12.0  # log-odds beyond which a candidate's probability is 0 or 1


def propose(
    network: Proposer,
    photo: NDArray[np.uint8],
    coarse: NDArray[np.uint8],
    *,
    long_side: int,
    least: float,
) -> NDArray[np.float32] | None:
    """The candidate closest to the coarse mask.

    Args:
        network: the proposal network.
        photo: uint8 HxWx3 RGB, a view of the object.
        coarse: uint8 HxW in 0..255, the coarse mask there; above 127 is object.
        long_side: longer side of the look in pixels.
        least: IoU with the coarse mask that a candidate must have.

    Returns:
        float32 hxw in 0..1, the whole view at about `long_side` / 4; None where no candidate is
        close enough or nothing of the coarse mask is left at that size.
    """
    size = look_size(photo.shape[:2], long_side)
    small, rough = resized(photo, size), resized(coarse, size)
    height, width = (side // GRID for side in size)
    prompt = prompt_of(rough, (height, width))
    if not (rough > 127).any() or not (prompt > 0).any():
        return None
    candidates = network(
        padded(small, network.stride),
        padded_mask(prompt, network.stride // GRID),
        prompt_places(rough > 127),
    )[:, :height, :width]
    shares = [overlap(candidate > 0, prompt > 0) for candidate in candidates]
    best = int(np.argmax(shares))
    if shares[best] < least:
        return None
    odds = np.clip(candidates[best], -MOST_SURE, MOST_SURE)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def prompt_of(mask: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """Log-odds of a mask 0..255 on the prompt's grid of so many rows and columns."""
    grid = cv2.resize(mask, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
    return np.asarray((grid / 255 * 2 - 1) * SURE, np.float32)


def look_size(shape: tuple[int, ...], long_side: int) -> tuple[int, int]:
    """Height and width of the look, multiples of the mask's grid."""
    scale = long_side / max(shape)
    height, width = (max(GRID, round(side * scale / GRID) * GRID) for side in shape)
    return height, width


def padded(photo: NDArray[np.uint8], stride: int) -> NDArray[np.uint8]:
    """HxWx3 as (3, H', W'), multiples of `stride`."""
    height, width = photo.shape[:2]
    canvas = np.empty((3, up_to(height, stride), up_to(width, stride)), np.uint8)
    canvas[:] = np.array(MEAN_COLOUR, np.uint8)[:, None, None]
    canvas[:, :height, :width] = photo.transpose(2, 0, 1)
    return canvas


def padded_mask(odds: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Log-odds hxw at multiples of `stride`, with surely nothing beyond."""
    canvas = np.full([up_to(side, stride) for side in odds.shape], -SURE, np.float32)
    canvas[: odds.shape[0], : odds.shape[1]] = odds
    return canvas


def prompt_places(mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Where a mask that is not empty lies, as (3, 2) x and y in pixels.

    The first is the pixel farthest from its edge, then come its box's first and last corner.
    """
    inside = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)[
        1:-1, 1:-1
    ]
    y, x = np.unravel_index(int(inside.argmax()), inside.shape)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    corners = [(columns[0], rows[0]), (columns[-1] + 1, rows[-1] + 1)]
    return np.array([(x, y), *corners], np.float32)


def overlap(one: NDArray[_Level], other: NDArray[_Level]) -> float:
    """IoU of two masks, bool or of 0 and 255; 1 where both are empty."""
    union = np.count_nonzero(one | other)
    return np.count_nonzero(one & other) / union if union else 1.0
