"""The training loop: one for every network, resumable, in several processes, on any device.

What is learned and how is a `Recipe`; the loop brings batches, keeps the averaged weights and the
curve, saves as it goes and stops in time. On a CPU, one process a core with one thread each is
about twice as fast as one process with all threads: start it with `torchrun --nproc-per-node N`.
Processes learn from samples of their own and average their gradients.
"""

import argparse
import copy
import dataclasses
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, distributed, nn

from edgewise.errors import ModelError, OutputError
from edgewise.files import make_folder
from edgewise.training import checkpoint

BF16 = "_is_avx512_bf16_supported"  # of torch.cpu, from 2.6 on; there is no public name for it

CHECKPOINT = "last.pt"
"""A run's checkpoint, in its folder."""

Net = TypeVar("Net", bound=nn.Module)
Batch = dict[str, Tensor]
Drawn = TypeVar("Drawn")


class Config(Protocol):
    """What the loop needs of a recipe's configuration, a dataclass."""

    @property
    def batch(self) -> int:
        """Samples of a step in this process."""
        ...

    @property
    def ema(self) -> float:
        """Decay of the averaged weights; 0 for none beside the learned ones."""
        ...


@dataclass
class State(Generic[Net]):
    """What goes on from checkpoint to checkpoint."""

    model: Net
    average: Net
    optimiser: torch.optim.Optimizer
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    loss: float = math.nan

    def save(self, path: Path, config: Config) -> None:
        """Write everything needed to go on, to a temporary name first.

        Raises:
            OutputError: it cannot be written; an earlier file at `path` stays.
        """
        data = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "samples": self.samples,
            "seconds": self.seconds,
            "loss": self.loss,
            "config": dataclasses.asdict(config),  # type: ignore[call-overload]  # a dataclass
        }
        part = path.with_suffix(".part")
        try:
            torch.save(data, part)
            part.replace(path)
        except (OSError, RuntimeError) as error:  # torch's own, where the disk is full
            with suppress(OSError):
                part.unlink()
            raise OutputError(f"{path}: cannot be written, perhaps the disk is full") from error

    def load(self, path: Path) -> None:
        """Continue from a file that `save` wrote.

        Raises:
            ModelError: it cannot be read, or is of a run of another network.
        """
        data = checkpoint.read(path)
        peaks = [(group["peak"], group["weight_decay"]) for group in self.optimiser.param_groups]
        try:
            self.model.load_state_dict(data["model"])
            self.average.load_state_dict(data["average"])
            self.optimiser.load_state_dict(data["optimiser"])
            self.step, self.samples = data["step"], data["samples"]
            self.seconds, self.loss = data["seconds"], data["loss"]
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise ModelError(
                f"{path}: is of a run of another network; give a new --run, or one of this command"
            ) from error
        for group, (peak, decay) in zip(self.optimiser.param_groups, peaks, strict=True):
            group["peak"], group["weight_decay"] = peak, decay  # a new run may change them


@dataclass(frozen=True, kw_only=True)
class Recipe(Generic[Net, Drawn]):
    """What is learned, and how.

    Attributes:
        config: everything that decides a run, kept in its checkpoints.
        learn: one step on a batch, up to the optimiser's; gives the loss.
        rate_share: share of the peak learning rates at a step and a progress in 0..1.
        steps: the run's end in steps, if it has one.
    """

    config: Config
    learn: Callable[[State[Net], Drawn], float]
    rate_share: Callable[[int, float], float]
    steps: int | None = None


def half_precision(device: torch.device) -> torch.autocast:
    """bfloat16 where the device computes in it: a GPU, or a CPU with AVX-512 BF16.

    On others it would be slower than float32, which is kept there.
    """
    fast = device.type == "cuda" or bool(getattr(torch.cpu, BF16, lambda: False)())
    return torch.autocast(device.type, torch.bfloat16, enabled=fast)


def averaged(model: Net, ema: float) -> Net:
    """The network for averaged weights: the model itself where nothing is averaged."""
    return copy.deepcopy(model).eval() if ema else model


