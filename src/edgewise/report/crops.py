"""Crops: a pair at 1:1 where it matters most, with the outlines of its masks."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgewise.engines import Refine
from edgewise.errors import EdgewiseError, InputError
from edgewise.evaluation.kept import kept_path
from edgewise.evaluation.masks import Mask, Masks, load_masks
from edgewise.evaluation.pairs import Key, Pair
from edgewise.images import read_photo
from edgewise.masks import read_mask
from edgewise.metrics import binarise

SIDE = 256
_OVERVIEW = 112
_STEP = 8  # the window is looked for on sums of blocks of this side
_FEWEST = 32  # pixels of the truth's edge that make a crop of an edge
_FINE = 4  # outlines run this many times as fine as pixels, so as to run along their borders
_MARGIN = 2
_QUALITY = 90

OUTLINE_SHIFT = 0.5 / _FINE - _MARGIN
OUTLINE_SCALE = 1 / _FINE
"""What places the paths of `Crop.outlines`: pixel = path * scale + shift."""

Photo = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A rectangle of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """The rectangle of an array HxW or HxWxC."""
        return array[self.top : self.top + self.height, self.left : self.left + self.width]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A pair's crop, as the page holds it.

    Attributes:
        key: of the pair.
        window: where it is; None where the pair could not be read, and nothing else is set.
        picture: data URI of the photo in the window, one pixel a pixel.
        overview: data URI of the whole photo, small.
        frame: the window in shares of the picture: left, top, width, height.
        outlines: SVG paths by mask: "truth", "before" where there is one, "after".
        rivals: SVG paths of other engines' masks, by the engine's name.
        error: why it could not be read.
    """

    key: Key
    window: Window | None = None
    picture: str = ""
    overview: str = ""
    frame: tuple[float, float, float, float] = (0, 0, 1, 1)
    outlines: dict[str, str] = field(default_factory=dict)
    rivals: dict[str, str] = field(default_factory=dict)
    error: str = ""


def crop_pair(
    pair: Pair,
    refine: Refine | None,
    *,
    worst: frozenset[Key],
    rivals: Mapping[str, Path] = MappingProxyType({}),
) -> Crop:
    """The crop of a pair, of where it lost most if its key is in `worst`, else gained most.

    Args:
        pair: what to read; it is refined where no refined mask is given.
        refine: what refines.
        worst: keys of the pairs shown for what they lost.
        rivals: folders of masks that other engines made (`kept.kept_path`), by the engine's name;
            a mask that is not there is left out.
    """
    try:
        masks = load_masks(pair, refine)
        photo = read_photo(pair.photo) if pair.photo else _painted(masks.truth)
        others = _kept_masks(pair, rivals, masks.truth.shape)
    except EdgewiseError as error:
        return Crop(key=pair.key, error=str(error))
    window = choose_window(masks, lost=pair.key in worst)
    height, width = masks.truth.shape
    return Crop(
        key=pair.key,
        window=window,
        picture=data_uri(window.cut(photo)),
        overview=data_uri(_small(photo)),
        frame=(
            window.left / width,
            window.top / height,
            window.width / width,
            window.height / height,
        ),
        outlines={name: outline(mask, window) for name, mask in _hard(masks).items()},
        rivals={name: outline(mask, window) for name, mask in others.items()},
    )


def _kept_masks(pair: Pair, folders: Mapping[str, Path], shape: tuple[int, ...]) -> dict[str, Mask]:
    """The masks of a pair that were kept in folders, by the folders' names."""
    paths = {name: kept_path(folder, pair) for name, folder in folders.items()}
    found = {name: read_mask(path, soft=True) for name, path in paths.items() if path.is_file()}
    for name, mask in found.items():
        if mask.shape != shape:
            raise InputError(f"{paths[name]}: has not the size of its truth")
    return {name: binarise(mask) for name, mask in found.items()}


def _painted(truth: Mask) -> Photo:
    """A stand-in where there is no photo: the truth in two greys."""
    return np.where(truth, 150, 70).astype(np.uint8)[..., None].repeat(3, axis=2)


