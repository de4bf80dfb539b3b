"""Teach the proposal network's second half what coarse masks are like.

Segment Anything's decoder was trained on its own answers as mask prompts. Here it learns, from the
data that the refinement network learns from, to say which object a rough mask means: what it lacks,
what has leaked. The first half stays as published, so each photo is looked at once, and the looks
are kept in a folder; learning from them costs a tenth of looking.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from edgewise.errors import InputError
from edgewise.files import atomic_path, make_folder
from edgewise.network.runtime import OnnxProposer
from edgewise.passes.overview import resized
from edgewise.passes.proposal import GRID, look_size, padded, padded_mask, prompt_of, prompt_places
from edgewise.training import coarsen, command, loop, proposal
from edgewise.training.data import Library, Scene, jitter, surroundings
from edgewise.training.loop import Recipe
from edgewise.training.losses import edge_emphasis, overlap_loss, weighted_mean
from edgewise.training.proposal import ProposalNet

SIDE = 672  # longer side of a look in pixels, as the refiner's
HALF = 2  # masks are kept at half of it: finer than any answer
MARGINS = (0.08, 0.3)  # room around the object, as a share of its longer side, drawn a look
REAL_SHARE = 0.7  # where a look has a real coarse mask, how often it is the prompt
SOFT_SHARE = 0.15  # prompts that are nearly right, as the refiner's second ones

State = loop.State[ProposalNet]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that decides a run, kept in its checkpoint and model card."""

    looks: int = 2400
    batch: int = 8
    rate: float = 1e-4
    decay: float = 0.01
    warmup_steps: int = 100
    final_share: float = 0.02
    ema: float = 0.995
    clip: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.looks < 1 or self.batch < 1:
            raise InputError(
                f"looks and batch must be at least 1, not {self.looks} and {self.batch}"
            )


@dataclass(frozen=True)
class Prompt:
    """One prompt about a look, and the object it means.

    Attributes:
        embedding: (256, h, w).
        mask: (4h, 4w), log-odds of the coarse mask.
        places: (3, 2), see `ProposalNet.forward`.
        truth: (H, W) in 0..1, the view without its padding, H <= 4h and W <= 4w.
        weight: (H, W) in 0..1, how far the truth is to be trusted.
    """

    embedding: Tensor
    mask: Tensor
    places: Tensor
    truth: Tensor
    weight: Tensor


