"""CascadePSP's network: one set of weights that looks three times, each look finer.

Photo and masks go through a ResNet-50 of output stride 8 and pyramid pooling (Zhao et al. 2017);
three steps bring the features back to stride 1. The first look answers at stride 8, the second at
stride 4, the third at stride 1; each sees the answers of those before, through a tanh.

Norms are named apart from their convolutions and no bias precedes one in the encoder, exactly as
published: `edgewise.reference.checkpoint` maps the published names to these.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

STRIDE = 8
"""Heights and widths of the network's input are multiples of this."""

WIDTH = 64
"""Channels of the first convolution, as published; all other widths follow from it."""

MASKS = 3
"""Mask channels of the input, beside the photo's three."""

RGB_MEAN = (0.485, 0.456, 0.406)
RGB_STD = (0.229, 0.224, 0.225)
"""Of ImageNet's photos in 0..1, as the encoder was pretrained."""

BLOCKS = (3, 4, 6, 3)
GRIDS = (1, 2, 3, 6)
EXPANSION = 4


class Answers(NamedTuple):
    """Logits (N, 1, H, W), all enlarged to the input's size, named by look and stride.

    Those of the first look are None where it was skipped.
    """

    first8: Tensor | None
    second8: Tensor
    second4: Tensor
    third8: Tensor
    third4: Tensor
    third1: Tensor


class Bottleneck(nn.Module):
    """ResNet's block of three convolutions (He et al. 2016), the middle one strided or dilated."""

    def __init__(self, channels: int, narrow: int, *, stride: int, dilation: int, match: bool):
        super().__init__()
        wide = narrow * EXPANSION
        self.reduce = nn.Conv2d(channels, narrow, 1, bias=False)
        self.reduce_norm = nn.BatchNorm2d(narrow)
        self.spatial = nn.Conv2d(
            narrow, narrow, 3, stride, padding=dilation, dilation=dilation, bias=False
        )
        self.spatial_norm = nn.BatchNorm2d(narrow)
        self.expand = nn.Conv2d(narrow, wide, 1, bias=False)
        self.expand_norm = nn.BatchNorm2d(wide)
        self.matches = match
        if match:
            self.match = nn.Conv2d(channels, wide, 1, stride, bias=False)
            self.match_norm = nn.BatchNorm2d(wide)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, 4 * narrow, H / stride, W / stride)."""
        y = F.relu(self.reduce_norm(self.reduce(x)))
        y = F.relu(self.spatial_norm(self.spatial(y)))
        y = self.expand_norm(self.expand(y))
        kept = self.match_norm(self.match(x)) if self.matches else x
        return F.relu(y + kept)


def _stage(channels: int, narrow: int, count: int, *, stride: int, dilation: int) -> nn.Sequential:
    """Blocks of a stage. The first is strided and, as published, not dilated."""
    first = Bottleneck(channels, narrow, stride=stride, dilation=1, match=True)
    wide = narrow * EXPANSION
    rest = [
        Bottleneck(wide, narrow, stride=1, dilation=dilation, match=False) for _ in range(count - 1)
    ]
    return nn.Sequential(first, *rest)


class Encoder(nn.Module):
    """ResNet-50 for six channels, its last two stages dilated instead of strided."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3 + MASKS, width, 7, 2, padding=3, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        one, two, three, four = BLOCKS
        self.stage1 = _stage(width, width, one, stride=1, dilation=1)
        self.stage2 = _stage(4 * width, 2 * width, two, stride=2, dilation=1)
        self.stage3 = _stage(8 * width, 4 * width, three, stride=1, dilation=2)
        self.stage4 = _stage(16 * width, 8 * width, four, stride=1, dilation=4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at strides 2 (before norm and ReLU, as published), 4 and 8."""
        at2 = self.stem(x)
        y = F.max_pool2d(F.relu(self.stem_norm(at2)), 3, 2, padding=1)
        at4 = self.stage1(y)
        return at2, at4, self.stage4(self.stage3(self.stage2(at4)))


class Pyramid(nn.Module):
    """Pyramid pooling: means over grids of the view, beside the features themselves."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.Conv2d(channels, channels, 1, bias=False) for _ in GRIDS)
        self.fuse = nn.Conv2d(channels * (len(GRIDS) + 1), out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H, W)."""
        size = x.shape[2:]
        pooled = [
            _enlarged(level(F.adaptive_avg_pool2d(x, grid)), size=size)
            for grid, level in zip(GRIDS, self.levels, strict=True)
        ]
        return F.relu(self.fuse(torch.cat([*pooled, x], 1)))


class Rise(nn.Module):
    """One step of the decoder: double the size, join the skip, two residual pairs of layers."""

    def __init__(self, channels: int, skip: int, out: int) -> None:
        super().__init__()
        self.first = _pair(channels + skip, out)
        self.second = _pair(out, out)
        self.shortcut = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Join (N, channels, H, W) and (N, skip, 2H, 2W) into (N, out, 2H, 2W)."""
        x = _enlarged(x, factor=2)
        y = self.first(torch.cat([x, skip], 1)) + self.shortcut(x)
        joined: Tensor = y + self.second(y)
        return joined


def _pair(channels: int, out: int) -> nn.Sequential:
    """Two convolutions, each behind a norm and a ReLU."""
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, out, 3, padding=1),
        nn.BatchNorm2d(out),
        nn.ReLU(),
        nn.Conv2d(out, out, 3, padding=1),
    )


