"""A drop-in for the package `segmentation-refinement` 0.6: change the import, keep the code.

import edgewise.compat as refine           # was: import segmentation_refinement as refine

refiner = refine.Refiner(device="cpu")
output = refiner.refine(image, mask, fast=False, L=900)
"""

from __future__ import annotations

import os
import warnings

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import EdgewiseWarning, InputError, ModelError
from edgewise.refiner import Refiner as _Refiner

THRESHOLD = 127
"""Mask levels above this are the object, as there."""


class Refiner:
    """The class of that package on edgewise's network.

    Args:
        device: "cpu", "cuda" or "cuda:0", or a torch.device of these. Where ONNX Runtime has no
            CUDA, the CPU is taken, with an EdgewiseWarning.
        model_folder: no effect: the weights are inside the package.
        download_and_check_model: no effect: nothing is downloaded; weights are always checked.
        channels: the order of an image's channels, "bgr" as `cv2.imread` gives it and as that
            package's documentation uses it, or "rgb". (New: there it could not be told.)

    Raises:
        ModelError: another device, or damaged weights.
        InputError: another order.
    """

    def __init__(
        self,
        device: object = "cpu",
        model_folder: str | os.PathLike[str] | None = None,
        download_and_check_model: bool = True,
        *,
        channels: str = "bgr",
    ) -> None:
        del model_folder, download_and_check_model
        if channels not in ("bgr", "rgb"):
            raise InputError(f"channels is {channels!r}; expected 'bgr' or 'rgb'")
        self.device = device
        self.channels = channels
        self._refiner = _opened(str(device))

    def refine(
        self,
        image: NDArray[np.uint8],
        mask: NDArray[np.generic],
        fast: bool = False,
        L: int = 900,  # noqa: N803 - the name that callers use
    ) -> NDArray[np.uint8]:
        """Refine one object's mask.

        Args:
            image: uint8 HxWx3 in 0..255, channels in the order given to the constructor.
            mask: HxW or HxWx1 in 0..255; levels above 127 are the object.
            fast: stop after the overview.
            L: no effect: it bounds the side of what that package's network sees at once, and so
                its memory. Here that is fixed: looks at 672 and 512 pixels, and tiles of 256.

        Returns:
            uint8 HxW in 0..255: the probability of the object times 255, rounded; above 127 is
            the object.

        Raises:
            InputError: an array of another form, sizes that differ, or a mask in 0..1.
        """
        del L
        photo = np.asarray(image)
        if photo.ndim != 3 or photo.shape[2] != 3:
            raise InputError(f"the image's shape is {photo.shape}; expected height x width x 3")
        if self.channels == "bgr":
            photo = photo[..., ::-1]
        soft = self._refiner.refine(photo, _binary(mask), overview_only=fast).soft
        return np.asarray(np.rint(soft * np.float32(255)), np.uint8)


def _opened(device: str) -> _Refiner:
    """The refiner on a device named as torch names it."""
    if device not in ("cuda", "cuda:0"):
        return _Refiner.open(device=device)
    try:
        return _Refiner.open(device="cuda")
    except ModelError as error:
        warnings.warn(f"{error}; the CPU is taken", EdgewiseWarning, stacklevel=3)
        return _Refiner.open()


def _binary(mask: NDArray[np.generic]) -> NDArray[np.bool_]:
    """The object's pixels in a mask in 0..255."""
    levels = np.asarray(mask)
    inside = np.asarray(levels.astype(np.float32) > THRESHOLD)
    if levels.any() and levels.max() <= 1:
        raise InputError(
            f"the mask is {levels.dtype} with values up to 1; expected 0..255, of which those "
            f"above {THRESHOLD} are the object: (mask > 0.5) * 255"
        )
    return inside
