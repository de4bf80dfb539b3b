"""Photos that ship with the package, with coarse masks as real networks gave them."""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edgewise.files import save_picture

NAMES = ("astronaut", "raccoon", "flower", "rocket")
OUTLINE = (230, 40, 120)  # RGB
SEPARATOR = 8


@dataclass(frozen=True)
class DemoPair:
    """Where one photo and its coarse mask lie."""

    name: str
    photo: Path
    coarse: Path


def pairs() -> list[DemoPair]:
    """The photos of the demo."""
    folder = Path(str(resources.files(__package__).joinpath("pictures")))
    return [DemoPair(n, folder / f"{n}.jpg", folder / f"{n}_coarse.png") for n in NAMES]


def outlined(photo: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The photo with what is outside the mask faded and the mask's contour drawn.

    Args:
        photo: uint8 HxWx3 RGB.
        mask: bool HxW.
    """
    faded = photo // 3 + 160
    picture = np.where(mask[..., None], photo, faded).astype(np.uint8)
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return np.asarray(cv2.drawContours(picture, contours, -1, OUTLINE, 1, cv2.LINE_AA))


def before_after(
    photo: NDArray[np.uint8], coarse: NDArray[np.bool_], refined: NDArray[np.bool_]
) -> NDArray[np.uint8]:
    """Both masks over the photo, side by side: uint8 H x (2W + 8) x 3 RGB."""
    gap = np.full((photo.shape[0], SEPARATOR, 3), 255, np.uint8)
    return np.hstack([outlined(photo, coarse), gap, outlined(photo, refined)])


def write_picture(path: Path, picture: NDArray[np.uint8]) -> None:
    """Write an RGB picture; OutputError where that is not possible."""
    from PIL import Image

    save_picture(path, Image.fromarray(picture), format="PNG")
