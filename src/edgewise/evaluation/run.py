"""Run: refine and score pairs."""

import hashlib
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.engines import OpenRefine, Refine
from edgewise.errors import InputError, OutputError, told
from edgewise.evaluation.masks import Mask, Masks, check_counts, load_masks
from edgewise.evaluation.pairs import Pair
from edgewise.evaluation.rows import EDGE_DISTANCES, HCE, Failure, Rings, Row, full_score
from edgewise.evaluation.workers import each
from edgewise.metrics import (
    BOUNDARY_RATIOS,
    PairScore,
    agreement,
    binarise,
    boundary_iou,
    hce,
    mba,
    overlap,
    score,
)

_BLOCK = 1 << 20


Keep = Callable[[Pair, NDArray[Any]], NDArray[Any]]
"""(pair, refined mask) -> the mask to score in its place; called before a mask made here is."""


def evaluate(
    pairs: Sequence[Pair],
    open_refine: OpenRefine | None,
    *,
    workers: int = 1,
    fast: bool = False,
    hce: bool = False,
    keep: Keep | None = None,
) -> Generator[Row | Failure]:
    """Score pairs; each row comes as soon as it is done, in any order with several workers.

    Args:
        pairs: what to score.
        open_refine: what refines; opened only where some pair is to be refined; None where none is.
        workers: processes; 1 works in this one.
        fast: measure `rows.FAST` alone.
        hce: measure human correction effort too.
        keep: what becomes of refined masks, such as `kept.keep_mask`; with several workers, it
            must pickle.

    Raises:
        EdgewiseError: the engine cannot be opened, or a worker died.
        OutputError: a mask cannot be kept.
    """
    task = partial(outcome, fast=fast, hce=hce, keep=keep)
    return each(task, pairs, open_refine, workers=workers)


def outcome(
    pair: Pair,
    refine: Refine | None,
    *,
    fast: bool = False,
    hce: bool = False,
    keep: Keep | None = None,
) -> Row | Failure:
    """As `score_pair`, or why there is no row: one bad pair must not end a long run.

    Raises:
        OutputError: a mask cannot be kept; nor could the next.
    """
    try:
        return score_pair(pair, refine, fast=fast, hce=hce, keep=keep)
    except OutputError:
        raise
    except Exception as error:  # an engine may raise anything
        return Failure(set=pair.set, id=pair.id, source=pair.source, error=told(error))


def score_pair(
    pair: Pair,
    refine: Refine | None,
    *,
    fast: bool = False,
    hce: bool = False,
    keep: Keep | None = None,
) -> Row:
    """Score one pair before and after, refining where no refined mask is given.

    Args:
        pair: see `masks.load_masks`.
        refine: what refines; None where refined masks are given.
        fast: measure `rows.FAST` alone.
        hce: measure human correction effort too.
        keep: what becomes of a mask refined here.

    Raises:
        InputError: a file cannot be read, sizes differ, or no level of a given refined mask counts.
        OutputError: the mask cannot be kept.
    """
    # Before they are read: of a file that changes meanwhile the row has the earlier checksum, so
    # that a run that goes on refuses it.
    sums = {part: checksum(path) for part, path in pair.files.items()}
    masks = load_masks(pair, refine)
    if pair.refined is not None:
        check_counts(pair.refined, masks.after)
    if keep is not None and pair.refined is None:
        masks = replace(masks, after=keep(pair, masks.after))
    measure = partial(_fast_score if fast else score, effort=hce)
    height, width = masks.truth.shape
    return Row(
        set=pair.set,
        id=pair.id,
        source=pair.source,
        width=width,
        height=height,
        refined=pair.refined is None,
        before=None if masks.before is None else measure(masks.before, masks.truth),
        after=measure(masks.after, masks.truth),
        rings=_rings(masks),
        seconds=masks.seconds,
        sha256=sums,
        warnings=masks.warnings,
    )


def checksum(path: Path) -> str:
    """The sha256 of a file, in hex.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    return digest.hexdigest()


def _fast_score(mask: NDArray[Any], truth: Mask, *, effort: bool) -> PairScore:
    hard = _hard(mask)
    shared, agreeing = overlap(hard, truth), agreement(hard, truth)
    wide, fine = (boundary_iou(hard, truth, ratio=ratio) for ratio in BOUNDARY_RATIOS)
    return full_score(
        {
            "pixels": agreeing.whole,
            "correct": agreeing.part,
            "intersection": shared.part,
            "union": shared.whole,
            "iou": shared.score,
            "mba": mba(hard, truth),
            "boundary_iou": wide,
            "boundary_iou_fine": fine,
            **({HCE: hce(hard, truth)} if effort else {}),
        }
    )


def _hard(mask: NDArray[Any]) -> Mask:
    return mask if mask.dtype == np.bool_ else binarise(mask)


def _rings(masks: Masks) -> Rings:
    """Errors by distance from the truth's edge; no pixels where the truth is empty or full."""
    near, ring = _near_edge(masks.truth)

    def counts(rings: NDArray[np.intp]) -> list[int]:
        return [int(count) for count in np.bincount(rings, minlength=len(EDGE_DISTANCES))]

    def wrong(mask: NDArray[Any]) -> list[int]:
        return counts(ring[(_hard(mask) != masks.truth)[near]])

    return Rings(
        pixels=counts(ring),
        wrong_before=None if masks.before is None else wrong(masks.before),
        wrong_after=wrong(masks.after),
    )


def _near_edge(truth: Mask) -> tuple[Mask, NDArray[np.intp]]:
    """Which pixels lie in some ring (bool HxW), and the number of each one's ring.

    The distance to the edge is that to the nearest pixel of the other value, less the half pixel
    by which the edge lies before it: pixels along the edge are at 0.5.
    """
    if truth.all() or not truth.any():
        return np.zeros_like(truth), np.zeros(0, np.intp)
    inside = truth.astype(np.uint8)
    exact = cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    distance = np.asarray(cv2.distanceTransform(inside, *exact), np.float32)
    distance += cv2.distanceTransform(1 - inside, *exact)
    distance -= 0.5
    near = distance <= EDGE_DISTANCES[-1]
    return near, np.searchsorted(np.asarray(EDGE_DISTANCES, np.float32), distance[near])
