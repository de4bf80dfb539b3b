"""Kernels of the network as the exported file keeps them, and back: the same sums in fewer steps.

Where a layer only moves pixels about, the convolution beside it does so as well: its kernel is laid
out for the pixels as they lie. `export` lays kernels out, `restore` takes them back.
"""

import itertools

from torch import Tensor


def of_unfolded(kernel: Tensor) -> Tensor:
    """A kernel behind `pixel_unshuffle` by 2, for the pixels themselves at a stride of 2.

    (O, 4 C, 3, 3) to (O, C, 6, 6).
    """
    out, folded = kernel.shape[:2]
    # Channels of pixel_unshuffle are (channel, row, column); the kernel's are (row, column).
    parts = kernel.reshape(out, folded // 4, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3)
    return parts.reshape(out, folded // 4, 6, 6)


def folded(kernel: Tensor) -> Tensor:
    """What `of_unfolded` was made of."""
    out, channels = kernel.shape[:2]
    parts = kernel.reshape(out, channels, 3, 2, 3, 2).permute(0, 1, 3, 5, 2, 4)
    return parts.reshape(out, 4 * channels, 3, 3)


def of_pixels(kernel: Tensor) -> Tensor:
    """A kernel of the means of 2x2 pixels, for the pixels themselves.

    (O, C, 3, 3) to (O, C, 6, 6).
    """
    return kernel.repeat_interleave(2, 2).repeat_interleave(2, 3) / 4


def of_means(kernel: Tensor) -> Tensor:
    """What `of_pixels` was made of."""
    return kernel[:, :, ::2, ::2] * 4


def spread(kernel: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """A kernel before `pixel_shuffle` by 2, for every second place and `pixel_shuffle` by 4.

    (4, C, 3, 3) to (16, C, 4, 4) at a stride of 2, and the biases.
    """
    channels = kernel.shape[1]
    # Channels of pixel_shuffle are (row, column): those of the place, then of the pixel in it.
    own = kernel.reshape(2, 2, channels, 3, 3)
    every = kernel.new_zeros(2, 2, 2, 2, channels, 4, 4)
    for row, column in itertools.product(range(2), repeat=2):
        every[row, :, column, :, :, row : row + 3, column : column + 3] = own
    biases = bias.reshape(1, 2, 1, 2).expand(2, 2, 2, 2)
    return every.reshape(16, channels, 4, 4), biases.reshape(16)


def gathered(kernel: Tensor, biases: Tensor) -> tuple[Tensor, Tensor]:
    """What `spread` was made of."""
    channels = kernel.shape[1]
    own = kernel.reshape(2, 2, 2, 2, channels, 4, 4)[0, :, 0, :, :, :3, :3]
    return own.reshape(4, channels, 3, 3), biases.reshape(2, 2, 2, 2)[0, :, 0].reshape(4)
