"""Refiner: view -> overview -> edges -> settle."""

import warnings
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgewise.errors import EdgewiseWarning
from edgewise.images import as_photo
from edgewise.masks import as_mask
from edgewise.network.runtime import Engine, OnnxEngine
from edgewise.passes.edges import edge_pass, zoom_sizes
from edgewise.passes.overview import enlarged, overview, resized, to_bytes
from edgewise.passes.settle import settle
from edgewise.passes.view import Box, choose_views


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Choices of the four steps; the defaults were chosen on training photos (docs/why.md)."""

    margin: float = 0.15
    overview_side: int = 384
    overview_rounds: int = 1
    view_gain: float = 1.6
    most_views: int = 64
    tile: int = 256
    overlap: int = 64
    batch: int = 4
    doubt: float = 0.05
    reach: float = 24.0
    trust: float = 2.0
    near: float = 0.15


@dataclass(frozen=True)
class Refinement:
    """What comes back: `mask` bool HxW, and `soft` float32 HxW in 0..1 that it was made from."""

    mask: NDArray[np.bool_]
    soft: NDArray[np.float32]


class Refiner:
    """Refines masks; holds the opened network, so make one and use it for many photos.

    Args:
        engine: the network; by default the package's own on every core.
        settings: choices of the steps.
    """

    def __init__(self, engine: Engine | None = None, *, settings: Settings | None = None) -> None:
        self.engine = engine or OnnxEngine()
        self.settings = settings or Settings()

    def refine(
        self, photo: ArrayLike, mask: ArrayLike, *, overview_only: bool = False
    ) -> Refinement:
        """Refine one object's mask.

        Args:
            photo: uint8 HxWx3 RGB (HxW grey and HxWx4 are taken as well).
            mask: HxW, bool, uint8 (0/1 or 0..255) or float in 0..1: the coarse mask.
            overview_only: stop after the overview: fast, edges as exact as a small picture's.

        Returns:
            The refined mask, of the photo's size.

        Raises:
            InputError: an array of another form, or sizes that differ.
        """
        picture = as_photo(photo)
        coarse = as_mask(mask, (picture.shape[0], picture.shape[1]))
        inside = coarse > 0.5
        if inside.all() or not inside.any():
            what = "full" if inside.any() else "empty"
            warnings.warn(
                f"the mask is {what}: it came back as it was", EdgewiseWarning, stacklevel=2
            )
            return Refinement(inside, inside.astype(np.float32))
        soft = inside.astype(np.float32)
        for view in self._views(inside):
            answer = self._refine_view(picture[view.slices], coarse[view.slices], overview_only)
            soft[view.slices] = answer
        return Refinement(soft > 0.5, soft)

    def _views(self, inside: NDArray[np.bool_]) -> list[Box]:
        settings = self.settings
        return choose_views(
            inside,
            margin=settings.margin,
            least=8,
            gain=settings.view_gain,
            most=settings.most_views,
        )

    def _refine_view(
        self, photo: NDArray[np.uint8], coarse: NDArray[np.float32], overview_only: bool
    ) -> NDArray[np.float32]:
        settings, engine = self.settings, self.engine
        rough = to_bytes(coarse)
        soft = overview(
            engine,
            photo,
            rough,
            long_side=settings.overview_side,
            rounds=settings.overview_rounds,
        )
        size = (photo.shape[0], photo.shape[1])
        for height, width in [] if overview_only else zoom_sizes(soft.shape, size):  # type: ignore[arg-type]
            zoom = (height, width)
            soft = edge_pass(
                engine,
                resized(photo, zoom),
                enlarged(soft, zoom),
                resized(rough, zoom),
                tile=settings.tile,
                overlap=settings.overlap,
                batch=settings.batch,
                doubt=settings.doubt,
                reach=settings.reach,
            )
        return settle(enlarged(soft, size), coarse > 0.5, trust=settings.trust, near=settings.near)


@cache
def _default() -> Refiner:
    return Refiner()


def refine(photo: ArrayLike, mask: ArrayLike, *, overview_only: bool = False) -> Refinement:
    """Refine one object's mask with the package's own network, opened once a process.

    See `Refiner.refine` for arguments, result and errors.
    """
    return _default().refine(photo, mask, overview_only=overview_only)