def _hard(masks: Masks) -> dict[str, Mask]:
    """The masks by name as scores see them."""
    after = masks.after if masks.after.dtype == np.bool_ else binarise(masks.after)
    before = {} if masks.before is None else {"before": binarise(masks.before)}
    return {"truth": masks.truth, **before, "after": after}


def choose_window(masks: Masks, *, lost: bool) -> Window:
    """Where, along the truth's edge, refining lost or gained most pixels.

    Without a mask before, that is where most or least pixels are wrong. Without an edge, it is
    where most are wrong.

    Args:
        masks: of the pair, HxW.
        lost: look for what was lost; otherwise for what was gained.
    """
    hard = _hard(masks)
    change = (hard["after"] != masks.truth).astype(np.float32)
    if "before" in hard:
        change -= hard["before"] != masks.truth
    worth = _window_sums(change if lost else -change)
    edge = _window_sums(_edge(masks.truth))
    worth[edge < min(_FEWEST, edge.max())] = -np.inf
    row, column = np.unravel_index(int(worth.argmax()), worth.shape)
    height, width = masks.truth.shape
    left, right = _span(int(column) * _STEP + _STEP // 2, width)
    top, bottom = _span(int(row) * _STEP + _STEP // 2, height)
    return Window(left=left, top=top, width=right - left, height=bottom - top)


def _window_sums(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sums over a window around each block of `_STEP` pixels."""
    height, width = values.shape
    pad = (-height % _STEP, -width % _STEP)
    blocks = np.pad(values, ((0, pad[0]), (0, pad[1]))).reshape(
        (height + pad[0]) // _STEP, _STEP, (width + pad[1]) // _STEP, _STEP
    )
    side = SIDE // _STEP
    sums = cv2.boxFilter(
        blocks.sum(axis=(1, 3)), -1, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT
    )
    return np.asarray(sums, np.float32)


def _edge(truth: Mask) -> NDArray[np.float32]:
    """1 at pixels whose right or lower neighbour has the other value."""
    edge = np.zeros(truth.shape, np.float32)
    edge[:, :-1] = truth[:, :-1] != truth[:, 1:]
    edge[:-1] = np.maximum(edge[:-1], truth[:-1] != truth[1:])
    return edge


def _span(middle: int, length: int) -> tuple[int, int]:
    """The ends of a window around `middle` that stays within the picture."""
    start = min(max(0, middle - SIDE // 2), max(0, length - SIDE))
    return start, min(length, start + SIDE)


def outline(mask: Mask, window: Window) -> str:
    """The border of a mask in a window as an SVG path; see `OUTLINE_SCALE` for its unit.

    The picture's own border is no border of the mask.
    """
    padded = np.pad(mask, _MARGIN, mode="edge")
    part = padded[
        window.top : window.top + window.height + 2 * _MARGIN,
        window.left : window.left + window.width + 2 * _MARGIN,
    ]
    fine = part.astype(np.uint8).repeat(_FINE, axis=0).repeat(_FINE, axis=1)
    contours, _ = cv2.findContours(fine, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return "".join(_path(np.asarray(contour, np.int32)[:, 0]) for contour in contours)


def _path(points: NDArray[np.int32]) -> str:
    """A closed SVG path, in steps from point to point."""
    corners = np.asarray(cv2.approxPolyDP(points[:, None], 1.0, True))[:, 0]
    steps = np.diff(corners, axis=0)
    start = f"M{corners[0][0]} {corners[0][1]}"
    return start + "".join(_step(int(across), int(down)) for across, down in steps) + "z"


def _step(across: int, down: int) -> str:
    if not down:
        return f"h{across}"
    return f"l{across} {down}" if across else f"v{down}"


def _small(photo: Photo) -> Photo:
    height, width = photo.shape[:2]
    scale = min(1.0, _OVERVIEW / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), np.uint8)


def data_uri(photo: Photo) -> str:
    """A photo, uint8 HxWx3 RGB, as the data URI of a WebP file."""
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(photo)).save(stream, "WEBP", quality=_QUALITY)
    return "data:image/webp;base64," + base64.b64encode(stream.getvalue()).decode()
