"""Training samples as published: crops at the photo's own size, their masks perturbed online.

Sample number i of a run is decided by the run's seed and i alone. So a run that was killed goes on
with the samples that it would have seen, whatever the number of workers.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from torch.utils.data import Dataset, Sampler

from edgewise.reference.perturb import perturb
from edgewise.training.data import Library, Scene, real_scene

Photo = NDArray[np.uint8]
Sample = dict[str, NDArray[np.uint8]]

BRIGHTNESS, CONTRAST, SATURATION = 0.2, 0.05, 0.05
"""Each is multiplied by 1 plus or minus up to so much."""

GREY_SHARE = 0.1
FLIP_SHARE = 0.5
ATTEMPTS = 20


class Crops(Dataset[Sample]):
    """Samples by number: each photo once an epoch, in an order of its own.

    Args:
        library: whose real photos are used; made ones were not published.
        size: side of a crop, in pixels.
        seed: of all samples.
    """

    def __init__(self, library: Library, *, size: int, seed: int) -> None:
        self.items, self.size, self.seed = library.everything, size, seed

    def __getitem__(self, index: int) -> Sample:
        """Arrays uint8: photo HxWx3 RGB, coarse and truth HxW in 0..255."""
        cv2.setNumThreads(1)
        epoch, place = divmod(index, len(self.items))
        order = np.random.default_rng([self.seed, 0, epoch]).permutation(len(self.items))
        random = np.random.default_rng([self.seed, 1, index])
        return sample(self._scene(int(order[place]), random), self.size, random)

    def _scene(self, place: int, random: Generator) -> Scene:
        """An object of a photo; of another one where this gives none that can be learned from."""
        for _ in range(ATTEMPTS):
            scene = real_scene(self.items[place], random)
            if scene is not None:
                return scene
            place = int(random.integers(len(self.items)))
        raise ValueError(f"{ATTEMPTS} photos in a row held no object that can be learned from")


class Numbers(Sampler[int]):
    """The numbers of one process's samples, without end.

    Args:
        step: at which the run starts.
        batch: samples of a step in each process.
        rank, processes: which process of how many.
    """

    def __init__(self, *, step: int, batch: int, rank: int = 0, processes: int = 1) -> None:
        self.step, self.batch, self.rank, self.processes = step, batch, rank, processes

    def __iter__(self) -> Iterator[int]:
        """A batch's numbers, then those of this process's next batch."""
        step = self.step
        while True:
            first = (step * self.processes + self.rank) * self.batch
            yield from range(first, first + self.batch)
            step += 1


def sample(scene: Scene, size: int, random: Generator) -> Sample:
    """One sample of a scene: a random crop, flipped at times, its colours changed a little."""
    photo, truth = _crop(scene.photo, scene.truth, size, random)
    if random.random() < FLIP_SHARE:
        photo, truth = photo[:, ::-1], truth[:, ::-1]
    hard = np.where(truth > 127, 255, 0).astype(np.uint8)
    return {
        "photo": _recoloured(np.ascontiguousarray(photo), random),
        "coarse": perturb(hard, random),
        "truth": np.ascontiguousarray(truth),
    }


def _crop(photo: Photo, truth: Photo, size: int, random: Generator) -> tuple[Photo, Photo]:
    """A square of both; black where the photo is smaller, on both sides of it."""
    more = [max(0, size - length) for length in truth.shape]
    borders = (more[0], more[0], more[1], more[1])
    photo, truth = (
        np.asarray(cv2.copyMakeBorder(one, *borders, cv2.BORDER_CONSTANT), np.uint8)
        for one in (photo, truth)
    )
    top, left = (int(random.integers(length - size + 1)) for length in truth.shape)
    box = (slice(top, top + size), slice(left, left + size))
    return photo[box], truth[box]


def _recoloured(photo: Photo, random: Generator) -> Photo:
    """Brightness, contrast and saturation in random order, then grey at times."""
    picture = photo.astype(np.float32)
    for change in random.permutation(3):
        if change == 0:
            picture *= random.uniform(1 - BRIGHTNESS, 1 + BRIGHTNESS)
        elif change == 1:
            picture = _towards(picture, _grey(picture).mean(), CONTRAST, random)
        else:
            picture = _towards(picture, _grey(picture)[..., None], SATURATION, random)
        picture = np.clip(picture, 0, 255)
    if random.random() < GREY_SHARE:
        picture = np.repeat(_grey(picture)[..., None], 3, axis=2)
    return np.rint(picture).astype(np.uint8)


def _towards(
    picture: NDArray[np.float32], other: NDArray[np.float32], most: float, random: Generator
) -> NDArray[np.float32]:
    share = np.float32(random.uniform(1 - most, 1 + most))
    return np.asarray(picture * share + other * (1 - share), np.float32)


def _grey(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Luma of ITU-R BT.601."""
    return picture @ np.array([0.299, 0.587, 0.114], np.float32)
