"""Refiner: view -> overview -> edges -> settle."""

import warnings
from dataclasses import dataclass, field
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgewise.errors import EdgewiseWarning, InputError
from edgewise.images import as_photo
from edgewise.masks import as_mask
from edgewise.network.runtime import Engine, OnnxEngine
from edgewise.passes.edges import EdgeSettings, edge_passes
from edgewise.passes.overview import overview, rescaled, to_bytes
from edgewise.passes.settle import edge_agreement, settle
from edgewise.passes.view import Box, choose_views


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Choices of the four steps; how the defaults were found is in docs/why.md.

    Attributes:
        margin: room around the object, as a share of the view's longer side.
        overview_side: longer side of the overview, in pixels.
        overview_rounds: looks at the overview, each fed the one before.
        view_gain: pieces get views of their own where those are smaller by this factor.
        most_views: above so many, one common view is used.
        edges: how the edge passes look.
        trust: log-odds of the coarse mask far from its edge (see `passes.settle`).
        near: distance at which `trust` is reached, as a share of the object's size.
        free: distance up to which the coarse mask has no say, likewise.
        exact: a coarse mask whose contour has more than this share of the refined contour's
            strength lies on the photo's edges already and comes back as it is.
    """

    margin: float = 0.15
    overview_side: int = 512
    overview_rounds: int = 1
    view_gain: float = 1.6
    most_views: int = 64
    edges: EdgeSettings = field(default_factory=EdgeSettings)
    trust: float = 4.0
    near: float = 0.12
    free: float = 0.03
    exact: float = 0.93

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.margin < 0 or self.overview_side < 1 or self.overview_rounds < 1:
            raise InputError(
                f"margin {self.margin}, overview_side {self.overview_side}, overview_rounds "
                f"{self.overview_rounds}: they must be at least 0, 1 and 1"
            )
        if not 0 <= self.free < self.near or self.view_gain <= 0:
            raise InputError(
                f"free {self.free}, near {self.near}, view_gain {self.view_gain}: free must be "
                "in [0, near), view_gain above 0"
            )


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
        size = (photo.shape[0], photo.shape[1])
        rough = to_bytes(coarse)
        soft = overview(
            engine,
            photo,
            rough,
            long_side=settings.overview_side,
            rounds=settings.overview_rounds,
        )
        if not overview_only:
            soft = edge_passes(engine, photo, soft, rough, settings.edges)
        answer = settle(
            rescaled(soft, size),
            coarse > 0.5,
            trust=settings.trust,
            near=settings.near,
            free=settings.free,
        )
        if edge_agreement(photo, coarse > 0.5, answer > 0.5) > settings.exact:
            return coarse
        return answer


@cache
def _default() -> Refiner:
    return Refiner()


def refine(photo: ArrayLike, mask: ArrayLike, *, overview_only: bool = False) -> Refinement:
    """Refine one object's mask with the package's own network, opened once a process.

    See `Refiner.refine` for arguments, result and errors.
    """
    return _default().refine(photo, mask, overview_only=overview_only)
