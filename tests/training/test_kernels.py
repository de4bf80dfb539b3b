"""Kernels that are laid out for the pixels give the same sums, and come back as they were."""

import pytest

torch = pytest.importorskip("torch", reason="training needs the extra edgewise[train]")

from torch.nn import functional as F

from edgewise.training import kernels


@pytest.fixture
def pixels():
    torch.manual_seed(0)
    return torch.randn(2, 5, 24, 16, dtype=torch.float64)


def _kernel(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def test_behind_an_unfolding(pixels):
    kernel = _kernel(7, 20, 3, 3)
    expected = F.conv2d(F.pixel_unshuffle(pixels, 2), kernel, padding=1)
    laid_out = kernels.of_unfolded(kernel)
    torch.testing.assert_close(F.conv2d(pixels, laid_out, stride=2, padding=2), expected)
    assert torch.equal(kernels.folded(laid_out), kernel)


def test_behind_a_mean(pixels):
    kernel = _kernel(7, 5, 3, 3)
    expected = F.conv2d(F.avg_pool2d(pixels, 2), kernel, padding=1)
    laid_out = kernels.of_pixels(kernel)
    torch.testing.assert_close(F.conv2d(pixels, laid_out, stride=2, padding=2), expected)
    assert torch.equal(kernels.of_means(laid_out), kernel)


def test_before_a_folding(pixels):
    kernel, bias = _kernel(4, 5, 3, 3), _kernel(4)
    expected = F.pixel_shuffle(F.conv2d(pixels, kernel, bias, padding=1), 2)
    every, biases = kernels.spread(kernel, bias)
    found = F.pixel_shuffle(F.conv2d(pixels, every, biases, stride=2, padding=1), 4)
    torch.testing.assert_close(found, expected)
    for own, back in zip((kernel, bias), kernels.gathered(every, biases), strict=True):
        assert torch.equal(back, own)
