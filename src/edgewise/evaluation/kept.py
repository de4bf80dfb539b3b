"""Kept masks: what a run refined, as files, so that no pair is refined twice."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from edgewise.evaluation.pairs import Pair
from edgewise.files import make_folder
from edgewise.masks import write_mask


def kept_path(folder: Path, pair: Pair) -> Path:
    """Where a pair's mask is kept: as published, in a folder of its set."""
    source = f"_{pair.source}" if pair.source else ""
    return folder / pair.set / f"{pair.id}_mask{source}.png"


def keep_mask(pair: Pair, mask: NDArray[Any], *, folder: Path) -> NDArray[Any]:
    """Keep a refined mask below a folder, in 256 levels.

    Scores take the levels as they are above 128 or not, so that the file scores as the mask does,
    but for the last digits of what takes soft levels.

    Args:
        pair: whose.
        mask: bool HxW, or float32 HxW in [0, 1].
        folder: made where it is missing.

    Returns:
        The mask, as it was given.

    Raises:
        OutputError: it cannot be written.
    """
    path = kept_path(folder, pair)
    make_folder(path.parent)
    write_mask(path, mask, soft=True)
    return mask


def with_kept(pairs: Iterable[Pair], folder: Path) -> list[Pair]:
    """The pairs, with the refined masks that were kept of those that were to be refined."""
    return [_with_kept(pair, kept_path(folder, pair)) for pair in pairs]


def _with_kept(pair: Pair, path: Path) -> Pair:
    return replace(pair, refined=path) if pair.refined is None and path.is_file() else pair
