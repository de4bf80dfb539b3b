"""The published loss: six answers, each against the whole truth, and the gradient of the last."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from edgewise.errors import InputError
from edgewise.reference.network import Answers

GRADIENT_WEIGHT = 5.0
EPSILON = 1e-4


@dataclass(frozen=True, kw_only=True)
class Weights:
    """How much of which error counts at an answer."""

    entropy: float = 0.0
    l1: float = 0.0
    l2: float = 0.0


AT8 = Weights(entropy=1.0)
AT4 = Weights(entropy=0.5, l1=0.25, l2=0.25)
AT1 = Weights(l1=1.0, l2=1.0)

WEIGHTS = (AT8, AT8, AT4, AT8, AT4, AT1)
"""In the order of `Answers`."""


def gradient(mask: Tensor) -> Tensor:
    """Magnitude of the Sobel gradient of a mask (N, 1, H, W), smoothed by a 3x3 mean first.

    Both read zeros outside, and the root is kept from zero, as published.
    """
    across = mask.new_tensor([[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]) / 4
    kernels = torch.stack([across, across.T])[:, None]
    smooth = F.avg_pool2d(mask, 3, 1, padding=1)
    return (F.conv2d(smooth, kernels, padding=1).square().sum(1, keepdim=True) + EPSILON).sqrt()


def terms(answers: Answers, truth: Tensor) -> Tensor:
    """The six terms, in the order of `Answers`; the last one holds the gradient's error.

    Args:
        answers: logits (N, 1, H, W).
        truth: (N, 1, H, W) in 0..1; cross entropy takes it as 0 or 1, cut at one half.

    Raises:
        InputError: the first look was skipped.
    """
    if answers.first8 is None:
        raise InputError("the loss takes the answers of all looks; the first look was skipped")
    looks = (answers.first8, *answers[1:])
    errors = [
        _error(logits, truth, weights) for logits, weights in zip(looks, WEIGHTS, strict=True)
    ]
    last = gradient(torch.sigmoid(answers.third1))
    errors[-1] = errors[-1] + GRADIENT_WEIGHT * F.l1_loss(last, gradient(truth))
    return torch.stack(errors)


def _error(logits: Tensor, truth: Tensor, weights: Weights) -> Tensor:
    mask = torch.sigmoid(logits)
    total = logits.new_zeros(())
    if weights.entropy:
        hard = (truth > 0.5).to(logits)
        total = total + weights.entropy * F.binary_cross_entropy_with_logits(logits, hard)
    if weights.l1:
        total = total + weights.l1 * F.l1_loss(mask, truth)
    if weights.l2:
        total = total + weights.l2 * F.mse_loss(mask, truth)
    return total


def cascade_loss(answers: Answers, truth: Tensor) -> Tensor:
    """The sum of `terms`, a scalar."""
    return terms(answers, truth).sum()
