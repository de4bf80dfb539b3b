"""The drop-in: the call, the types and the ranges of segmentation-refinement 0.6."""

import inspect

import numpy as np
import pytest

from edgewise import compat
from edgewise.errors import EdgewiseWarning, InputError, ModelError
from edgewise.network import runtime
from edgewise.refiner import Refiner
from tests.fakes import NothingProposer


class FakeEngine:
    """Answers with the prior, a little softened; remembers what it was shown and opened with."""

    stride = 64

    def __init__(self, model="default", *, threads=None, device="cpu"):
        if device not in ("cpu", "cuda"):
            raise ModelError(f"no device {device!r}")
        self.device = device
        self.views = []

    def __call__(self, views):
        self.views.append(views)
        return (views[:, 3] * (0.9 / 255) + 0.05).astype(np.float32)


class NoCuda(FakeEngine):
    """As ONNX Runtime without CUDA."""

    def __init__(self, model="default", *, threads=None, device="cpu"):
        if device == "cuda":
            raise ModelError("device 'cuda' is not available")
        super().__init__(model, threads=threads, device=device)


@pytest.fixture
def engines(monkeypatch):
    """The engines that were opened, in order."""
    opened = []

    def opening(*args, **options):
        opened.append(FakeEngine(*args, **options))
        return opened[-1]

    monkeypatch.setattr(runtime, "OnnxEngine", opening)
    monkeypatch.setattr(runtime, "OnnxProposer", NothingProposer)
    return opened


@pytest.fixture
def image():
    return np.random.default_rng(3).integers(0, 256, (600, 500, 3), np.uint8)


@pytest.fixture
def mask():
    levels = np.zeros((600, 500), np.uint8)
    levels[50:550, 40:460] = 255
    return levels


def test_the_call_is_that_of_the_package():
    """Names, order and defaults as in its main.py."""
    made = inspect.signature(compat.Refiner).parameters
    positional = {
        name: each.default for name, each in made.items() if each.kind is not each.KEYWORD_ONLY
    }
    assert positional == {"device": "cpu", "model_folder": None, "download_and_check_model": True}
    called = inspect.signature(compat.Refiner.refine).parameters
    assert list(called) == ["self", "image", "mask", "fast", "L"]
    assert (called["fast"].default, called["L"].default) == (False, 900)


def test_the_result_is_the_refiners_in_bytes(engines, image, mask):
    output = compat.Refiner().refine(image, mask)
    refined = Refiner(FakeEngine()).refine(image[..., ::-1], mask)
    assert output.dtype == np.uint8
    np.testing.assert_allclose(output, refined.soft * 255, atol=0.51)
    np.testing.assert_array_equal(output > 127, refined.mask)


@pytest.mark.parametrize(("channels", "place"), [("bgr", 2), ("rgb", 0)])
def test_the_network_sees_rgb(engines, mask, channels, place):
    """An image whose first channel alone is lit is blue as OpenCV reads it, red as others do."""
    image = np.zeros((600, 500, 3), np.uint8)
    image[..., 0] = 255
    compat.Refiner(channels=channels).refine(image, mask)
    lit = engines[0].views[0][0, :3].any(axis=(1, 2))
    np.testing.assert_array_equal(np.flatnonzero(lit), [place])


def test_an_unknown_order_of_channels_is_refused(engines):
    with pytest.raises(InputError, match="expected 'bgr' or 'rgb'"):
        compat.Refiner(channels="gbr")


def test_levels_above_127_are_the_object(engines, image, mask):
    levels = np.where(mask > 0, 128, 127).astype(np.uint8)
    refiner = compat.Refiner()
    np.testing.assert_array_equal(refiner.refine(image, levels), refiner.refine(image, mask))


@pytest.mark.parametrize("kind", [np.int64, np.float32])
def test_masks_of_other_types_count_in_the_same_range(engines, image, mask, kind):
    refiner = compat.Refiner()
    np.testing.assert_array_equal(
        refiner.refine(image, mask.astype(kind)), refiner.refine(image, mask)
    )


def test_a_mask_may_have_a_third_axis_of_one(engines, image, mask):
    refiner = compat.Refiner()
    np.testing.assert_array_equal(
        refiner.refine(image, mask[..., None]), refiner.refine(image, mask)
    )


def test_fast_is_the_overview_only(engines, image, mask):
    refiner = compat.Refiner()
    refiner.refine(image, mask, True)
    assert len(engines[0].views) == 1
    refiner.refine(image, mask, False)
    assert len(engines[0].views) > 2


def test_arguments_of_downloading_and_memory_have_no_effect(engines, image, mask, tmp_path):
    folder = tmp_path / "models"
    other = compat.Refiner("cpu", folder, False).refine(image, mask, L=300)
    np.testing.assert_array_equal(other, compat.Refiner().refine(image, mask))
    assert not folder.exists()


@pytest.mark.parametrize("scale", [1, True])
def test_a_mask_in_0_to_1_is_refused(engines, image, mask, scale):
    """There it was an empty mask, and the answer was arbitrary."""
    flags = (mask > 0).astype(type(scale))
    with pytest.raises(InputError, match=r"\* 255"):
        compat.Refiner().refine(image, flags)


def test_an_empty_mask_gives_an_empty_result_and_a_warning(engines, image):
    with pytest.warns(EdgewiseWarning, match="empty"):
        output = compat.Refiner().refine(image, np.zeros((600, 500), np.uint8))
    np.testing.assert_array_equal(output, np.zeros((600, 500), np.uint8))


def test_other_forms_are_refused(engines, image, mask):
    refiner = compat.Refiner()
    with pytest.raises(InputError, match="x 3"):
        refiner.refine(image[..., 0], mask)
    with pytest.raises(InputError, match="uint8"):
        refiner.refine(image / 255, mask)
    with pytest.raises(InputError, match="agree"):
        refiner.refine(image, mask[:-1])


class TorchDevice:
    """Reads as torch.device does."""

    def __str__(self):
        return "cuda:0"


@pytest.mark.parametrize(
    ("device", "opened"),
    [("cpu", "cpu"), ("cuda", "cuda"), ("cuda:0", "cuda"), (TorchDevice(), "cuda")],
)
def test_devices_are_named_as_torch_names_them(engines, device, opened):
    compat.Refiner(device=device)
    assert [engine.device for engine in engines] == [opened]


def test_without_cuda_the_cpu_is_taken_and_said(monkeypatch):
    monkeypatch.setattr(runtime, "OnnxEngine", NoCuda)
    monkeypatch.setattr(runtime, "OnnxProposer", NothingProposer)
    with pytest.warns(EdgewiseWarning, match="'cuda' is not available; the CPU is taken"):
        moved = compat.Refiner("cuda:0")
    assert moved.device == "cuda:0"


def test_unknown_devices_are_refused(engines):
    with pytest.raises(ModelError, match="cuda:1"):
        compat.Refiner("cuda:1")
