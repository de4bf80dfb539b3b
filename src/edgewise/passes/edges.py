"""The edge passes: from the overview to the photo's own size, at most twice larger a step.

Each pass looks only at tiles that hold some of the boundary or of what is still uncertain, so the
cost follows the length of the edge. Tiles are chosen by that alone, never by how much of them is
object: thin parts are refined like any other.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError
from edgewise.network.runtime import Engine
from edgewise.passes.overview import rescaled, resized, stacked, to_bytes
from edgewise.passes.tiles import Blend, batches, cut, tile_grid, with_work


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """How the edge passes look.

    Attributes:
        tile: side of the tiles in pixels, a multiple of the network's stride.
        overlap: of neighbouring tiles, in pixels.
        batch: tiles of one run of the network.
        doubt: probabilities within doubt..1 - doubt count as unsure.
        reach: how far from the band a pass may change the answer, in pixels of its zoom.
        rounds: passes at the photo's own size, each fed the one before.
        rounds_pixels: larger views than this get one of them alone.
    """

    tile: int = 256
    overlap: int = 32
    batch: int = 4
    doubt: float = 0.4
    reach: float = 16.0
    rounds: int = 2
    rounds_pixels: int = 4_000_000

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.tile < 1 or not 0 <= self.overlap < self.tile:
            raise InputError(
                f"tile {self.tile}, overlap {self.overlap}: overlap must be in 0..tile-1"
            )
        if self.batch < 1 or self.rounds < 1 or self.reach <= 0 or not 0 < self.doubt < 0.5:
            raise InputError(
                f"batch {self.batch}, rounds {self.rounds}, reach {self.reach}, doubt "
                f"{self.doubt}: they must be at least 1, at least 1, above 0, and in 0..0.5"
            )


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
    away = cv2.distanceTransform((~band).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    return np.asarray(np.clip(2 - 2 * away / reach, 0, 1), np.float32)


def edge_pass(
    engine: Engine,
    photo: NDArray[np.uint8],
    soft: NDArray[np.float32],
    coarse: NDArray[np.uint8],
    settings: EdgeSettings,
) -> NDArray[np.float32]:
    """One pass at one zoom: the answer so far, better near its edge.

    Args:
        engine: the network.
        photo: uint8 HxWx3 RGB at this zoom.
        soft: float32 HxW, the answer so far, at this zoom.
        coarse: uint8 HxW in 0..255, the coarse mask at this zoom.
        settings: how to look.
    """
    shape = (soft.shape[0], soft.shape[1])
    band = work_band(soft, doubt=settings.doubt)
    boxes = with_work(tile_grid(shape, settings.tile, settings.overlap), band, settings.overlap)
    if not boxes:
        return soft
    prior = to_bytes(soft)
    blend = Blend(shape, settings.tile, settings.overlap)
    for group in batches(boxes, settings.batch):
        views = [stacked(cut(photo, box), cut(prior, box), cut(coarse, box)) for box in group]
        for box, answer in zip(group, engine(np.stack(views)), strict=True):
            blend.add(box, answer)
    weight = fade(band, settings.reach)
    return soft + weight * (blend.over(soft) - soft)


def edge_passes(
    engine: Engine,
    photo: NDArray[np.uint8],
    soft: NDArray[np.float32],
    coarse: NDArray[np.uint8],
    settings: EdgeSettings,
) -> NDArray[np.float32]:
    """All passes of a view, from the overview's answer to the view's own size.

    Args:
        engine: the network.
        photo: uint8 HxWx3 RGB, the view.
        soft: float32 hxw, the overview's answer.
        coarse: uint8 HxW in 0..255, the coarse mask of the view.
        settings: how to look.

    Returns:
        float32 HxW.
    """
    start, size = (soft.shape[0], soft.shape[1]), (photo.shape[0], photo.shape[1])
    rounds = settings.rounds if size[0] * size[1] <= settings.rounds_pixels else 1
    for zoom in zoom_sizes(start, size) + [size] * (rounds - 1):
        small, mask = resized(photo, zoom), resized(coarse, zoom)
        soft = edge_pass(engine, small, rescaled(soft, zoom), mask, settings)
    return soft
