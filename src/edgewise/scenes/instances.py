"""Instances: the objects of one photo refined together, so that none takes another's pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from edgewise.formats.annotation import Rle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Soft = NDArray[np.float32]


class SoftResult(Protocol):
    """What comes back of refining one mask; `edgewise.refiner.Refinement` is one."""

    @property
    def soft(self) -> Soft:
        """Probability of the object, float32 HxW in 0..1."""
        ...


class MaskRefiner(Protocol):
    """Anything that refines one mask of a photo; `edgewise.refiner.Refiner` does."""

    def refine(self, photo: NDArray[np.uint8], mask: Mask) -> SoftResult:
        """The soft mask that belongs to a coarse one."""
        ...


def soft_masks(
    refiner: MaskRefiner, photo: NDArray[np.uint8], masks: Iterable[Mask]
) -> Iterator[Soft]:
    """The soft results of many masks of one photo, in their order.

    All refining of instances goes through here. Masks are taken and results given one at a time,
    as a hundred of a large photo would fill the memory.

    Args:
        refiner: what refines one mask.
        photo: uint8 HxWx3 RGB.
        masks: coarse masks, bool HxW.

    Yields:
        Soft masks, float32 HxW in 0..1.
    """
    for mask in masks:
        yield refiner.refine(photo, mask).soft


@dataclass(frozen=True)
class _Claim:
    """The part of a soft mask's box where it is above one half, and where the box begins."""

    top: int
    left: int
    soft: Soft  # 0 where the object is not claimed
    coarse: Mask


def refine_instances(
    refiner: MaskRefiner,
    photo: NDArray[np.uint8],
    masks: Sequence[Rle],
    *,
    fixed: Sequence[Rle] = (),
) -> list[Rle | None]:
    """Refine the objects of one photo.

    Two objects that did not overlap before do not afterwards: a pixel that both claim goes to the
    one with the higher probability there, of equal ones to the one that had it, then to the first.
    Objects that overlapped before (a rider and the horse under an annotator's habits) may go on
    doing so.

    Args:
        refiner: what refines one mask.
        photo: uint8 HxWx3 RGB.
        masks: coarse masks of the photo's size.
        fixed: masks of further objects, which are not refined and lose no pixel.

    Returns:
        The refined masks in the order of `masks`. None stands for an object of which nothing was
        found, or nothing was left: it is to stay as it was, and no other took its pixels.
    """
    everyone = [*masks, *fixed]
    softs = soft_masks(refiner, photo, (mask.mask() for mask in masks))
    claims = [_claim(soft, mask.mask()) for soft, mask in zip(softs, masks, strict=True)]
    claims += [_fixed(mask) for mask in fixed]
    stays: set[int] = set()
    while True:
        kept = _settled(claims, everyone)
        lost = {index for index in range(len(masks)) if not kept[index].any()} - stays
        if not lost:
            break
        stays |= lost
        for index in lost:
            claims[index] = _fixed(masks[index])
    size = (photo.shape[0], photo.shape[1])
    return [
        None if index in stays else _placed(claims[index], kept[index], size)
        for index in range(len(masks))
    ]


def _fixed(mask: Rle) -> _Claim:
    """The claim of an object that loses no pixel: higher than any probability."""
    left, top, width, height = mask.box
    inside = mask.mask()[top : top + height, left : left + width].copy()
    return _Claim(top, left, inside.astype(np.float32) * 2, inside)


def _claim(soft: Soft, coarse: Mask) -> _Claim:
    inside = soft > 0.5
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return _Claim(0, 0, np.zeros((0, 0), np.float32), np.zeros((0, 0), bool))
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    claimed = np.where(inside[box], soft[box], np.float32(0))
    return _Claim(int(rows[0]), int(columns[0]), claimed, coarse[box].copy())


def _settled(claims: Sequence[_Claim], coarse: Sequence[Rle]) -> list[Mask]:
    """What each claim keeps, in its box, when no two objects may overlap that did not before."""
    kept = [claim.soft > 0 for claim in claims]
    for first in range(len(claims)):
        for second in range(first + 1, len(claims)):
            shared = _shared(claims[first], claims[second])
            if shared and not coarse[first].overlaps(coarse[second]):
                _settle(claims, kept, (first, second), shared)
    return kept


_Window = tuple[slice, slice]


def _shared(first: _Claim, second: _Claim) -> tuple[_Window, _Window] | None:
    """Where the boxes of two claims meet, as windows of each; None where they do not."""
    top, left = max(first.top, second.top), max(first.left, second.left)
    bottom = min(first.top + first.soft.shape[0], second.top + second.soft.shape[0])
    right = min(first.left + first.soft.shape[1], second.left + second.soft.shape[1])
    if top >= bottom or left >= right:
        return None
    windows = [
        (
            slice(top - claim.top, bottom - claim.top),
            slice(left - claim.left, right - claim.left),
        )
        for claim in (first, second)
    ]
    return windows[0], windows[1]


def _settle(
    claims: Sequence[_Claim],
    kept: list[Mask],
    pair: tuple[int, int],
    windows: tuple[_Window, _Window],
) -> None:
    """Give each pixel that both claim to one of the two.

    Claims are compared as they were made, so that the order of pairs does not matter, and the
    highest claim on a pixel is never lost: no gap opens.
    """
    (first, second), (here, there) = pair, windows
    a, b = claims[first].soft[here], claims[second].soft[there]
    both = (a > 0) & (b > 0)
    had = claims[first].coarse[here] | ~claims[second].coarse[there]
    to_first = (a > b) | ((a == b) & had)
    kept[first][here] &= ~(both & ~to_first)
    kept[second][there] &= ~(both & to_first)


def _placed(claim: _Claim, inside: Mask, size: tuple[int, int]) -> Rle:
    mask = np.zeros(size, dtype=bool)
    height, width = inside.shape
    mask[claim.top : claim.top + height, claim.left : claim.left + width] = inside
    return Rle.of(mask)