def keep_look(network: OnnxProposer, scene: Scene, random: Generator, path: Path) -> None:
    """Look at one object, and write what was seen and the masks at half the look's size."""
    found = scene.truth if scene.coarse is None else np.maximum(scene.truth, scene.coarse)
    view = surroundings(found > 128, random.uniform(*MARGINS))
    layers = {"photo": scene.photo, "truth": scene.truth, "weight": scene.weight}
    if scene.coarse is not None:
        layers["coarse"] = scene.coarse
    flip = slice(None, None, -1 if random.random() < 0.5 else 1)
    layers = {key: np.ascontiguousarray(image[view][:, flip]) for key, image in layers.items()}
    height, width = look_size(layers["photo"].shape[:2], SIDE)
    seen = jitter(resized(layers["photo"], (height, width)), random)
    embedding = network.look(padded(seen, network.stride))
    small = {key: resized(image, (height // HALF, width // HALF)) for key, image in layers.items()}
    with atomic_path(path) as part:
        np.savez(part, allow_pickle=False, embedding=embedding.astype(np.float16), **small)


def prompt(look: dict[str, NDArray[np.generic]], stride: int, random: Generator) -> Prompt | None:
    """Draw a prompt about a look that `keep_look` wrote; None where nothing of it is left."""
    truth, weight = (np.asarray(look[key], np.uint8) for key in ("truth", "weight"))
    inside = truth > 127
    if "coarse" in look and random.random() < REAL_SHARE:
        rough = np.asarray(look["coarse"], np.uint8)
    elif random.random() < SOFT_SHARE:
        rough = (coarsen.soften(inside, random) * 255).astype(np.uint8)
    else:
        photo = np.asarray(look["photo"], np.uint8)
        rough = coarsen.coarsen(inside, photo, random).astype(np.uint8) * 255
    size = (truth.shape[0] // 2, truth.shape[1] // 2)
    grid = prompt_of(rough, size)
    if not (rough > 127).any() or not (grid > 0).any():
        return None
    small, trusted = (
        cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for image in (truth, weight)
    )
    return Prompt(
        torch.from_numpy(np.asarray(look["embedding"], np.float32)),
        torch.from_numpy(padded_mask(grid, stride // GRID)),
        torch.from_numpy(prompt_places(rough > 127) * HALF),
        torch.from_numpy(small),
        torch.from_numpy(trusted),
    )


def prompts(folder: Path, config: Config, *, seed: int) -> Iterator[list[Prompt]]:
    """Batches without end of the looks in a folder, decided by the seed."""
    paths = sorted(folder.glob("[0-9]*.npz"))
    random = np.random.default_rng(seed)
    cv2.setNumThreads(1)
    cv2.setRNGSeed(int(random.integers(2**31)))
    while True:
        batch: list[Prompt] = []
        while len(batch) < config.batch:
            with np.load(paths[int(random.integers(len(paths)))]) as look:
                drawn = prompt(look, proposal.STRIDE, random)
            if drawn is not None:
                batch.append(drawn)
        yield batch


def proposal_loss(candidates: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Loss of the candidates (3, H, W), log-odds, all against one truth: (H, W) in 0..1.

    Returns:
        A scalar: cross entropy that counts more near the edge, and soft IoU loss.
    """
    target, trust = truth.expand_as(candidates)[:, None], weight.expand_as(candidates)[:, None]
    logits = candidates[:, None]
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    pixels = weighted_mean(entropy, trust * edge_emphasis(target))
    return pixels + overlap_loss(torch.sigmoid(logits), target, trust)


def learn(state: State, batch: list[Prompt], config: Config) -> float:
    """One step; the mean loss of its prompts."""
    total = 0.0
    for one in batch:
        height, width = one.truth.shape
        candidates = state.model.answer(one.embedding, one.mask, one.places)
        loss = proposal_loss(candidates[:, :height, :width], one.truth, one.weight) / len(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.item()
    loop.descend(state, config.clip)
    return total


def start(checkpoint: Path, config: Config) -> State:
    """MobileSAM as published, its second half to be learned."""
    model = proposal.load(checkpoint)
    model.image_encoder.requires_grad_(requires_grad=False)
    learned = [value for value in model.parameters() if value.requires_grad]
    group = {"params": learned, "peak": config.rate, "weight_decay": config.decay}
    optimiser = torch.optim.AdamW([group], lr=config.rate, betas=(0.9, 0.99))
    return loop.State(model, loop.averaged(model, config.ema), optimiser)


def main() -> None:
    """Command line: see --help."""
    parser = loop.run_parser("Teach the proposal network about coarse masks.", Config, minutes=30)
    parser.add_argument("--checkpoint", type=Path, required=True, help="mobile_sam.pt as published")
    options = parser.parse_args()
    config: Config = loop.config_of(options, Config)
    rank, count = loop.join_processes()
    folder = options.run / "looks"
    make_folder(folder)
    state = start(options.checkpoint, config)
    loop.take_up(state, options.run)
    missing = [n for n in range(rank, config.looks, count) if not (folder / f"{n:05}.npz").exists()]
    if missing:
        library, network = Library(options.data), OnnxProposer(threads=1)
        for number in missing:
            random = np.random.default_rng([config.seed, number])
            scene = library.scene(SIDE // 2, random)
            keep_look(network, scene, random, folder / f"{number:05}.npz")
    loop.agreed(0.0)  # all looks are there before the first prompt is drawn
    drawn = prompts(folder, config, seed=config.seed + state.step + 1_000_003 * rank)
    recipe = Recipe(
        config=config,
        learn=partial(learn, config=config),
        rate_share=partial(
            loop.rise_and_fall, warmup_steps=config.warmup_steps, final_share=config.final_share
        ),
    )
    loop.announce(state, options.run, config, rank)
    loop.train(state, drawn, recipe, minutes=options.minutes, folder=options.run)


if __name__ == "__main__":
    command.run(main)
