"""Train CascadePSP as published, on edgewise's loop and training data.

`python -m edgewise.reference.train DATA --run runs/cascadepsp`; see docs/reference.md. The run's
`last.pt` serves as `--weights` of the engine.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch.utils.data import DataLoader

from edgewise.reference.checkpoint import load_encoder
from edgewise.reference.data import Crops, Numbers
from edgewise.reference.loss import cascade_loss
from edgewise.reference.network import WIDTH, CascadeNetwork, normalised
from edgewise.training import command, loop
from edgewise.training.data import Library
from edgewise.training.loop import Batch, Recipe

DROPS = ((1, 2), (5, 6))
"""Shares of a run's steps after which the rate falls: 22,500 and 37,500 of 45,000."""

State = loop.State[CascadeNetwork]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that decides a run; the defaults are those of publication.

    Attributes:
        size: side of a crop, in pixels.
        batch: samples of a step, in each process.
        rate: of Adam.
        decay: of all weights, added to their gradients.
        steps: of the run.
        fall: what the rate is multiplied by at each drop.
        width: of the network; see `CascadeNetwork`.
        ema: decay of averaged weights; none were published.
        seed: of the first weights and of the samples.
    """

    size: int = 224
    batch: int = 12
    rate: float = 2.25e-4
    decay: float = 1e-4
    steps: int = 45_000
    fall: float = 0.1
    width: int = WIDTH
    ema: float = 0.0
    seed: int = 0


def start(config: Config, device: torch.device) -> State:
    """A fresh network with its optimiser."""
    torch.manual_seed(config.seed)
    model = CascadeNetwork(config.width).to(device)
    group = {"params": list(model.parameters()), "lr": config.rate, "peak": config.rate}
    optimiser = torch.optim.Adam([group], lr=config.rate, weight_decay=config.decay)
    return loop.State(model, loop.averaged(model, config.ema), optimiser)


def rate_share(config: Config, step: int, progress: float) -> float:
    """Share of the peak learning rate at a step; the run's time has no say."""
    del progress
    drops = sum(step >= config.steps * part // whole for part, whole in DROPS)
    return float(config.fall**drops)


def learn(state: State, batch: Batch, config: Config) -> float:
    """One step; the loss."""
    del config
    device = next(state.model.parameters()).device
    photo, coarse, truth = (
        batch[key].to(device, non_blocking=True).float() / 255
        for key in ("photo", "coarse", "truth")
    )
    image = normalised(photo.permute(0, 3, 1, 2))
    loss = cascade_loss(state.model(image, coarse[:, None] * 2 - 1), truth[:, None])
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]  # torch's own gap
    loop.share_gradients(state.model)
    state.optimiser.step()
    return loss.item()


def recipe(config: Config) -> Recipe[CascadeNetwork, Batch]:
    """The published training, for the loop."""
    return Recipe(
        config=config,
        learn=partial(learn, config=config),
        rate_share=partial(rate_share, config),
        steps=config.steps,
    )


def batches(
    data: Path, config: Config, *, step: int, workers: int, rank: int = 0, processes: int = 1
) -> Iterator[Batch]:
    """Batches without end from a step on; the same ones however often a run is started anew."""
    crops = Crops(Library(data), size=config.size, seed=config.seed)
    numbers = Numbers(step=step, batch=config.batch, rank=rank, processes=processes)
    loader = DataLoader(crops, batch_size=config.batch, sampler=numbers, num_workers=workers)
    return iter(loader)


def main() -> None:
    """Command line: see --help."""
    parser = loop.run_parser("Train CascadePSP as published.", Config, minutes=math.inf)
    options = parser.parse_args()
    config: Config = loop.config_of(options, Config)
    rank, processes = loop.join_processes()
    state = start(config, options.device)
    loop.take_up(state, options.run, options.encoder, load_encoder)
    drawn = batches(
        options.data,
        config,
        step=state.step,
        workers=options.workers,
        rank=rank,
        processes=processes,
    )
    loop.announce(state, options.run, config, rank)
    loop.train(state, drawn, recipe(config), minutes=options.minutes, folder=options.run)


if __name__ == "__main__":
    command.run(main)
