"""Label maps in pictures: indices, palettes, PASCAL VOC's colours and ADE20K's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.benchmarks import voc
from edgewise.errors import InputError
from edgewise.files import stored_levels
from edgewise.scenes.labels import MANY, load_lossless

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from PIL.Image import Image

    from edgewise.benchmarks.inputs.colours import Colour, ColourTable


def read_labels(
    path: str | Path, *, colours: Mapping[tuple[int, int, int], int] | None = None
) -> NDArray[np.int32]:
    """The label map in a picture as int32 HxW.

    - Grey of 2 to 16 bits: levels are labels.
    - A palette: indices are labels. Where each colour that is used stands in `colours`, and for
      another label than its index (a program that sorted the palette anew), colours count.
    - RGB: labels by `colours`, where these have all that are used; else, where each pixel's
      channels are equal, levels (the label thrice).
    - 1 bit: 0 and 255, a binary mask.

    Args:
        path: a PNG, TIFF, BMP or GIF file.
        colours: labels by RGB colour, as `voc.COLOURS`; None where colours mean nothing.

    Raises:
        InputError: the file is no picture or compressed with loss, or its colours stand for no
            labels.
    """
    picture = load_lossless(path)
    colours = colours or {}
    if picture.mode == "P":
        return _palette_labels(picture, colours)
    if picture.mode == "1":
        return _integers(picture.convert("L"))
    if picture.mode == "L":
        return stored_levels(picture, path).astype(np.int32)
    if picture.mode.startswith("I"):
        return _integers(picture)
    if picture.mode in ("RGB", "RGBA", "LA"):
        return _colour_labels(picture.convert("RGB"), colours, str(path))
    raise InputError(f"{path}: is of mode {picture.mode}; expected labels in grey, palette or RGB")


def coloured_labels(path: str | Path, table: ColourTable) -> NDArray[np.int32] | None:
    """The label map in a picture whose colours are labels, int32 HxW; None where others are.

    - RGB, and a palette in any order: labels by colour, where the table has all that are used.
    - None of grey, of RGB with equal channels that are no colours of the table, and of palettes
      of other colours or in the table's own order, from label 0 or from 1: there, levels and
      indices are labels (`read_labels`).

    Args:
        path: a PNG, TIFF, BMP or GIF file.
        table: the labels of colours.

    Raises:
        InputError: the file is no picture or compressed with loss; RGB has other colours; or a
            colour that several labels share is used.
    """
    picture = load_lossless(path)
    if picture.mode not in ("P", "RGB", "RGBA"):
        return None
    coloured = picture.convert("RGB")
    used = {_triple(colour) for _, colour in coloured.getcolors(MANY) or []}
    known = bool(used) and used <= table.labels.keys()
    if picture.mode == "P" and (not known or _in_order(picture, table)):
        return None
    if used and not known and all(red == green == blue for red, green, blue in used):
        return None
    _check_colours(used, table, str(path))
    return _looked_up(coloured, {colour: table.labels[colour] for colour in used})


def _in_order(picture: Image, table: ColourTable) -> bool:
    """Whether a palette has the table's colours in its order, from label 0 or from label 1."""
    palette = _used_palette(picture).items()
    steps = {table.labels[one] - index for index, one in palette if one not in table.shared}
    return steps <= {0} or steps == {1}


def _check_colours(used: set[Colour], table: ColourTable, name: str) -> None:
    """InputError unless each colour used stands for one label."""
    strange = used - table.labels.keys()
    if strange or not used:
        has = f"the colour {min(strange)}" if strange else f"more than {MANY} colours"
        raise InputError(
            f"{name}: has {has}, which is none of {table.path.name}; expected labels in grey, "
            "palette or these colours, saved without loss or smoothing, or another table by "
            "--colours"
        )
    for colour in sorted(used & table.shared.keys()):
        several = " and ".join(map(str, table.shared[colour]))
        raise InputError(
            f"{name}: has the colour {colour}, which stands for the labels {several}; save labels "
            f"in grey, or copy {table.path}, take out all of its lines but one, and give the copy "
            "by --colours"
        )


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
    used = _used_palette(picture)
    known = {index: colours[colour] for index, colour in used.items() if colour in colours}
    if len(set(known.values())) < len(np.unique(indices)):
        return indices
    table = np.arange(256, dtype=np.int32)
    for index, label in known.items():
        table[index] = label
    return table[indices]


def _used_palette(picture: Image) -> dict[int, Colour]:
    """The colours of the indices that are used and have one."""
    used = [index for index, number in enumerate(picture.histogram()) if number]
    flat = picture.getpalette("RGB") or []
    stored = np.array(flat, dtype=np.int32).reshape(-1, 3).tolist()
    return {index: _triple(stored[index]) for index in used if index < len(stored)}


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