def share_gradients(model: nn.Module) -> None:
    """Average gradients over the processes of a run; nothing where there is only one."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    parts = torch.split(flat, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def descend(state: State[Net], clip: float) -> None:
    """Step along the gradients of all processes, cut to a norm of `clip`, and clear them."""
    share_gradients(state.model)
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), clip)
    state.optimiser.step()
    state.optimiser.zero_grad(set_to_none=True)


@torch.no_grad()
def follow(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the averaged weights towards the model's (exponential moving average)."""
    for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def train(
    state: State[Net],
    batches: Iterator[Drawn],
    recipe: Recipe[Net, Drawn],
    *,
    minutes: float,
    folder: Path,
    save_every: float = 300.0,
) -> None:
    """Learn for `minutes` of wall time or up to the recipe's last step; save as it goes.

    Args:
        state: where to start from.
        batches: without end.
        recipe: what to learn.
        minutes: wall time; math.inf for none.
        folder: of the run, for `last.pt` and `curve.jsonl`.
        save_every: seconds between checkpoints.
    """
    began = saved = time.monotonic()
    before = state.seconds
    leads = not distributed.is_initialized() or distributed.get_rank() == 0
    together = over_processes(recipe.config.batch)
    state.model.train()
    with (folder / "curve.jsonl").open("a") as curve:
        while (progress := _progress(began, minutes, state.step, recipe.steps)) < 1:
            share = recipe.rate_share(state.step, progress)
            for group in state.optimiser.param_groups:
                group["lr"] = group["peak"] * share
            loss = recipe.learn(state, next(batches))
            if state.average is not state.model:
                decay = min(recipe.config.ema, (1 + state.step) / (10 + state.step))
                follow(state.average, state.model, decay)
            state.loss = loss if math.isnan(state.loss) else 0.98 * state.loss + 0.02 * loss
            state.step += 1
            state.samples += together
            state.seconds = before + time.monotonic() - began
            if leads and state.step % 20 == 0:
                row = {"step": state.step, "samples": state.samples, "rate_share": round(share, 4)}
                row |= {"loss": round(state.loss, 4), "minutes": round(state.seconds / 60, 2)}
                print(json.dumps(row), file=curve, flush=True)
            if leads and time.monotonic() - saved > save_every:
                state.save(folder / CHECKPOINT, recipe.config)
                saved = time.monotonic()
    if leads:
        state.save(folder / CHECKPOINT, recipe.config)


def _progress(began: float, minutes: float, step: int, steps: int | None) -> float:
    """How much of the run is over, in time or in steps."""
    by_time = agreed((time.monotonic() - began) / (minutes * 60))
    return by_time if steps is None else max(by_time, step / steps)


def agreed(progress: float) -> float:
    """The first process's progress in all of them, so that they stop at the same step."""
    if not distributed.is_initialized():
        return progress
    value = torch.tensor(progress, dtype=torch.float64)
    distributed.broadcast(value, 0)
    return float(value)


def over_processes(count: int) -> int:
    """The sum of a number over the processes of a run; each may have a batch of its own."""
    if not distributed.is_initialized():
        return count
    value = torch.tensor(count, dtype=torch.int64)
    distributed.all_reduce(value)
    return int(value)


def run_parser(description: str, config: type[Any], *, minutes: float | None) -> Any:
    """The options of every training command: those below, and one a field of the configuration.

    Args:
        description: of the command.
        config: a dataclass all of whose fields have defaults.
        minutes: the default wall time; None where it has to be given.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "data", type=Path, help="folder with one folder a source (docs/training.md)"
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="folder of the run; continued if it exists"
    )
    parser.add_argument(
        "--minutes",
        type=_positive,
        required=minutes is None,
        default=minutes,
        help="wall time to train for",
    )
    parser.add_argument("--encoder", type=Path, help="pretrained encoder to start from")
    default = "cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--device", type=_device, default=default)
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    for field in dataclasses.fields(config):
        kind = type(field.default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    return parser


def _positive(text: str) -> float:
    if not float(text) > 0:
        raise argparse.ArgumentTypeError(f"must be more than 0, not {text}")
    return float(text)


def _device(name: str) -> torch.device:
    try:
        return torch.zeros(1, device=name).device
    except (AssertionError, RuntimeError) as error:  # torch raises both
        raise argparse.ArgumentTypeError(f"{name} cannot be used here; try cpu") from error


def config_of(options: argparse.Namespace, config: type[Any]) -> Any:
    """The configuration that the options give."""
    return config(**{f.name: getattr(options, f.name) for f in dataclasses.fields(config)})


def join_processes() -> tuple[int, int]:
    """Rank and number of processes; meets the others where torchrun started this one."""
    if "WORLD_SIZE" in os.environ:
        distributed.init_process_group("gloo")
    return int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))


def rise_and_fall(step: int, progress: float, warmup_steps: int, final_share: float) -> float:
    """Share of the peak learning rate: a rise over so many steps, half a cosine over the run."""
    rise = min(1.0, (step + 1) / warmup_steps)
    fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress))
    return rise * (final_share + (1 - final_share) * fall)


def take_up(
    state: State[Net],
    folder: Path,
    encoder: Path | None = None,
    load_encoder: Callable[[Net, Path], None] | None = None,
) -> None:
    """Go on from the run's checkpoint, or start from a pretrained encoder where there is none."""
    make_folder(folder)
    last = folder / CHECKPOINT
    if last.exists():
        state.load(last)
    elif encoder and load_encoder:
        load_encoder(state.model, encoder)
        state.average.load_state_dict(state.model.state_dict())


def announce(state: State[Net], folder: Path, config: Config, rank: int) -> None:
    """Keep the configuration in the run's folder, and say where it starts."""
    if rank == 0:
        values = dataclasses.asdict(config)  # type: ignore[call-overload]  # a dataclass
        (folder / "config.json").write_text(json.dumps(values, indent=1))
    print(f"{folder}: from step {state.step}, process {os.getpid()}", flush=True)
