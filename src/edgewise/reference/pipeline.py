"""The pipeline as evaluated in the paper: a global step, then local steps on crops at full size.

Global: the photo at a longer side of L. Local: crops of side L at full resolution, a stride of L/2
less twice the trim apart, each fed the global answer; their answers are trimmed by 16 pixels
inside the photo and averaged. Crops that are nearly all object or all background are skipped and
keep the global answer.

Two programs of the authors' do this with small differences, here `VARIANTS`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from types import EllipsisType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from edgewise.errors import InputError, ModelError
from edgewise.images import as_photo
from edgewise.masks import as_mask
from edgewise.reference.network import STRIDE, CascadeNetwork, normalised

Index = tuple[EllipsisType, slice, slice]
"""Rows and columns of an array (N, C, H, W)."""

TRIM = 16
"""Pixels of a crop's answer that are not used where the photo goes on."""

LEAST, MOST = 0.1, 0.9
"""Shares of object between which a crop is looked at."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """In what the authors' two programs differ.

    Attributes:
        enlarges: whether a photo smaller than L is enlarged to it for the global step.
        binary: whether the coarse mask is cut at 127 of 255 first, rather than taken soft.
        empties: whether a mask of less than about one pixel gives an empty answer.
        corners: how the global step alone is brought to the photo's size: with the outermost
            pixels' centres on each other (True), or their edges.
    """

    enlarges: bool
    binary: bool
    empties: bool
    corners: bool


VARIANTS = {
    "paper": Variant(enlarges=False, binary=False, empties=True, corners=False),
    "pip": Variant(enlarges=True, binary=True, empties=False, corners=True),
}
"""`paper`: the program that gave the paper's tables. `pip`: segmentation-refinement 0.6."""


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """Choices of the pipeline.

    Attributes:
        variant: a key of `VARIANTS`.
        side: L, the longer side of what the network sees, in pixels.
        global_only: leave the local steps out ("fast" in the pip package).
    """

    variant: str = "paper"
    side: int = 900
    global_only: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot work."""
        if self.variant not in VARIANTS:
            raise InputError(f"no variant {self.variant!r}; there is: {', '.join(VARIANTS)}")
        if self.step < 1:
            raise InputError(
                f"side is {self.side}; expected at least {4 * TRIM + 2}, so that crops whose "
                f"{TRIM} outer pixels are trimmed still advance"
            )

    @property
    def step(self) -> int:
        """Pixels from a crop to the next."""
        return self.side // 2 - 2 * TRIM


@dataclass(frozen=True, kw_only=True)
class CascadeRefiner:
    """CascadePSP as a refiner; opened once, for many photos.

    Attributes:
        network: in evaluation mode, on the device that it is to run on.
        settings: choices of the pipeline.
    """

    network: CascadeNetwork
    settings: PipelineSettings = field(default_factory=PipelineSettings)

    def refine(self, photo: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.float32]:
        """Refine one object's mask.

        The photo and the sums stay in main memory; what the network sees goes to its device.

        Args:
            photo: uint8 HxWx3 RGB.
            mask: HxW, bool, uint8 or float32 in 0..1: the coarse mask.

        Returns:
            float32 HxW in 0..1.

        Raises:
            InputError: an array of another form, or sizes that differ.
        """
        picture = as_photo(photo)
        coarse = as_mask(mask, (picture.shape[0], picture.shape[1]))
        variant = VARIANTS[self.settings.variant]
        if variant.binary:
            coarse = (coarse > 0.5).astype(np.float32)
        if variant.empties and coarse.sum() < 1:
            return np.zeros_like(coarse)
        with torch.inference_mode():
            image = normalised(torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255)
            signed = torch.from_numpy(coarse)[None, None] * 2 - 1
            answer = self._refine(image, signed, variant)
        return np.asarray(answer[0, 0].numpy(), np.float32)

    def _refine(self, image: Tensor, mask: Tensor, variant: Variant) -> Tensor:
        settings = self.settings
        size = mask.shape[2:]
        enlarges = variant.enlarges or settings.global_only
        fine, at4 = self._look(*_scaled(image, mask, settings.side, enlarges=enlarges))
        if settings.global_only:
            return _at_size(fine, size, corners=variant.corners)
        sure = (F.interpolate(fine, size, mode="bilinear") > 0.5).float()
        prior = F.interpolate(at4, size, mode="bilinear") * 2 - 1
        return self._local(image, sure, prior)

    def _local(self, image: Tensor, sure: Tensor, prior: Tensor) -> Tensor:
        """The mean of the crops' answers; the global one (0 or 1) where there is none."""
        total, count = torch.zeros_like(sure), torch.zeros_like(sure)
        for crop in crops(sure.shape[2], sure.shape[3], self.settings):
            inside = sure[crop.whole]
            if not LEAST <= float(inside.mean()) <= MOST:
                continue
            answer, _ = self._look(image[crop.whole], inside * 2 - 1, prior[crop.whole])
            total[crop.kept] += answer[crop.own]
            count[crop.kept] += 1
        return torch.where(count == 0, sure, total / count)

    def _look(
        self, image: Tensor, mask: Tensor, prior: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Soft masks at strides 1 and 4 of the last look, each at the input's size.

        The input is padded to multiples of 8: the photo by its mean, masks by background. As
        published, both sides grow where either has to.
        """
        device = next(self.network.parameters()).device
        height, width = mask.shape[2:]
        more = (0, 0)
        if height % STRIDE or width % STRIDE:
            more = (STRIDE - width % STRIDE, STRIDE - height % STRIDE)
        border = (0, more[0], 0, more[1])
        image = F.pad(image, border).to(device)
        masks = [
            None if one is None else F.pad(one, border, value=-1.0).to(device)
            for one in (mask, prior)
        ]
        answers = self.network(image, masks[0], masks[1])
        fine, at4 = (
            torch.sigmoid(logits)[..., :height, :width].cpu()
            for logits in (answers.third1, answers.third4)
        )
        return fine, at4


@dataclass(frozen=True, kw_only=True)
class Crop:
    """Where a crop lies: all of it and the part that is used, in the photo and in the crop."""

    whole: Index
    kept: Index
    own: Index


def crops(height: int, width: int, settings: PipelineSettings) -> Iterator[Crop]:
    """The crops of the local step, in the order of publication (columns first)."""
    rows, columns = _spans(height, settings), _spans(width, settings)
    for (left, right), (top, bottom) in product(columns, rows):
        used_rows, used_columns = _used(top, bottom, height), _used(left, right, width)
        yield Crop(
            whole=(..., slice(top, bottom), slice(left, right)),
            kept=(..., slice(*used_rows), slice(*used_columns)),
            own=(
                ...,
                slice(used_rows[0] - top, used_rows[1] - top),
                slice(used_columns[0] - left, used_columns[1] - left),
            ),
        )


def _spans(length: int, settings: PipelineSettings) -> list[tuple[int, int]]:
    """Starts and ends along one side; the last ones are moved inside."""
    starts = [
        max(0, min(index * settings.step, length - settings.side))
        for index in range(length // settings.step + 1)
    ]
    return [(start, min(length, start + settings.side)) for start in dict.fromkeys(starts)]


def _used(start: int, end: int, length: int) -> tuple[int, int]:
    """What is left of a span after trimming the ends at which the photo goes on."""
    return start + TRIM * (start != 0), end - TRIM * (end != length)


def _scaled(image: Tensor, mask: Tensor, side: int, *, enlarges: bool) -> tuple[Tensor, Tensor]:
    """Photo and mask for the global step: by area down; up bicubic and bilinear, if at all."""
    longer = max(mask.shape[2:])
    ratio = side / longer
    if longer > side:
        return _by_area(image, ratio), _by_area(mask, ratio)
    if longer == side or not enlarges:
        return image, mask
    large = F.interpolate(image, scale_factor=ratio, mode="bicubic", align_corners=False)
    return large, F.interpolate(mask, scale_factor=ratio, mode="bilinear", align_corners=False)


def _by_area(values: Tensor, ratio: float) -> Tensor:
    return F.interpolate(values, scale_factor=ratio, mode="area")


def _at_size(fine: Tensor, size: torch.Size, *, corners: bool) -> Tensor:
    """The global step's answer at the photo's size: by area down, bilinear up."""
    if max(fine.shape[2:]) > max(size):
        return F.interpolate(fine, size, mode="area")
    return F.interpolate(fine, size, mode="bilinear", align_corners=corners)


def open_device(name: str) -> torch.device:
    """A device by torch's name.

    Raises:
        ModelError: there is none of that name here.
    """
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch built without CUDA asserts
        raise ModelError(
            f"device {name!r} is not available: {str(error).splitlines()[0]}"
        ) from error
    return device