def _head(channels: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, 1, 1))


def _enlarged(x: Tensor, *, factor: float | None = None, size: torch.Size | None = None) -> Tensor:
    return F.interpolate(x, size, factor, mode="bilinear", align_corners=False)


class CascadeNetwork(nn.Module):
    """The three looks.

    Args:
        width: channels of the first convolution, a multiple of 4; 64 is the published network
            of 67.7 million parameters, less is for tests.
    """

    def __init__(self, width: int = WIDTH) -> None:
        super().__init__()
        self.width = width
        hidden = width // 2
        self.encoder = Encoder(width)
        self.pyramid = Pyramid(32 * width, 16 * width)
        self.rise4 = Rise(16 * width, 4 * width, 8 * width)
        self.rise2 = Rise(8 * width, width, 4 * width)
        self.rise1 = Rise(4 * width, 3, hidden)
        self.head8 = _head(16 * width, hidden)
        self.head4 = _head(8 * width, hidden)
        self.head1 = _head(hidden + 3, hidden)

    def forward(self, photo: Tensor, mask: Tensor, prior8: Tensor | None = None) -> Answers:
        """The answers of all looks.

        Args:
            photo: (N, 3, H, W), as `normalised` gives it; H and W multiples of `STRIDE`.
            mask: (N, 1, H, W) in -1..1, the mask to refine.
            prior8: (N, 1, H, W) in -1..1, what to take for the first look's answer; the local
                step gives the global step's here.
        """
        first8 = None
        if prior8 is None:
            _, _, deep = self.encoder(torch.cat([photo, mask, mask, mask], 1))
            first8 = self._answer8(self.pyramid(deep))
            prior8 = torch.tanh(first8)
        _, at4, deep = self.encoder(torch.cat([photo, mask, prior8, prior8], 1))
        context = self.pyramid(deep)
        second8 = self._answer8(context)
        second4 = self._answer4(self.rise4(context, at4))
        masks = [mask, torch.tanh(second8), torch.tanh(second4)]
        at2, at4, deep = self.encoder(torch.cat([photo, *masks], 1))
        context = self.pyramid(deep)
        fine = self.rise4(context, at4)
        full = self.rise1(self.rise2(fine, at2), photo)
        return Answers(
            first8=first8,
            second8=second8,
            second4=second4,
            third8=self._answer8(context),
            third4=self._answer4(fine),
            third1=self.head1(torch.cat([full, photo], 1)),
        )

    def _answer8(self, features: Tensor) -> Tensor:
        return _enlarged(self.head8(features), factor=8)

    def _answer4(self, features: Tensor) -> Tensor:
        return _enlarged(self.head4(features), factor=4)


def normalised(photo: Tensor) -> Tensor:
    """Photos (N, 3, H, W) in 0..1 RGB, as the network takes them."""
    mean, std = (photo.new_tensor(values)[None, :, None, None] for values in (RGB_MEAN, RGB_STD))
    return (photo - mean) / std
