"""Folders of tiny pairs in the published layouts, and engines that need no network."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (40, 48)


def disc(radius, *, size=SIZE, middle=(20, 24)):
    """A disc, bool HxW."""
    rows, columns = np.mgrid[0 : size[0], 0 : size[1]]
    return (rows - middle[0]) ** 2 + (columns - middle[1]) ** 2 <= radius**2


def write(path, array):
    """An array as a picture; bool as 0 and 255."""
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = array.astype(np.uint8) * 255 if array.dtype == bool else array
    Image.fromarray(levels).save(path)
    return path


def write_pair(folder: Path, name, *, truth=None, coarse=None, photo=True, refined=None):
    """A pair: by default a photo of a disc, and a disc that is smaller for a coarse mask.

    `coarse` and `refined` are arrays, or dicts of arrays by source.
    """
    truth = disc(12) if truth is None else truth
    write(folder / f"{name}_gt.png", truth)
    for part, masks in (("seg", disc(9) if coarse is None else coarse), ("mask", refined)):
        if isinstance(masks, dict):
            for source, mask in masks.items():
                write(folder / f"{name}_{part}{'_' * bool(source)}{source}.png", mask)
        elif masks is not None and masks is not False:
            write(folder / f"{name}_{part}.png", masks)
    if photo:
        hard = truth if truth.dtype == bool else truth > 128
        write(folder / f"{name}_im.png", np.where(hard[..., None], (200, 120, 40), 60).astype("u1"))


@dataclass(frozen=True)
class Orange:
    """An engine whose mask is what is orange in the photo: the truth."""

    def __call__(self):
        return _orange

    def describe(self):
        return {"engine": "orange"}


def _orange(photo, mask):
    return (photo[..., 0] > 128).astype(np.float32)


@dataclass(frozen=True)
class Harm:
    """An engine whose masks are empty."""

    def __call__(self):
        return lambda photo, mask: np.zeros(photo.shape[:2], bool)

    def describe(self):
        return {"engine": "harm"}
