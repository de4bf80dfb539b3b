"""The refinement network: a small U-Net on an EfficientNet-Lite0 encoder.

Input (N, 5, H, W), H and W multiples of 64: photo RGB in 0..255, prior mask in 0..1 (the coarse
mask at the overview, the network's own earlier answer afterwards), coarse mask in 0..1.
Output (N, 1, H, W): logits of the object.

Normalisation constants live inside the network, so that an exported file needs none from outside.
"""

from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgewise.errors import ModelError
from edgewise.training import checkpoint

# EfficientNet-Lite0 (Tan & Le 2019, the "lite" variant: ReLU6, no squeeze-and-excitation):
# expansion, output channels, repeats, stride, kernel of each stage.
STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
STEM_CHANNELS = 32
SKIP_AFTER = (
    0,
    2,
    4,
    10,
)  # blocks whose outputs are the skips at strides 4, 8, 16 and 32 of the input
INPUT_CHANNELS = 5
STRIDE = 64  # of the deepest features, in pixels of the input
RGB_MEAN, RGB_STD = 127.0, 128.0  # what the pretrained encoder was trained with
BATCH_NORM_EPS = 1e-3


class SamePadConv(nn.Conv2d):
    """Convolution padded as TensorFlow's SAME, which the pretrained weights expect."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's own name)
        """Convolve (N, C, H, W) to (N, C', ceil(H / stride), ceil(W / stride)) for even H, W."""
        total = self.kernel_size[0] - self.stride[0]
        before, after = total // 2, total - total // 2
        if before == after:
            return F.conv2d(
                input, self.weight, self.bias, self.stride, before, self.dilation, self.groups
            )
        padded = F.pad(input, (before, after, before, after))
        return F.conv2d(padded, self.weight, self.bias, self.stride, 0, self.dilation, self.groups)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=BATCH_NORM_EPS, momentum=0.02)


