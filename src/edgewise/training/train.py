"""Train the refinement network on two zooms of the same objects.

The first view comes with its coarse mask; then comes a window at twice the zoom whose prior is the
network's own answer, as the refiner will feed it. The loop is `edgewise.training.loop`'s.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from edgewise.errors import InputError
from edgewise.training import command, loop
from edgewise.training.data import Library, Samples
from edgewise.training.loop import Batch, Recipe
from edgewise.training.losses import refinement_loss
from edgewise.training.model import STRIDE, RefinementNet, load_encoder, parameter_groups

PRIOR_KEPT = 0.2  # share of second views that get the sample's own prior, not the network's

State = loop.State[RefinementNet]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that decides a run, kept in its checkpoint and model card."""

    size: int = 256
    batch: int = 12
    rate: float = 1.2e-3
    encoder_share: float = 0.4
    decay: float = 0.02
    warmup_steps: int = 150
    final_share: float = 0.02
    ema: float = 0.998
    clip: float = 2.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size < STRIDE or self.size % STRIDE or self.batch < 1:
            raise InputError(
                f"size must be a multiple of {STRIDE} and batch at least 1, not {self.size} and "
                f"{self.batch}"
            )


def start(config: Config, device: torch.device) -> State:
    """A fresh network with its optimiser."""
    torch.manual_seed(config.seed)
    model = RefinementNet().to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own gap
    groups = parameter_groups(
        model, rate=config.rate, encoder_share=config.encoder_share, decay=config.decay
    )
    optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.99))
    return loop.State(model, loop.averaged(model, config.ema), optimiser)


def schedule(config: Config, step: int, progress: float) -> float:
    """Share of the peak learning rate: a short rise, then half a cosine over the run's time."""
    return loop.rise_and_fall(step, progress, config.warmup_steps, config.final_share)


def _floats(batch: dict[str, Tensor], *keys: str) -> list[Tensor]:
    return [batch[key][:, None].float() / 255 for key in keys]


def _stack(photo: Tensor, prior: Tensor, coarse: Tensor) -> Tensor:
    rgb = photo.permute(0, 3, 1, 2).float()
    return torch.cat([rgb, prior, coarse], 1).contiguous(memory_format=torch.channels_last)


def first_views(batch: Batch) -> Tensor:
    """The network's input (N, 5, S, S) of a batch's first views."""
    prior, coarse = _floats(batch, "prior", "coarse")
    return _stack(batch["photo"], prior, coarse)


def next_prior(answer: Tensor, place: Tensor) -> Tensor:
    """The network's answer to the first views, cut and enlarged for the second ones.

    Args:
        answer: (N, 1, S, S) soft masks.
        place: (N, 3) integers: zoom (1 or 2), top, left in pixels of the first view.
    """
    size = answer.shape[-1]
    priors = []
    for mask, (zoom, top, left) in zip(answer, place.tolist(), strict=True):
        span = size // zoom
        window = mask[None, :, top : top + span, left : left + span]
        priors.append(
            F.interpolate(window, (size, size), mode="bilinear", align_corners=False)
            if zoom > 1
            else window
        )
    return torch.cat(priors)


def learn(state: State, batch: Batch, config: Config) -> float:
    """One step on both zooms; the mean of the two losses."""
    device = next(state.model.parameters()).device
    batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
    cast = loop.half_precision(device)
    truth, weight, prior = _floats(batch, "truth", "weight", "prior")
    with cast:
        outputs = state.model.features(first_views(batch))
    logits, at4, at8 = (output.float() for output in outputs)
    first = refinement_loss((logits, at4, at8), truth, weight)
    first.backward()  # type: ignore[no-untyped-call]
    answer = torch.sigmoid(logits.detach())
    answer = torch.where(torch.rand(len(answer), 1, 1, 1).to(device) < PRIOR_KEPT, prior, answer)
    truth, weight, coarse = _floats(batch, "truth1", "weight1", "coarse1")
    prior = next_prior(answer, batch["place"])
    with cast:
        outputs = state.model.features(_stack(batch["photo1"], prior, coarse))
    logits, at4, at8 = (output.float() for output in outputs)
    second = refinement_loss((logits, at4, at8), truth, weight)
    second.backward()  # type: ignore[no-untyped-call]
    loop.descend(state, config.clip)
    return (first.item() + second.item()) / 2


def recipe(config: Config) -> Recipe[RefinementNet, Batch]:
    """The ladder of two views, for the loop."""
    return Recipe(
        config=config,
        learn=partial(learn, config=config),
        rate_share=partial(schedule, config),
    )


def batches(library: Library, config: Config, *, seed: int, workers: int) -> Iterator[Batch]:
    """Batches without end, decided by the seed."""
    samples = Samples(library, size=config.size, seed=seed)
    return iter(DataLoader(samples, batch_size=config.batch, num_workers=workers))


def main() -> None:
    """Command line: see --help."""
    parser = loop.run_parser("Train edgewise's refinement network.", Config, minutes=None)
    parser.add_argument(
        "--proposals", type=Path, nargs="*", default=(), help="folders that propose.py filled"
    )
    options = parser.parse_args()
    config: Config = loop.config_of(options, Config)
    rank, _ = loop.join_processes()
    state = start(config, options.device)
    loop.take_up(state, options.run, options.encoder, load_encoder)
    torch.manual_seed(config.seed + 1000 * rank + state.step)
    seed = config.seed + state.step + 1_000_003 * rank
    library = Library(options.data, options.proposals)
    drawn = batches(library, config, seed=seed, workers=options.workers)
    loop.announce(state, options.run, config, rank)
    loop.train(state, drawn, recipe(config), minutes=options.minutes, folder=options.run)


if __name__ == "__main__":
    command.run(main)
