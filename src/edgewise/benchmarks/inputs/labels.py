"""Label maps in pictures: indices, palettes and PASCAL VOC's colours."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.benchmarks import voc
from edgewise.errors import InputError
from edgewise.files import load_picture
from edgewise.scenes.labels import MANY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from PIL.Image import Image


def read_labels(
    path: str | Path, *, colours: Mapping[tuple[int, int, int], int] | None = None
) -> NDArray[np.int32]:
    """The label map in a picture as int32 HxW.

    - Grey of 8 or 16 bits: levels are labels.
    - A palette: indices are labels. Where each colour that is used stands in `colours`, and for
      another label than its index (a program that sorted the palette anew), colours count.
    - RGB: labels by `colours`, where these have all that are used; else, where each pixel's
      channels are equal, levels (the label thrice).
    - 1 bit: 0 and 255, a binary mask.

    Args:
        path: a PNG, TIFF, BMP or GIF file; lossy formats blur labels into others.
        colours: labels by RGB colour, as `voc.COLOURS`; None where colours mean nothing.

    Raises:
        InputError: the file is no picture, or its colours stand for no labels.
    """
    picture = load_picture(path)
    colours = colours or {}
    if picture.mode == "P":
        return _palette_labels(picture, colours)
    if picture.mode in ("1", "L"):
        return _integers(picture.convert("L"))
    if picture.mode.startswith("I"):
        return _integers(picture)
    if picture.mode in ("RGB", "RGBA", "LA"):
        return _colour_labels(picture.convert("RGB"), colours, str(path))
    raise InputError(f"{path}: is of mode {picture.mode}; expected labels in grey, palette or RGB")


def check_labels(labels: NDArray[np.int32], allowed: Any, name: str) -> None:
    """InputError where a map holds a label that is not among the allowed ones."""
    used = np.unique(labels)
    wrong = used[~np.isin(used, np.asarray(list(allowed)))]
    if wrong.size:
        shown = ", ".join(str(label) for label in wrong[:5]) + (", ..." if wrong.size > 5 else "")
        last = sorted(allowed)
        raise InputError(f"{name}: holds the labels {shown}; expected {_range(last)}")


def whole_numbers(labels: NDArray[Any], name: str) -> NDArray[np.int32]:
    """Numbers as labels, int32; InputError where they are not whole, or are out of 0..65535.

    MATLAB and Caffe keep labels as floats.
    """
    if not ((labels >= 0) & (labels <= 65535) & (labels == np.floor(labels))).all():
        raise InputError(
            f"{name}: holds numbers from {labels.min()} to {labels.max()}, which are no labels; "
            "expected whole numbers"
        )
    return labels.astype(np.int32)


def _range(labels: list[int]) -> str:
    """Labels in words: 0..20, 255."""
    parts: list[list[int]] = []
    for label in labels:
        if parts and label == parts[-1][1] + 1:
            parts[-1][1] = label
        else:
            parts.append([label, label])
    return ", ".join(str(low) if low == high else f"{low}..{high}" for low, high in parts)


def _integers(picture: Image) -> NDArray[np.int32]:
    return np.asarray(picture).astype(np.int32)


def _palette_labels(
    picture: Image, colours: Mapping[tuple[int, int, int], int]
) -> NDArray[np.int32]:
    """Indices, or labels by colour where the palette has the known colours in another order."""
    indices = _integers(picture)
    used = [index for index, number in enumerate(picture.histogram()) if number]
    flat = picture.getpalette("RGB") or []
    stored = np.array(flat, dtype=np.int32).reshape(-1, 3).tolist()
    palette = {index: _triple(stored[index]) for index in used if index < len(stored)}
    known = {index: colours[colour] for index, colour in palette.items() if colour in colours}
    if len(set(known.values())) < len(used):
        return indices
    table = np.arange(256, dtype=np.int32)
    for index, label in known.items():
        table[index] = label
    return table[indices]


def _colour_labels(
    picture: Image, colours: Mapping[tuple[int, int, int], int], name: str
) -> NDArray[np.int32]:
    """Labels by colour, else by equal channels."""
    used = picture.getcolors(MANY)
    found = [_triple(colour) for _, colour in used or []]
    if found and all(colour in colours for colour in found):
        return _looked_up(picture, {colour: colours[colour] for colour in found})
    if found and all(red == green == blue for red, green, blue in found):
        return _integers(picture.getchannel(0))
    strange = next((colour for colour in found if colour not in colours), None)
    raise InputError(
        f"{name}: "
        + (f"has the colour {strange}" if strange else f"has more than {MANY} colours")
        + ", which is none of a label; expected labels in grey or palette"
        + (" or PASCAL VOC's colours" if colours else "")
        + ", saved without loss or smoothing"
    )


def _triple(colour: Any) -> tuple[int, int, int]:
    red, green, blue = colour
    return red, green, blue


def _looked_up(picture: Image, table: dict[tuple[int, int, int], int]) -> NDArray[np.int32]:
    pixels = np.asarray(picture).astype(np.int32)
    codes = pixels[..., 0] << 16 | pixels[..., 1] << 8 | pixels[..., 2]
    labels = np.zeros(codes.shape, dtype=np.int32)
    for (red, green, blue), label in table.items():
        labels[codes == (red << 16 | green << 8 | blue)] = label
    return labels


def voc_labels(path: str | Path) -> NDArray[np.int32]:
    """The PASCAL VOC label map in a picture, int32 HxW of 0..20 and 255 (`read_labels`).

    Raises:
        InputError: as `read_labels`, or it has other labels.
    """
    labels = read_labels(path, colours=voc.COLOURS)
    check_labels(labels, voc.LABELS, str(path))
    return labels