class InvertedResidual(nn.Module):
    """MobileNetV2's block; attribute names match the pretrained checkpoint's."""

    def __init__(self, channels: int, out: int, *, expansion: int, stride: int, kernel: int):
        super().__init__()
        wide = channels * expansion
        self.expands = expansion != 1
        if self.expands:
            self._expand_conv = SamePadConv(channels, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        self._depthwise_conv = SamePadConv(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = _norm(wide)
        self._project_conv = SamePadConv(wide, out, 1, bias=False)
        self._bn2 = _norm(out)
        self.residual = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, channels, H, W) to (N, out, H / stride, W / stride)."""
        y = F.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        y = F.relu6(self._bn1(self._across(y)))
        narrow: Tensor = self._bn2(self._project_conv(y))
        return x + narrow if self.residual else narrow

    def _across(self, y: Tensor) -> Tensor:
        """The depthwise convolution, whose way back in half precision is slow on a CPU."""
        half = y.device.type == "cpu" and y.dtype != torch.float32
        with torch.autocast("cpu", enabled=False) if half else nullcontext():
            across: Tensor = self._depthwise_conv(y.float() if half else y)
        return across


class Encoder(nn.Module):
    """EfficientNet-Lite0 without its head; the stem takes the mask channels as well."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = SamePadConv(INPUT_CHANNELS, STEM_CHANNELS, 3, 2, bias=False)
        self._bn0 = _norm(STEM_CHANNELS)
        blocks, channels = [], STEM_CHANNELS
        for expansion, out, repeats, stride, kernel in STAGES:
            for repeat in range(repeats):
                blocks.append(
                    InvertedResidual(
                        channels,
                        out,
                        expansion=expansion,
                        stride=stride if repeat == 0 else 1,
                        kernel=kernel,
                    )
                )
                channels = out
        self._blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Features at strides 2, 4, 8, 16 and 32 of x, finest first."""
        x = F.relu6(self._bn0(self._conv_stem(x)))
        features = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in SKIP_AFTER:
                features.append(x)
        return [*features, x]


def _conv(channels: int, out: int, kernel: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, kernel, padding=kernel // 2, bias=False),
        _norm(out),
        nn.ReLU(inplace=True),
    )


class Merge(nn.Module):
    """One step of the decoder: narrow, double the size, join the skip, two convolutions."""

    def __init__(self, channels: int, skip: int, out: int) -> None:
        super().__init__()
        self.narrow = _conv(channels, out, 1)  # before the resize, where it costs a quarter
        self.first = _conv(out + skip, out)
        self.second = _conv(out, out)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Join (N, channels, H, W) and (N, skip, 2H, 2W) into (N, out, 2H, 2W)."""
        x = F.interpolate(self.narrow(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined: Tensor = self.second(self.first(torch.cat([x, skip], 1)))
        return joined


class RefinementNet(nn.Module):
    """Photo + prior mask + coarse mask -> logits of the refined mask.

    The encoder sees the input at half size: knowing what is object needs context more than
    pixels, and its early layers at full size would be most of the cost. A shallow branch of
    convolutions on 2x2 pixels folded into channels keeps full-size detail for the last step.
    """

    def __init__(
        self, widths: tuple[int, int, int, int, int, int] = (160, 112, 80, 56, 40, 24)
    ) -> None:
        super().__init__()
        self.widths = widths
        self.encoder = Encoder()
        deep, w32, w16, w8, w4, w2 = widths
        self.context = _conv(320, deep, 1)
        self.pooled = nn.Conv2d(320, deep, 1)
        self.merge32 = Merge(deep, 112, w32)
        self.merge16 = Merge(w32, 40, w16)
        self.merge8 = Merge(w16, 24, w8)
        self.merge4 = Merge(w8, 16, w4)
        self.fine = _conv(4 * INPUT_CHANNELS, w2)
        self.merge2 = Merge(w4, w2, w2)
        self.head = nn.Conv2d(w2, 4, 3, padding=1)
        self.head4 = nn.Conv2d(w4, 1, 1)
        self.head8 = nn.Conv2d(w8, 1, 1)

    def normalise(self, x: Tensor) -> Tensor:
        """Photo to about -1..1, masks to -1..1."""
        rgb = (x[:, :3] - RGB_MEAN) / RGB_STD
        return torch.cat([rgb, x[:, 3:] * 2 - 1], 1)

    def coarse_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features at strides 4 and 8 of a normalised input (N, 5, H, W)."""
        return self.decoded(self.encoder(F.avg_pool2d(x, 2)))

    def decoded(self, encoded: list[Tensor]) -> tuple[Tensor, Tensor]:
        """The same of what the encoder gave."""
        at4, at8, at16, at32, at64 = encoded
        context = self.context(at64) + self.pooled(at64.mean((2, 3), keepdim=True))
        y8 = self.merge8(self.merge16(self.merge32(context, at32), at16), at8)
        return self.merge4(y8, at4), y8

    def full_size(self, y4: Tensor, fine: Tensor) -> Tensor:
        """Logits (N, 1, H, W) of features at stride 4 and of the shallow branch at stride 2."""
        return F.pixel_shuffle(self.head(self.merge2(y4, fine)), 2)

    def features(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits at strides 1, 4 and 8; the coarser ones serve only the training loss."""
        x = self.normalise(x)
        y4, y8 = self.coarse_features(x)
        fine = self.fine(F.pixel_unshuffle(x, 2))
        return self.full_size(y4, fine), self.head4(y4), self.head8(y8)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 1, H, W) for an input (N, 5, H, W)."""
        return self.features(x)[0]


def load_encoder(model: RefinementNet, path: Path) -> None:
    """Start the encoder from ImageNet weights of EfficientNet-Lite0 (a state_dict file).

    The stem's mask channels, which the checkpoint lacks, start at zero: at the first step the
    encoder sees the photo exactly as it was pretrained to.

    Raises:
        ModelError: the file cannot be read, or is another thing.
    """
    state = checkpoint.read(path)
    own = model.encoder.state_dict()
    missing = own.keys() - state.keys()
    if missing:
        raise ModelError(f"{path}: not an EfficientNet-Lite0 state_dict, lacks {min(missing)}")
    stem = torch.zeros(STEM_CHANNELS, INPUT_CHANNELS, 3, 3)
    stem[:, :3] = state["_conv_stem.weight"]
    state["_conv_stem.weight"] = stem
    model.encoder.load_state_dict({key: state[key] for key in own})


def parameter_groups(
    model: RefinementNet, *, rate: float, encoder_share: float, decay: float
) -> list[dict[str, object]]:
    """Optimiser groups: the pretrained encoder learns slower, norms and biases do not decay."""

    def split(parameters: Iterable[Tensor], lr: float) -> list[dict[str, object]]:
        matrices: list[Tensor] = []
        vectors: list[Tensor] = []
        for parameter in parameters:
            (matrices if parameter.ndim > 1 else vectors).append(parameter)
        return [
            {"params": matrices, "lr": lr, "peak": lr, "weight_decay": decay},
            {"params": vectors, "lr": lr, "peak": lr, "weight_decay": 0.0},
        ]

    stem = [model.encoder._conv_stem.weight]
    encoder = [p for p in model.encoder.parameters() if p is not stem[0]]
    own = {id(p) for p in model.encoder.parameters()}
    decoder = [p for p in model.parameters() if id(p) not in own] + stem
    return split(encoder, rate * encoder_share) + split(decoder, rate)
