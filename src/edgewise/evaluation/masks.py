"""Masks of a pair: read from its files, and refined where no refined one is given."""

import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewise.engines import Refine
from edgewise.errors import EdgewiseWarning, InputError
from edgewise.evaluation.pairs import Pair
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.metrics import binarise

SoftMask = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Masks:
    """The masks of a pair, all HxW of one size.

    Attributes:
        truth: bool.
        before: the coarse mask, float32 in [0, 1]; None where there is none.
        after: the refined mask, bool or floating in [0, 1].
        seconds: time of refining; None where the refined mask was given.
        warnings: what the refiner warned of.
    """

    truth: Mask
    before: SoftMask | None
    after: NDArray[Any]
    seconds: float | None = None
    warnings: list[str] = field(default_factory=list)


def load_masks(pair: Pair, refine: Refine | None) -> Masks:
    """Read a pair's masks; refine where no refined one is given.

    The truth counts as object above 128 of 255. Truth and coarse mask are read as masks are
    everywhere: 0/1 is taken for 0/255, and a label map (a truth with void labels) is refused. A
    given refined mask's levels are taken as they are.

    Raises:
        InputError: a file cannot be read, or sizes differ.
    """
    truth = binarise(read_mask(pair.truth))
    coarse = None if pair.coarse is None else read_mask(pair.coarse)
    if coarse is not None and pair.coarse is not None:
        _check_size(pair.coarse, coarse, pair.truth, truth)
    if pair.refined is None:
        return _refined(pair, refine, truth, coarse)
    after = read_mask(pair.refined, soft=True)
    _check_size(pair.refined, after, pair.truth, truth)
    return Masks(truth=truth, before=coarse, after=after)


def check_counts(path: Path, mask: NDArray[Any]) -> None:
    """Raise InputError where a mask, HxW in [0, 1], holds 0 and one level too low to count.

    So do masks of 0 and 1, or of one label, which would score as empty ones.
    """
    lowest, highest = mask.min(), mask.max()
    counts = lowest > 0 or not highest or binarise(highest)
    if not counts and ((mask == 0) | (mask == highest)).all():
        raise InputError(
            f"{path}: holds 0 and the level {255 * highest:.3g} of 255 alone, which counts as"
            " background; save the object as 255"
        )


def _refined(pair: Pair, refine: Refine | None, truth: Mask, coarse: SoftMask | None) -> Masks:
    if pair.photo is None or coarse is None or refine is None:
        raise InputError(f"{pair.name}: refining takes a photo, a coarse mask and an engine")
    photo = read_photo(pair.photo)
    _check_size(pair.photo, photo, pair.truth, truth)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", EdgewiseWarning)
        start = time.perf_counter()
        after = refine(photo, coarse)
        seconds = time.perf_counter() - start
    if after.shape != truth.shape:
        raise InputError(f"the engine's mask is {_size(after)}, the photo {_size(truth)}")
    said = [str(warning.message) for warning in caught]
    return Masks(truth=truth, before=coarse, after=after, seconds=seconds, warnings=said)


def _check_size(path: Path, array: NDArray[Any], truth_path: Path, truth: Mask) -> None:
    if array.shape[:2] != truth.shape:
        raise InputError(
            f"{path.name} has {_size(array)} pixels and {truth_path.name} {_size(truth)};"
            " they must agree"
        )


def _size(array: NDArray[Any]) -> str:
    return f"{array.shape[1]}x{array.shape[0]}"
