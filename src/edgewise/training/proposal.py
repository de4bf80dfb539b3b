"""The proposal network: a promptable segmenter that says which whole object the mask means.

It is MobileSAM (Zhang et al. 2023, Apache-2.0): Segment Anything's prompt encoder and mask decoder
(Kirillov et al. 2023) on a TinyViT-5M encoder (Wu et al. 2022). The encoder's weights are those
published; the rest starts from them and learns what coarse masks are like (tune.py). Attribute
names match the checkpoint's. Written here without the parts that refining does not need (negative
points, quality head, one-mask token), for any size that is a multiple of 224: at such sizes its
windows fit, and nothing is padded.

`python -m edgewise.training.proposal CHECKPOINT FOLDER` writes the two files that the product
ships: `proposal.onnx` looks at a photo, `prompt.onnx` answers prompts about it, as many as come.
"""

import argparse
import math
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgewise.errors import ModelError
from edgewise.files import make_folder
from edgewise.training import checkpoint, command
from edgewise.training.pack import write_packed

STRIDE = 224  # 16 (encoder) x 14 (largest window)
WIDTHS, HEADS, WINDOWS, DEPTHS = (64, 128, 160, 320), (2, 4, 5, 10), (7, 7, 14, 7), (2, 2, 6, 2)
DIM = 256  # channels of the image's embedding and of every token
CANDIDATES = 3  # masks of one prompt: part, object, group
RGB_MEAN, RGB_STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)
LOOK, ANSWERS = "proposal.onnx", "prompt.onnx"
PROMPTS = 3  # a point inside, the box's first and last corner


class ConvNorm(nn.Module):
    """Convolution and batch norm under the checkpoint's names."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.c = nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(out)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, out, H / stride, W / stride)."""
        y: Tensor = self.bn(self.c(x))
        return y


class ChannelNorm(nn.Module):
    """Layer norm over the channels of (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        last = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6)
        return last.permute(0, 3, 1, 2)


class MBConv(nn.Module):
    """TinyViT's convolutional block of the first stage."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(channels, 4 * channels, 1)
        self.conv2 = ConvNorm(4 * channels, 4 * channels, 3, groups=4 * channels)
        self.conv3 = ConvNorm(4 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        return F.gelu(x + self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x))))))


class PatchMerging(nn.Module):
    """From one stage to the next: halves the sides but before the last stage."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv1 = ConvNorm(channels, out, 1)
        self.conv2 = ConvNorm(out, out, 3, 1 if out == WIDTHS[-1] else 2, groups=out)
        self.conv3 = ConvNorm(out, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, out, H', W')."""
        y: Tensor = self.conv3(F.gelu(self.conv2(F.gelu(self.conv1(x)))))
        return y


