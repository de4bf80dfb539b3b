"""The edge passes: from the overview to the photo's own size or twice that, about doubling.

Each pass looks only at tiles that hold some of the boundary or of what is still uncertain, and
nothing else is computed or held, so the cost follows the length of the edge. Tiles are chosen by
that alone, never by how much of them is object: thin parts are refined like any other.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError
from edgewise.network.runtime import Engine
from edgewise.passes.answers import Answer, Doubled, Halved, Known, Refined
from edgewise.passes.overview import rescaled, stacked, to_bytes
from edgewise.passes.planes import Level, Pyramid, halved, reduced
from edgewise.passes.threads import mapped
from edgewise.passes.tiles import GRAIN, ramp, tiles_over
from edgewise.passes.view import Box


@dataclass(frozen=True, kw_only=True)
class EdgeSettings:
    """How the edge passes look.

    Attributes:
        tile: side of the largest tiles in pixels, a multiple of the network's stride.
        overlap: of neighbouring tiles, in pixels.
        batch: tiles of one run of the network; more than one pays on a GPU alone.
        doubt: probabilities within doubt..1 - doubt count as unsure.
        reach: how far from the band a pass may change the answer, in pixels of its zoom.
        doubled_pixels: views of at most so many are looked at beyond their own size, at twice it.
    """

    tile: int = 256
    overlap: int = 16
    batch: int = 1
    doubt: float = 0.4
    reach: float = 16.0
    doubled_pixels: int = 4_000_000

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.overlap < 0 or self.tile - self.overlap < GRAIN:
            raise InputError(
                f"tile {self.tile}, overlap {self.overlap}: overlap must be in 0..tile-{GRAIN}"
            )
        if self.batch < 1 or self.reach <= 0 or not 0 < self.doubt < 0.5:
            raise InputError(
                f"batch {self.batch}, reach {self.reach}, doubt {self.doubt}: they must be at "
                "least 1, above 0, and in 0..0.5"
            )


def zooms(start: tuple[int, int], end: tuple[int, int]) -> list[int]:
    """How often a view of size `end` is halved for each pass after one at `start`; the last is 0.

    The first pass is at most 2.83 times as large as `start`, each after it twice the one before.
    """
    factor = max(end[0] / start[0], end[1] / start[1])
    steps = max(1, round(math.log2(factor)))
    return list(range(steps - 1, -1, -1))


def work_band(soft: NDArray[np.float32], *, doubt: float) -> NDArray[np.bool_]:
    """Where a pass is needed: the answer's contour, and wherever it is not sure.

    Args:
        soft: float32 HxW.
        doubt: probabilities within doubt..1 - doubt count as unsure.
    """
    mask = (soft > 0.5).view(np.uint8)
    contour = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return np.asarray(contour | ((soft > doubt) & (soft < 1 - doubt)))


def fade(band: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """How far a pass may change the answer: 1 within half of `reach` pixels of the band, 0 beyond.

    It keeps a look at a part, which knows less than the overview, from opening holes inside.
    """
    away = cv2.distanceTransform((~band).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5)
    # Where there is no band at all, distances are the largest numbers there are.
    return np.asarray(np.clip(2 - 2 * np.minimum(away, reach) / reach, 0, 1), np.float32)


def work_in(answer: Answer, boxes: Iterable[Box], *, doubt: float, grain: int) -> NDArray[np.bool_]:
    """Which squares of `grain` pixels need a pass, looked for in these boxes alone.

    Args:
        answer: the answer so far.
        boxes: where; they may reach outside the picture.
        doubt: as `work_band`.
        grain: side of the squares in pixels.
    """
    shape = answer.shape
    work = np.zeros((-(-shape[0] // grain), -(-shape[1] // grain)), np.bool_)
    for box in boxes:
        top, left = max(0, box.top // grain), max(0, box.left // grain)
        bottom, right = (
            -(-min(end, side) // grain)
            for end, side in zip((box.bottom, box.right), shape, strict=True)
        )
        own = Box(top * grain, left * grain, bottom * grain, right * grain)
        around = Box(own.top - 1, own.left - 1, own.bottom + 1, own.right + 1)
        band = work_band(answer.read(around), doubt=doubt)[1:-1, 1:-1]
        work[top:bottom, left:right] |= reduced(band.astype(np.uint8) * 255, grain) > 0
    return work


def _prepared(
    photo: Level, coarse: Level, soft: Answer, box: Box, settings: EdgeSettings
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """A tile's view for the engine, its soft mask so far, and how far it may change."""
    halo = math.ceil(settings.reach) + 1  # the band beside a tile counts as well
    wide = soft.read(Box(box.top - halo, box.left - halo, box.bottom + halo, box.right + halo))
    own = slice(halo, -halo)
    weight = fade(work_band(wide, doubt=settings.doubt), settings.reach)[own, own]
    prior = wide[own, own]
    return stacked(photo.read(box), to_bytes(prior), coarse.read(box)), prior, weight


