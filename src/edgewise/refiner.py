"""Refiner: view -> proposal -> overview -> edges -> settle -> judge."""

import math
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from edgewise.errors import EdgewiseWarning, InputError
from edgewise.images import as_photo
from edgewise.masks import as_mask
from edgewise.network.catalog import DEFAULT
from edgewise.network.runtime import Engine, Judge, Networks, Proposer, open_networks
from edgewise.passes.answers import Answer, Decided, Known, whole, write_into
from edgewise.passes.changes import Kept, Seen, seen_at, taken_back
from edgewise.passes.edges import EdgeSettings, edge_answer
from edgewise.passes.overview import overview, overview_power, rescaled, resized, to_bytes
from edgewise.passes.planes import (
    Enlarged,
    Held,
    Plane,
    Pyramid,
    Window,
    any_inside,
    halved,
    power_within,
)
from edgewise.passes.proposal import overlap, propose
from edgewise.passes.settle import Settled, Trust, agreement
from edgewise.passes.specks import Cleared
from edgewise.passes.view import Box, choose_views

VIEW_PIXELS = 1_000_000  # the mask's pieces are told apart where it has at most so many
MOST_HALVED = 4  # as far as one pixel of a square is still seen in the mean
CAREFUL = 0.65
"""`Settings.verdict_least` for masks that are mostly exact already."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Choices of the steps; how the defaults were found is in docs/why.md.

    Attributes:
        margin: room around the object, as a share of the view's longer side.
        proposal_side: longer side of the proposal's look, in pixels; 0 does without proposals,
        proposal_side_large: likewise in views of more than `large_pixels`,
        large_pixels: whose edges take longer; their looks gain nothing from more pixels.
        proposal_least: IoU with the coarse mask from which a proposal is believed.
        proposal_again: IoU with the overview's answer from which a second proposal, prompted with
            that answer, counts as much as the first; above 1 there is none.
        overview_again: IoU of both proposals below which the overview is made anew, from their
            mean: where the second says the same, another look only drifts from the coarse mask.
        coarse_share: share of the coarse mask beside a proposal in what the overview starts from.
        overview_side: longer side of the overview, in pixels.
        overview_rounds: looks at the overview, each fed the one before.
        view_gain: pieces get views of their own where those are smaller by this factor.
        most_views: above so many, one common view is used.
        edges: how the edge passes look.
        trust: log-odds of the coarse mask, or of the proposal that takes its place, far from its
            edge (see `passes.settle`).
        confirmed_trust: likewise of a proposal that a second one joined.
        near: distance at which `trust` is reached, as a share of the object's size.
        free: distance up to which the coarse mask has no say, likewise.
        exact: a coarse mask whose contour has more than this share of the refined contour's
            strength lies on the photo's edges already and comes back as it is,
        exact_overlap: but only if its IoU with the refined mask is at least this: a mask that
            lacks a part may follow edges all along.
        gain_least: probability of being a gain from which a piece of a change is taken (see
            `passes.changes`); 0 takes all.
        verdict_least: probability that the mask is better with all that is taken, below which it
            comes back as it is; 0 does not ask. `CAREFUL` is for masks that are mostly exact.
        held_pixels: answers of larger views are made again each time that they are read.
    """

    margin: float = 0.15
    proposal_side: int = 672
    proposal_side_large: int = 448
    large_pixels: int = 4_000_000
    proposal_least: float = 0.6
    proposal_again: float = 0.8
    overview_again: float = 0.95
    coarse_share: float = 0.25
    overview_side: int = 512
    overview_rounds: int = 1
    view_gain: float = 1.6
    most_views: int = 64
    edges: EdgeSettings = field(default_factory=EdgeSettings)
    trust: float = 4.0
    confirmed_trust: float = 6.0
    near: float = 0.12
    free: float = 0.03
    exact: float = 0.90
    exact_overlap: float = 0.90
    gain_least: float = 0.40
    verdict_least: float = 0.35
    held_pixels: int = 40_000_000

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.margin < 0 or self.overview_side < 1 or self.overview_rounds < 1:
            raise InputError(
                f"margin {self.margin}, overview_side {self.overview_side}, overview_rounds "
                f"{self.overview_rounds}: they must be at least 0, 1 and 1"
            )
        if self.proposal_side < 0 or not 0 <= self.proposal_least <= 1:
            raise InputError(
                f"proposal_side {self.proposal_side}, proposal_least {self.proposal_least}: "
                "they must be at least 0, and in 0..1"
            )
        for name in ("coarse_share", "gain_least", "verdict_least"):
            if not 0 <= getattr(self, name) <= 1:
                raise InputError(f"{name} {getattr(self, name)}: must be in 0..1")
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
        engine: the network; None opens the package's own, and its proposal network.
        proposer: the proposal network of an engine that is given; None does without proposals.
        judge: the judge of changes of an engine that is given; None takes all changes.
        settings: choices of the steps.

    Raises:
        InputError: the tiles' side is no multiple of the engine's stride.
    """

    def __init__(
        self,
        engine: Engine | None = None,
        *,
        proposer: Proposer | None = None,
        judge: Judge | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.settings = settings or Settings()
        if engine is None:
            own = _networks(DEFAULT, None, "cpu", self.settings)
            engine, proposer, judge = own.engine, proposer or own.proposer, judge or own.judge
        tile = self.settings.edges.tile
        if tile % engine.stride:
            raise InputError(f"tile {tile}: must be a multiple of {engine.stride}, the stride")
        self.engine, self.proposer, self.judge = engine, proposer, judge

    def with_settings(self, **changes: Any) -> "Refiner":
        """A refiner on the same networks, some of its `Settings` changed by name."""
        settings = replace(self.settings, **changes)
        return Refiner(self.engine, proposer=self.proposer, judge=self.judge, settings=settings)

    def on_one_core(self) -> "Refiner":
        """A refiner on the same networks for callers that keep all cores busy themselves."""
        alone = getattr(self.engine, "on_one_core", None)
        engine = alone() if alone else self.engine
        return Refiner(engine, proposer=self.proposer, judge=self.judge, settings=self.settings)

    @property
    def threads(self) -> int:
        """Cores that a photo is refined on: as many as the engine takes calls from."""
        return int(getattr(self.engine, "threads", 1))

    @classmethod
    def open(
        cls,
        model: str | os.PathLike[str] = DEFAULT,
        *,
        threads: int | None = None,
        device: str = "cpu",
        settings: Settings | None = None,
    ) -> Self:
        """A refiner on the package's networks.

        Args:
            model: a name of `edgewise models`, or the path of an .onnx file.
            threads: cores to use; None takes every core that this process may use.
            device: "cpu", or "cuda" where onnxruntime-gpu is installed.
            settings: choices of the steps.

        Raises:
            ModelError: no such model, a damaged file, or a device that is not available.
        """
        choices = settings or Settings()
        return cls.asking(_networks(model, threads, device, choices), settings=choices)

    @classmethod
    def asking(cls, networks: Networks, *, settings: Settings | None = None) -> Self:
        """A refiner that asks networks which are open already.

        Args:
            networks: what `network.runtime.open_networks` gave.
            settings: choices of the steps.
        """
        return cls(
            networks.engine, proposer=networks.proposer, judge=networks.judge, settings=settings
        )

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
        rough = levels_of(coarse)
        soft = inside.astype(np.float32)
        for view, answer in self.answers(Held(picture), Held(rough), overview_only=overview_only):
            if answer is None:
                soft[view.slices] = coarse[view.slices]
            else:
                write_into(soft[view.slices], answer, self.threads)
        return Refinement(soft > 0.5, soft)

    def answers(
        self, photo: Plane, coarse: Plane, *, overview_only: bool = False
    ) -> Iterator[tuple[Box, Answer | None]]:
        """Refine one object's mask in pictures that are read by region.

        Args:
            photo: HxWx3 RGB.
            coarse: HxW in 0..255, the coarse mask; above 127 is object.
            overview_only: stop after the overview.

        Yields:
            Each view and its answer, None where the coarse mask is exact and stays. Outside the
            views the coarse mask stays as well.
        """
        for view in self._views(coarse):
            rough = Window(coarse, view)
            answer = self._answer(Window(photo, view), rough, overview_only)
            yield view, None if answer is None else Decided(Cleared(answer, rough))

    def _views(self, coarse: Plane) -> list[Box]:
        settings = self.settings
        power = min(power_within(coarse.shape, VIEW_PIXELS), MOST_HALVED)
        return choose_views(
            any_inside(coarse, power),
            margin=settings.margin,
            least=8,
            gain=settings.view_gain,
            most=settings.most_views,
            scale=1 << power,
            shape=coarse.shape,
        )

    def _answer(self, photo: Plane, coarse: Plane, overview_only: bool) -> Answer | None:
        settings = self.settings
        photos, masks = Pyramid(photo), Pyramid(coarse)
        proposed, trust = self.proposal(photos, masks), settings.trust
        soft = self._overview(photos, masks, proposed)
        if self.proposer and proposed is not None and settings.proposal_again <= 1:
            again = self._proposed(self.proposer, photos, to_bytes(soft), settings.proposal_again)
            if again is not None:
                same = overlap(proposed > 0.5, again > 0.5) >= settings.overview_again
                proposed = np.asarray((proposed + again) / 2, np.float32)
                soft = soft if same else self._overview(photos, masks, proposed)
                trust = settings.confirmed_trust
        return self.finished(
            photos, masks, soft, proposed=proposed, trust=trust, overview_only=overview_only
        )

    def _overview(
        self, photo: Pyramid, coarse: Pyramid, proposed: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        settings = self.settings
        power = overview_power(photo.plane.shape, settings.overview_side)
        return overview(
            self.engine,
            photo.whole(power),
            coarse.whole(power),
            long_side=settings.overview_side,
            rounds=settings.overview_rounds,
            prior=None if proposed is None else self.prior(coarse, proposed),
        )

    def prior(self, coarse: Pyramid, proposed: NDArray[np.float32]) -> NDArray[np.float32]:
        """What the overview starts from where there is a proposal.

        Args:
            coarse: the coarse mask of a view.
            proposed: float32 hxw in 0..1, what `proposal` gave for it.

        Returns:
            float32 hxw in 0..1: both, in the settings' shares.
        """
        power = overview_power(coarse.plane.shape, max(proposed.shape))
        rough = resized(coarse.whole(power), (proposed.shape[0], proposed.shape[1]))
        share = np.float32(self.settings.coarse_share)
        return np.asarray((1 - share) * proposed + share / 255 * rough, np.float32)

    def finished(
        self,
        photo: Pyramid,
        coarse: Pyramid,
        soft: NDArray[np.float32],
        *,
        proposed: NDArray[np.float32] | None = None,
        trust: float | None = None,
        overview_only: bool = False,
    ) -> Answer | None:
        """From a view's overview to its answer: edge passes, what the coarse mask says, the judge.

        Args:
            photo: the view.
            coarse: its coarse mask; above 127 is object.
            soft: float32 hxw in 0..1, the overview's answer.
            proposed: float32 hxw in 0..1, the proposal that takes the coarse mask's place.
            trust: in place of the settings' own.
            overview_only: leave out the edge passes.

        Returns:
            The answer; None where the coarse mask is exact and stays.
        """
        settings, size = self.settings, photo.plane.shape
        answer: Answer = (
            Known(rescaled(soft, size))
            if overview_only
            else edge_answer(self.engine, photo, coarse, soft, settings.edges)
        )
        trust = settings.trust if trust is None else trust
        say = Trust(trust=trust, near=settings.near, free=settings.free)
        answer = Settled(answer, coarse if proposed is None else _meant(proposed, size), say)
        if math.prod(size) <= settings.held_pixels:
            answer = Known(whole(answer, self.threads))
        found = agreement(photo.plane, coarse.plane, answer, self.threads)
        same = found.overlap >= settings.exact_overlap or math.isinf(found.edges)
        if found.edges > settings.exact and same:
            return None
        if self.judge is None or not settings.gain_least or overview_only:
            return answer
        seen = seen_at(
            photo,
            coarse,
            answer,
            proposed=proposed,
            overview=soft,
            found=found,
            trust=trust if proposed is not None else -1.0,
            threads=self.threads,
        )
        back = self.taken_back(self.judge, seen)
        return None if back is None else Kept(answer, coarse.plane, back)

    def taken_back(self, judge: Judge, seen: Seen) -> NDArray[np.bool_] | None:
        """Where a view keeps its coarse mask, at the size of what was seen; training looks here.

        None where it keeps all of it.
        """
        settings = self.settings
        return taken_back(judge, seen, least=settings.gain_least, verdict=settings.verdict_least)

    def proposal(self, photo: Pyramid, coarse: Pyramid) -> NDArray[np.float32] | None:
        """Which whole object the coarse mask of a view means.

        Args:
            photo: the view.
            coarse: its coarse mask; above 127 is object.

        Returns:
            float32 hxw in 0..1, the whole view at a smaller size; None without a proposal network,
            or where nothing that it sees is close enough to the coarse mask.
        """
        side = self._proposal_side(photo)
        if self.proposer is None or not side:
            return None
        power = overview_power(photo.plane.shape, side)
        return self._proposed(
            self.proposer, photo, coarse.whole(power), self.settings.proposal_least
        )

    def _proposal_side(self, photo: Pyramid) -> int:
        settings = self.settings
        if math.prod(photo.plane.shape) <= settings.large_pixels:
            return settings.proposal_side
        return min(settings.proposal_side, settings.proposal_side_large)

    def _proposed(
        self, proposer: Proposer, photo: Pyramid, mask: NDArray[np.uint8], least: float
    ) -> NDArray[np.float32] | None:
        """What the proposal network makes of a mask of the view, 0..255 at any size."""
        side = self._proposal_side(photo)
        seen = photo.whole(overview_power(photo.plane.shape, side))
        return propose(proposer, seen, mask, long_side=side, least=least)


def _networks(
    model: str | os.PathLike[str], threads: int | None, device: str, settings: Settings
) -> Networks:
    """Those that the settings ask for."""
    return open_networks(
        model,
        threads=threads,
        device=device,
        proposer=settings.proposal_side > 0,
        judge=settings.gain_least > 0,
    )


def _meant(proposed: NDArray[np.float32], shape: tuple[int, int]) -> Pyramid:
    """A proposal as the coarse mask of a view of `shape`."""
    power = 0
    while max(halved(shape, power)) > max(proposed.shape):
        power += 1
    small = to_bytes(rescaled(proposed, halved(shape, power)))
    return Pyramid(Enlarged(small, power, shape))


def levels_of(coarse: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A coarse mask HxW in 0..1 as 0..255; above 127 is what was above one half."""
    # A little less, so that one half itself becomes 127, and the next float above it 128.
    return np.asarray(cv2.convertScaleAbs(coarse, alpha=255.0, beta=-1e-5), np.uint8)


@cache
def _default() -> Refiner:
    return Refiner.open()


def refine(photo: ArrayLike, mask: ArrayLike, *, overview_only: bool = False) -> Refinement:
    """Refine one object's mask with the package's own network, opened once a process.

    See `Refiner.refine` for arguments, result and errors.
    """
    return _default().refine(photo, mask, overview_only=overview_only)
