"""The authors' own package, with random weights that both programs load."""

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from edgewise.demo import pairs


@pytest.fixture(scope="session")
def picture():
    """A photo and a coarse mask of an object in it: uint8 HxWx3 RGB, uint8 HxW of 0 and 255."""
    from edgewise.images import read_photo
    from edgewise.masks import read_mask

    (pair,) = (one for one in pairs() if one.name == "flower")
    photo = read_photo(pair.photo)
    mask = read_mask(pair.coarse, size=photo.shape[:2])
    return photo, np.where(mask > 0.5, 255, 0).astype(np.uint8)


def _torchvision():
    """The three transforms that the package takes from torchvision, which it gets from here."""
    import torch

    def to_tensor(array):
        levels = array[..., None] if array.ndim == 2 else array
        return torch.from_numpy(levels.transpose(2, 0, 1).copy()).float() / 255

    def normalize(mean, std):
        m, s = (torch.tensor(values)[:, None, None] for values in (mean, std))
        return lambda tensor: (tensor - m) / s

    def compose(steps):
        def run(value):
            for step in steps:
                value = step(value)
            return value

        return run

    transforms = ModuleType("torchvision.transforms")
    transforms.ToTensor, transforms.Normalize = lambda: to_tensor, normalize
    transforms.Compose = compose
    package = ModuleType("torchvision")
    package.transforms = transforms
    return {"torchvision": package, "torchvision.transforms": transforms}


@pytest.fixture(scope="session")
def published(tmp_path_factory, picture):
    """segmentation-refinement 0.6: its network, its helpers, its Refiner, and a checkpoint."""
    pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")
    with pytest.MonkeyPatch.context() as patch:
        for name, module in _torchvision().items():
            patch.setitem(sys.modules, name, module)
        package = pytest.importorskip(
            "segmentation_refinement",
            reason="pip install --no-deps segmentation-refinement==0.6",
        )
        from segmentation_refinement import eval_helper
        from segmentation_refinement.models.psp.pspnet import RefinementModule
    folder = tmp_path_factory.mktemp("published")
    network = _with_lively_weights(RefinementModule(), picture)
    _save(network, folder / "model")
    refiner = package.Refiner(model_folder=str(folder), download_and_check_model=False)
    return SimpleNamespace(
        network=refiner.model, helper=eval_helper, refiner=refiner, path=folder / "model"
    )


def inputs(picture, height, width):
    """A piece of the picture as the network takes it."""
    import cv2
    import torch

    from edgewise.reference.network import normalised

    photo, mask = (cv2.resize(one, (width, height)) for one in picture)
    image = normalised(torch.from_numpy(photo).permute(2, 0, 1)[None].float() / 255)
    return image, torch.from_numpy(np.where(mask > 127, 1.0, -1.0))[None, None].float()


def _with_lively_weights(network, picture):
    """Random weights whose activations stay of one size, and whose answer is half object."""
    import torch

    torch.manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.2)
            module.momentum = 1.0
    image, mask = inputs(picture, 96, 96)
    with torch.no_grad():
        network.train()(image, mask)
        out = network.eval()(image, mask)["out_224"]
        gain = 2 / out.std()
        network.final_21.weight.mul_(gain)
        network.final_21.bias.sub_(out.median()).mul_(gain)
    return network


def _save(network, path):
    """As published: names of a parallel run."""
    import torch

    torch.save({f"module.{key}": value for key, value in network.state_dict().items()}, path)