def _looks(
    engine: Engine,
    photo: Level,
    coarse: Level,
    soft: Answer,
    boxes: list[Box],
    settings: EdgeSettings,
) -> Iterator[tuple[Box, NDArray[np.float32], NDArray[np.bool_]]]:
    """Every tile's new soft mask and where it may differ, as many tiles at once as `threads`."""

    def look(
        group: list[Box],
    ) -> list[tuple[Box, NDArray[np.float32], NDArray[np.bool_]]]:
        views, priors, weights = zip(
            *(_prepared(photo, coarse, soft, box, settings) for box in group), strict=True
        )
        answers = engine(np.stack(views))
        return [
            (box, prior + weight * (answer - prior), weight > 0)
            for box, prior, weight, answer in zip(group, priors, weights, answers, strict=True)
        ]

    # Tiles of one run are of one size. The largest come first: cores get done at about one time.
    groups: list[list[Box]] = []
    for _, same in groupby(sorted(boxes, key=_size, reverse=True), key=_size):
        tiles = list(same)
        groups += [tiles[i : i + settings.batch] for i in range(0, len(tiles), settings.batch)]
    for done in mapped(look, groups, getattr(engine, "threads", 1)):
        yield from done


def _size(box: Box) -> tuple[int, int, int]:
    return box.height * box.width, box.height, box.width


def edge_pass(
    engine: Engine,
    photo: Level,
    coarse: Level,
    soft: Answer,
    boxes: list[Box],
    settings: EdgeSettings,
) -> Answer:
    """One pass at one zoom: the answer so far, better near its edge.

    Args:
        engine: the network.
        photo: the photo at this zoom.
        coarse: the coarse mask at this zoom, 0..255.
        soft: the answer so far, at this zoom.
        boxes: the tiles to look at.
        settings: how to look.
    """
    if not boxes:
        return soft
    better = Refined(soft)
    for box, answer, changed in _looks(engine, photo, coarse, soft, boxes, settings):
        weight = ramp(box.height, box.width, settings.overlap)
        better.add(box, answer, weight, changed)
    better.finish()
    return better


def edge_answer(
    engine: Engine,
    photo: Pyramid,
    coarse: Pyramid,
    soft: NDArray[np.float32],
    settings: EdgeSettings,
) -> Answer:
    """All passes of a view, from the overview's answer to the view's own size, or to twice that.

    Args:
        engine: the network.
        photo: the view.
        coarse: the coarse mask of the view, 0..255.
        soft: float32 hxw, the overview's answer.
        settings: how to look.

    Returns:
        The answer at the view's own size.
    """
    size = photo.plane.shape
    last = -1 if math.prod(size) <= settings.doubled_pixels else 0
    powers = [power + last for power in zooms((soft.shape[0], soft.shape[1]), halved(size, last))]
    shape = halved(size, powers[0])
    answer: Answer = Known(rescaled(soft, shape))
    looked, grain = [Box(0, 0, *shape)], GRAIN
    for power in powers:
        shape = halved(size, power)
        # Work is looked for at half this zoom where the answer comes from there: the contour of
        # the doubled answer lies within the pixels on both sides of the half one's.
        work = work_in(answer, looked, doubt=settings.doubt, grain=grain)
        if answer.shape != shape:
            answer = Doubled(answer, shape)
            work = work[: -(-shape[0] // GRAIN), : -(-shape[1] // GRAIN)]
        looked = tiles_over(work, shape, settings.tile, settings.overlap, engine.stride)
        answer = edge_pass(
            engine, photo.level(power), coarse.level(power), answer, looked, settings
        )
        grain = GRAIN // 2
    return Halved(answer) if last else answer
