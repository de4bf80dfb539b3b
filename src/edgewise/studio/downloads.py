"""Downloads: a result as the bytes of a file."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgewise.cutout import cut_out, write_cutout
from edgewise.formats import coco
from edgewise.formats.annotation import Dataset, Form, Instance, Photo, Rle
from edgewise.masks import write_mask


def mask_png(mask: NDArray[np.bool_]) -> bytes:
    """A mask, bool HxW, as a PNG of 1 bit."""
    return _written("mask.png", lambda path: write_mask(path, mask))


def soft_png(soft: NDArray[np.float32]) -> bytes:
    """A soft mask, float32 HxW in 0..1, as a PNG of 8-bit grey."""
    return _written("soft.png", lambda path: write_mask(path, soft, soft=True))


def cutout_png(photo: NDArray[np.uint8], soft: NDArray[np.float32]) -> bytes:
    """The object, of a photo uint8 HxWx3 RGB and a soft mask float32 HxW, as a PNG with alpha."""
    return _written("cutout.png", lambda path: write_cutout(path, cut_out(photo, soft)))


def rle_json(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """A mask, bool HxW, as COCO's run lengths, with its box (x, y, width, height) and area."""
    rle = Rle.of(mask)
    return {
        "size": [rle.height, rle.width],
        "counts": rle.counts.decode(),
        "bbox": list(rle.box),
        "area": rle.area,
    }


def coco_json(name: str, mask: NDArray[np.bool_]) -> bytes:
    """A COCO file of one photo and the one object of a mask, bool HxW, as polygons."""
    instances = (Instance(category="object", mask=Rle.of(mask)),) if mask.any() else ()
    photo = Photo(name=name, height=mask.shape[0], width=mask.shape[1], instances=instances)
    dataset = Dataset(photos=(photo,), categories=("object",))

    def write(path: Path) -> None:
        coco.write(dataset, path, Form(kind="polygon"))

    return _written("coco.json", write)


def _written(name: str, write: Callable[[Path], None]) -> bytes:
    """What a writer of files writes."""
    with tempfile.TemporaryDirectory(prefix="edgewise-") as folder:
        path = Path(folder, name)
        write(path)
        return path.read_bytes()