class WindowAttention(nn.Module):
    """Self-attention within windows, with a learned bias an offset."""

    indices: Tensor

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(dim)
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)
        self.attention_biases = nn.Parameter(torch.zeros(heads, window * window))
        y, x = torch.meshgrid(torch.arange(window), torch.arange(window), indexing="ij")
        places = torch.stack([y.flatten(), x.flatten()], 1)
        # The checkpoint numbers offsets in the order in which the first pixel meets them: raster.
        away = (places[:, None] - places[None]).abs()
        self.register_buffer("indices", away[..., 0] * window + away[..., 1], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """(windows, window * window, dim) to the same shape."""
        count, pixels, dim = x.shape
        qkv = self.qkv(self.norm(x)).view(count, pixels, self.heads, 3 * dim // self.heads)
        query, key, value = qkv.permute(0, 2, 1, 3).chunk(3, dim=3)
        scores = query @ key.transpose(2, 3) / math.sqrt(dim // self.heads)
        weights = (scores + self.attention_biases[:, self.indices]).softmax(3)
        joined: Tensor = self.proj((weights @ value).transpose(1, 2).reshape(count, pixels, dim))
        return joined


class Mlp(nn.Module):
    """Norm and two layers, four times as wide between."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dim) to the same shape."""
        y: Tensor = self.fc2(F.gelu(self.fc1(self.norm(x))))
        return y


class TinyViTBlock(nn.Module):
    """Window attention, a depthwise convolution across the windows, an MLP."""

    def __init__(self, dim: int, heads: int, window: int) -> None:
        super().__init__()
        self.window = window
        self.attn = WindowAttention(dim, heads, window)
        self.mlp = Mlp(dim)
        self.local_conv = ConvNorm(dim, dim, 3, groups=dim)

    def forward(self, x: Tensor) -> Tensor:
        """(1, dim, H, W), H and W multiples of the window, to the same shape."""
        side, dim = self.window, x.shape[1]
        rows, columns = x.shape[2] // side, x.shape[3] // side
        windows = x.view(dim, rows, side, columns, side).permute(1, 3, 2, 4, 0)
        windows = self.attn(windows.reshape(rows * columns, side * side, dim))
        windows = windows.view(rows, columns, side, side, dim).permute(4, 0, 2, 1, 3)
        x = self.local_conv(x + windows.reshape(1, dim, rows * side, columns * side))
        changed: Tensor = self.mlp(x.permute(0, 2, 3, 1))
        return x + changed.permute(0, 3, 1, 2)


class Stage(nn.Module):
    """Blocks of one width, and the step to the next."""

    def __init__(self, index: int) -> None:
        super().__init__()
        dim = WIDTHS[index]
        blocks = (
            MBConv(dim) if index == 0 else TinyViTBlock(dim, HEADS[index], WINDOWS[index])
            for _ in range(DEPTHS[index])
        )
        self.blocks = nn.ModuleList(blocks)
        last = index == len(WIDTHS) - 1
        self.downsample = nn.Identity() if last else PatchMerging(dim, WIDTHS[index + 1])

    def forward(self, x: Tensor) -> Tensor:
        """(1, C, H, W) to the next stage's input."""
        for block in self.blocks:
            x = block(x)
        y: Tensor = self.downsample(x)
        return y


class PatchEmbed(nn.Module):
    """The stem: stride 4."""

    def __init__(self) -> None:
        super().__init__()
        half = WIDTHS[0] // 2
        self.seq = nn.Sequential(
            ConvNorm(3, half, 3, 2), nn.GELU(), ConvNorm(half, WIDTHS[0], 3, 2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(1, 3, H, W) to (1, 64, H / 4, W / 4)."""
        y: Tensor = self.seq(x)
        return y


class ImageEncoder(nn.Module):
    """TinyViT-5M with Segment Anything's neck."""

    def __init__(self) -> None:
        super().__init__()
        self.patch_embed = PatchEmbed()
        self.layers = nn.ModuleList(Stage(index) for index in range(len(WIDTHS)))
        self.neck = nn.Sequential(
            nn.Conv2d(WIDTHS[-1], DIM, 1, bias=False),
            ChannelNorm(DIM),
            nn.Conv2d(DIM, DIM, 3, padding=1, bias=False),
            ChannelNorm(DIM),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(1, 3, H, W), normalised, to (1, 256, H / 16, W / 16)."""
        x = self.patch_embed(x)
        for stage in self.layers:
            x = stage(x)
        y: Tensor = self.neck(x)
        return y


class Positions(nn.Module):
    """Random Fourier features of places in 0..1."""

    positional_encoding_gaussian_matrix: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("positional_encoding_gaussian_matrix", torch.zeros(2, DIM // 2))

    def forward(self, places: Tensor) -> Tensor:
        """(..., 2) of x, y to (..., 256)."""
        angles = 2 * math.pi * ((2 * places - 1) @ self.positional_encoding_gaussian_matrix)
        return torch.cat([angles.sin(), angles.cos()], -1)


class PromptEncoder(nn.Module):
    """Point, box and mask as tokens and as a map."""

    def __init__(self) -> None:
        super().__init__()
        self.pe_layer = Positions()
        self.point_embeddings = nn.ModuleList(nn.Embedding(1, DIM) for _ in range(4))
        self.mask_downscaling = nn.Sequential(
            nn.Conv2d(1, 4, 2, 2), ChannelNorm(4), nn.GELU(),
            nn.Conv2d(4, 16, 2, 2), ChannelNorm(16), nn.GELU(),
            nn.Conv2d(16, DIM, 1),
        )  # fmt: skip

    def tokens(self, places: Tensor) -> Tensor:
        """(3, 2) places in 0..1 (inside, first corner, last corner) to (1, 3, 256)."""
        kinds: list[Tensor] = [
            self.point_embeddings[kind].get_parameter("weight") for kind in (1, 2, 3)
        ]
        at: Tensor = self.pe_layer(places)
        return (at + torch.cat(kinds))[None]


class CrossAttention(nn.Module):
    """Multi-head attention, narrower inside where asked."""

    def __init__(self, inner: int) -> None:
        super().__init__()
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(DIM, inner) for _ in range(3))
        self.out_proj = nn.Linear(inner, DIM)

    def forward(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """(1, n, 256) queries on (1, m, 256) keys and values, to (1, n, 256)."""
        heads = 8
        query, key, value = (
            layer(x).view(1, x.shape[1], heads, -1).transpose(1, 2)
            for layer, x in ((self.q_proj, q), (self.k_proj, k), (self.v_proj, v))
        )
        weights = (query @ key.transpose(2, 3) / math.sqrt(query.shape[3])).softmax(3)
        joined: Tensor = self.out_proj((weights @ value).transpose(1, 2).flatten(2))
        return joined


class TwoWayMlp(nn.Module):
    """The tokens' MLP."""

    def __init__(self) -> None:
        super().__init__()
        self.lin1, self.lin2 = nn.Linear(DIM, 2048), nn.Linear(2048, DIM)

    def forward(self, x: Tensor) -> Tensor:
        """Same shape."""
        y: Tensor = self.lin2(F.relu(self.lin1(x)))
        return y


class TwoWayBlock(nn.Module):
    """Tokens look at themselves and at the image, then the image at them."""

    def __init__(self, *, first: bool) -> None:
        super().__init__()
        self.first = first
        self.self_attn = CrossAttention(DIM)
        self.cross_attn_token_to_image = CrossAttention(DIM // 2)
        self.cross_attn_image_to_token = CrossAttention(DIM // 2)
        self.mlp = TwoWayMlp()
        self.norm1, self.norm2, self.norm3, self.norm4 = (nn.LayerNorm(DIM) for _ in range(4))

    def forward(self, tokens: Tensor, image: Tensor, pe: Tensor, at: Tensor) -> tuple[Tensor, ...]:
        """Tokens (1, n, 256), image (1, m, 256), with their positions, to both anew."""
        if self.first:
            tokens = self.self_attn(tokens, tokens, tokens)
        else:
            tokens = tokens + self.self_attn(tokens + pe, tokens + pe, tokens)
        tokens = self.norm1(tokens)
        looked = self.cross_attn_token_to_image(tokens + pe, image + at, image)
        tokens = self.norm2(tokens + looked)
        tokens = self.norm3(tokens + self.mlp(tokens))
        looked = self.cross_attn_image_to_token(image + at, tokens + pe, tokens)
        return tokens, self.norm4(image + looked)


class TwoWayTransformer(nn.Module):
    """Two blocks and a last look of the tokens at the image."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(TwoWayBlock(first=index == 0) for index in range(2))
        self.final_attn_token_to_image = CrossAttention(DIM // 2)
        self.norm_final_attn = nn.LayerNorm(DIM)

    def forward(self, image: Tensor, at: Tensor, pe: Tensor) -> tuple[Tensor, Tensor]:
        """Image and its positions (1, m, 256), tokens (1, n, 256), to tokens and image."""
        tokens = pe
        for layer in self.layers:
            tokens, image = layer(tokens, image, pe, at)
        looked = self.final_attn_token_to_image(tokens + pe, image + at, image)
        return self.norm_final_attn(tokens + looked), image


class Perceptron(nn.Module):
    """Three layers from a mask token to the weights of its mask."""

    def __init__(self) -> None:
        super().__init__()
        sizes = (DIM, DIM, DIM, DIM // 8)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """(1, 256) to (1, 32)."""
        first, second, third = self.layers
        y: Tensor = third(F.relu(second(F.relu(first(x)))))
        return y


class MaskDecoder(nn.Module):
    """From the image's embedding and the prompt to three candidate masks."""

    def __init__(self) -> None:
        super().__init__()
        self.transformer = TwoWayTransformer()
        self.iou_token = nn.Embedding(1, DIM)
        self.mask_tokens = nn.Embedding(1 + CANDIDATES, DIM)
        self.output_upscaling = nn.Sequential(
            nn.ConvTranspose2d(DIM, DIM // 4, 2, 2), ChannelNorm(DIM // 4), nn.GELU(),
            nn.ConvTranspose2d(DIM // 4, DIM // 8, 2, 2), nn.GELU(),
        )  # fmt: skip
        self.output_hypernetworks_mlps = nn.ModuleList(Perceptron() for _ in range(1 + CANDIDATES))

    def forward(self, image: Tensor, at: Tensor, prompt: Tensor) -> Tensor:
        """Image (1, 256, h, w), positions (h, w, 256), prompt (1, 3, 256), to (3, 4h, 4w)."""
        height, width = image.shape[2], image.shape[3]
        own = torch.cat([self.iou_token.weight, self.mask_tokens.weight])[None]
        pixels = image.flatten(2).transpose(1, 2)
        tokens, pixels = self.transformer(
            pixels, at.reshape(1, height * width, DIM), torch.cat([own, prompt], 1)
        )
        large = self.output_upscaling(pixels.transpose(1, 2).view(1, DIM, height, width))
        weights = [
            self.output_hypernetworks_mlps[index](tokens[:, 1 + index])
            for index in range(1, 1 + CANDIDATES)
        ]
        masks: Tensor = torch.cat(weights) @ large.view(DIM // 8, 16 * height * width)
        return masks.view(CANDIDATES, 4 * height, 4 * width)


class ProposalNet(nn.Module):
    """Photo and prompt to three candidate masks of the object."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.image_encoder = ImageEncoder()
        self.prompt_encoder = PromptEncoder()
        self.mask_decoder = MaskDecoder()
        for name, values in (("mean", RGB_MEAN), ("std", RGB_STD)):
            buffer = torch.tensor(values)[:, None, None]
            self.register_buffer(name, buffer, persistent=False)

    def forward(self, photo: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        """Candidate masks.

        Args:
            photo: uint8 (3, H, W) RGB, H and W multiples of 224; where there is no photo, the
                mean colour, which normalises to the zeros that the weights were trained with.
            mask: float32 (H / 4, W / 4), log-odds of the coarse mask.
            places: float32 (3, 2), x and y in pixels of the photo: a point inside the object, the
                first and the last corner of its box.

        Returns:
            float32 (3, H / 4, W / 4), log-odds.
        """
        return self.answer(self.look(photo), mask, places)

    def look(self, photo: Tensor) -> Tensor:
        """The photo's embedding, float32 (256, H / 16, W / 16)."""
        embedding: Tensor = self.image_encoder(
            ((photo.to(torch.float32) - self.mean) / self.std)[None]
        )
        return embedding[0]

    def answer(self, embedding: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        """Candidate masks of a photo with that embedding; see `forward`."""
        image = embedding[None]
        height, width = image.shape[2], image.shape[3]
        one = torch.ones_like(places[0, 0])
        side = torch.maximum(one * height, one * width)
        dense = self.prompt_encoder.mask_downscaling(mask[None, None])
        rows = (torch.arange(height, dtype=torch.float32) + 0.5)[:, None].expand(height, width)
        columns = (torch.arange(width, dtype=torch.float32) + 0.5)[None].expand(height, width)
        at = self.prompt_encoder.pe_layer(torch.stack([columns, rows], -1) / side)
        prompt = self.prompt_encoder.tokens((places + 0.5) / (16 * side))
        candidates: Tensor = self.mask_decoder(image + dense, at, prompt)
        return candidates


def load(path: Path) -> ProposalNet:
    """The network with the weights of mobile_sam.pt as published or of a run of tune.py.

    It is in evaluation mode.

    Raises:
        ModelError: the file cannot be read, or is another thing.
    """
    state = checkpoint.read(path)
    network = ProposalNet()
    own = network.state_dict()
    found = state.get("average", state)
    for key, value in own.items():
        if key not in found or found[key].shape != value.shape:
            what = "lacks" if key not in found else "has another shape of"
            raise ModelError(f"{path}: not MobileSAM's checkpoint, {what} {key}")
    network.load_state_dict({key: found[key] for key in own})
    return network.eval()


class Look(nn.Module):
    """The half of the network that sees the photo."""

    def __init__(self, network: ProposalNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, photo: Tensor) -> Tensor:
        """See `ProposalNet.look`."""
        return self.network.look(photo)


class Answers(nn.Module):
    """The half of the network that sees the prompt."""

    def __init__(self, network: ProposalNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, embedding: Tensor, mask: Tensor, places: Tensor) -> Tensor:
        """See `ProposalNet.answer`."""
        return self.network.answer(embedding, mask, places)


def export(network: ProposalNet, folder: Path, prompt_beside: Path | None = None) -> dict[str, str]:
    """Write both ONNX files and give their sha256 by name.

    Weights are packed in 8 bits; the half that sees the photo multiplies matrices in whole numbers.

    Args:
        network: the network.
        folder: where they go.
        prompt_beside: a prompt.onnx; the mean of its weights and the network's is written.
    """
    rows, columns = (torch.export.Dim(name, min=1, max=16) for name in ("rows", "columns"))
    photo = torch.zeros(3, 2 * STRIDE, 3 * STRIDE, dtype=torch.uint8)
    prompt = (
        torch.zeros(DIM, 2 * STRIDE // 16, 3 * STRIDE // 16),
        torch.zeros(2 * STRIDE // 4, 3 * STRIDE // 4),
        torch.ones(PROMPTS, 2),
    )
    looking = torch.onnx.export(
        Look(network).eval(),
        (photo,),
        dynamic_shapes=({1: STRIDE * rows, 2: STRIDE * columns},),
        input_names=["photo"],
        output_names=["embedding"],
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    answering = torch.onnx.export(
        Answers(network).eval(),
        prompt,
        dynamic_shapes=(
            {1: STRIDE // 16 * rows, 2: STRIDE // 16 * columns},
            {0: STRIDE // 4 * rows, 1: STRIDE // 4 * columns},
            {},
        ),
        input_names=["embedding", "mask", "places"],
        output_names=["candidates"],
        dynamo=True,
        optimize=True,
        verbose=False,
    )
    return {
        LOOK: write_packed(looking, folder / LOOK, bits=8, integers=True),
        ANSWERS: write_packed(answering, folder / ANSWERS, bits=8, beside=prompt_beside),
    }


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Write the proposal network.")
    parser.add_argument("checkpoint", type=Path, help="mobile_sam.pt, or last.pt of tune.py")
    parser.add_argument("folder", type=Path, help="where to write the two .onnx files")
    parser.add_argument(
        "--mean-with",
        type=Path,
        help="a prompt.onnx; the mean of both networks' weights is written",
    )
    options = parser.parse_args()
    make_folder(options.folder)
    digests = export(load(options.checkpoint), options.folder, options.mean_with)
    for name, digest in digests.items():
        print(f"{name}: {(options.folder / name).stat().st_size} bytes, sha256 {digest}")


if __name__ == "__main__":
    command.run(main)
