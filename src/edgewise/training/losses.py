"""The training loss: right pixels, right overlap, right edge."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

EDGE_RADIUS = 4  # pixels each side of the true edge that count more
EDGE_GAIN = 3.0


def edge_emphasis(truth: Tensor) -> Tensor:
    """1 far from the truth's edge, 1 + EDGE_GAIN beside it; (N, 1, H, W)."""
    return 1 + EDGE_GAIN * (_highest(truth) + _highest(-truth))


def _highest(mask: Tensor) -> Tensor:
    """Greatest value within EDGE_RADIUS, in rows and then in columns.

    A window's greatest value is that of two shorter windows that cover it: 4 steps and not 9.
    """
    for axis in (2, 3):
        size = mask.shape[axis]
        beyond = [EDGE_RADIUS if side == axis else 0 for side in (3, 3, 2, 2)]
        mask = F.pad(mask, beyond, value=-math.inf)
        seen, window = 1, 2 * EDGE_RADIUS + 1
        while seen < window:
            step = min(seen, window - seen)
            length = mask.shape[axis] - step
            mask = torch.maximum(mask.narrow(axis, 0, length), mask.narrow(axis, step, length))
            seen += step
        mask = mask.narrow(axis, 0, size)
    return mask


def _sobel(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Horizontal and vertical Sobel responses, each (N, 1, H, W), scaled to a step of 1.

    By differences of slices: as convolutions of one channel they took a third of a training step.
    """
    padded = F.pad(mask, (1, 1, 1, 1))
    rows = padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]
    columns = padded[..., :-2] + 2 * padded[..., 1:-1] + padded[..., 2:]
    return (rows[..., 2:] - rows[..., :-2]) / 4, (columns[:, :, 2:] - columns[:, :, :-2]) / 4


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    return (values * weight).sum() / weight.sum().clamp_min(1.0)


def overlap_loss(mask: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """1 minus the soft IoU, a mean over pictures; all (N, 1, H, W) in 0..1."""
    intersection = (torch.minimum(mask, truth) * weight).sum((1, 2, 3))
    union = (torch.maximum(mask, truth) * weight).sum((1, 2, 3))
    return 1 - ((intersection + 1) / (union + 1)).mean()


def refinement_loss(
    outputs: tuple[Tensor, Tensor, Tensor], truth: Tensor, weight: Tensor
) -> Tensor:
    """Loss of the logits at strides 1, 4 and 8 against a truth.

    Args:
        outputs: logits (N, 1, H, W), (N, 1, H / 4, W / 4), (N, 1, H / 8, W / 8).
        truth: (N, 1, H, W) in 0..1, soft where the truth has alpha.
        weight: (N, 1, H, W) in 0..1, how far the truth is to be trusted.

    Returns:
        A scalar: cross entropy and L1 that count more near the edge, soft IoU loss a picture of
        what is not near it, L1 of the Sobel responses (as CascadePSP's, there of the magnitude),
        and cross entropy of the two coarser heads.
    """
    logits, at4, at8 = outputs
    emphasis = edge_emphasis(truth)
    near, beside = weight * emphasis, (emphasis - 1) / EDGE_GAIN
    mask = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
    pixels = weighted_mean(entropy, near) + weighted_mean((mask - truth).abs(), near)
    # Near the edge it would move contours outwards: a pixel wrongly taken in costs less than one
    # wrongly left out.
    overlap = overlap_loss(mask, truth, weight * (1 - beside))
    across, down = _sobel(mask - truth)
    edges = weighted_mean(across.abs() + down.abs(), near)
    coarse = mask.new_zeros(())
    for head, stride in ((at4, 4), (at8, 8)):
        small, trust = F.avg_pool2d(truth, stride), F.avg_pool2d(weight, stride)
        error = F.binary_cross_entropy_with_logits(head, small, reduction="none")
        coarse = coarse + weighted_mean(error, trust)
    return pixels + 0.5 * overlap + edges + 0.25 * coarse
