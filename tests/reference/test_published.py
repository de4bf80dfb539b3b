"""Our network and pipeline give what the authors' package gives, with the same weights.

The package is for this test alone: `pip install --no-deps segmentation-refinement==0.6`.
"""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")

from edgewise.reference.checkpoint import load_network
from edgewise.reference.pipeline import CascadeRefiner, PipelineSettings
from tests.reference.conftest import inputs


@pytest.fixture(scope="module")
def network(published):
    """Ours, from the file of theirs: every published name has its place."""
    return load_network(published.path)


@pytest.mark.parametrize("size", [(224, 224), (225, 301), (512, 512)])
def test_the_network_answers_as_theirs_at(network, published, picture, size):
    image, mask = inputs(picture, *size)
    with torch.inference_mode():
        theirs = published.helper.safe_forward(published.network, image, mask)
        fine, at4 = CascadeRefiner(network=network)._look(image, mask)
    assert 0.1 < float((fine > 0.5).float().mean()) < 0.9
    assert (fine - theirs["pred_224"]).abs().max() < 1e-5
    assert (at4 - theirs["pred_56_2"]).abs().max() < 1e-5


def test_all_six_answers_are_theirs_in_their_order(network, published, picture):
    image, mask = inputs(picture, 64, 96)
    with torch.inference_mode():
        theirs, ours = published.network(image, mask), network(image, mask)
    names = ("out_28", "out_28_2", "out_56", "out_28_3", "out_56_2", "out_224")
    for name, logits in zip(names, ours, strict=True):
        assert (logits - theirs[name]).abs().max() < 1e-5


@pytest.mark.parametrize("size", [(140, 160), (90, 120)], ids=["larger than L", "smaller"])
@pytest.mark.parametrize("fast", [False, True], ids=["whole", "fast"])
def test_the_pip_variant_refines_as_their_refiner(network, published, picture, size, fast):
    photo, mask = (cv2.resize(one, size[::-1], interpolation=cv2.INTER_AREA) for one in picture)
    theirs = published.refiner.refine(photo, mask, fast=fast, L=128)
    settings = PipelineSettings(variant="pip", side=128, global_only=fast)
    ours = CascadeRefiner(network=network, settings=settings).refine(photo, mask)
    assert theirs.std() > 10
    assert np.abs(np.rint(ours * 255) - theirs).max() <= 1
