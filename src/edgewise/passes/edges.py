"""The edge passes: from the overview to the photo's own size, at most twice larger a step.

Each pass looks only at tiles that hold some of the boundary or of what is still uncertain, so the
cost follows the length of the edge. Tiles are chosen by that alone, never by how much of them is
object: thin parts are refined like any other.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.network.runtime import Engine
from edgewise.passes.overview import enlarged, resized, stacked, to_bytes
from edgewise.passes.tiles import Blend, batches, cut, tile_grid, with_work


def zoom_sizes(start: tuple[int, int], end: tuple[int, int]) -> list[tuple[int, int]]:
    """Sizes of the passes after one at `start`, the last being `end`; each at most doubles."""
    factor = max(end[0] / start[0], end[1] / start[1])
    steps = max(1, math.ceil(math.log2(factor) - 0.05))
    sizes = []
    for step in range(1, steps + 1):
        share = step / steps
        sizes.append(
            (
                round(start[0] * (end[0] / start[0]) ** share),
                round(start[1] * (end[1] / start[1]) ** share),
            )
        )
    return sizes


def work_band(soft: NDArray[np.float32], *, doubt: float) -> NDArray[np.bool_]:
    """Where a pass is needed: the answer's contour, and wherever it is not sure.

    Args:
        soft: float32 HxW.
        doubt: probabilities within doubt..1 - doubt count as unsure.
    """
    mask = (soft > 0.5).astype(np.uint8)
    contour = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(contour | ((soft > doubt) & (soft < 1 - doubt)))


def fade(band: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """How far a pass may change the answer: 1 within half of `reach` pixels of the band, 0 beyond.

    It keeps a look at a part, which knows less than the overview, from opening holes inside.
    """
    away = cv2.distanceTransform((~band).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(np.clip(2 - 2 * away / reach, 0, 1), np.float32)


def edge_pass(
    engine: Engine,
    photo: NDArray[np.uint8],
    soft: NDArray[np.float32],
    coarse: NDArray[np.uint8],
    *,
    tile: int,
    overlap: int,
    batch: int,
    doubt: float,
    reach: float,
) -> NDArray[np.float32]:
    """One pass at one zoom.

    Args:
        engine: the network.
        photo: uint8 HxWx3 RGB at this zoom.
        soft: float32 HxW, the answer so far, at this zoom.
        coarse: uint8 HxW in 0..255, the coarse mask at this zoom.
        tile: side of the tiles in pixels, a multiple of the engine's stride.
        overlap: of neighbouring tiles, in pixels.
        batch: tiles of one run of the network.
        doubt: see `work_band`.
        reach: see `fade`.
    """
    band = work_band(soft, doubt=doubt)
    boxes = with_work(tile_grid(soft.shape, tile, overlap), band, overlap)  # type: ignore[arg-type]
    if not boxes:
        return soft
    prior = to_bytes(soft)
    blend = Blend(soft.shape, tile, overlap)  # type: ignore[arg-type]
    for group in batches(boxes, batch):
        views = [stacked(cut(photo, box), cut(prior, box), cut(coarse, box)) for box in group]
        for box, answer in zip(group, engine(np.stack(views)), strict=True):
            blend.add(box, answer)
    weight = fade(band, reach)
    return soft + weight * (blend.over(soft) - soft)
