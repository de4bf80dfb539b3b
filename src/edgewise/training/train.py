"""Train the refinement network: one loop, time-boxed, resumable, on any device.

Each step learns from two zooms of the same objects: the first view with its coarse mask, then a
window at twice the zoom whose prior is the network's own answer, as the refiner will feed it.

On a CPU, one process a core with one thread each is about twice as fast as one process with all
threads: start it with `torchrun --nproc-per-node N`. Processes learn from samples of their own and
average their gradients.
"""

import argparse
import copy
import dataclasses
import json
import math
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, distributed
from torch.nn import functional as F
from torch.utils.data import DataLoader

from edgewise.training.data import Library, Samples
from edgewise.training.losses import refinement_loss
from edgewise.training.model import RefinementNet, load_encoder, parameter_groups

PRIOR_KEPT = 0.2  # share of second views that get the sample's own prior, not the network's


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


@dataclass
class State:
    """What goes on from checkpoint to checkpoint."""

    model: RefinementNet
    average: RefinementNet
    optimiser: torch.optim.Optimizer
    step: int = 0
    samples: int = 0
    seconds: float = 0.0
    loss: float = math.nan

    def save(self, path: Path, config: Config) -> None:
        """Write everything needed to go on, to a temporary name first."""
        data = {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "step": self.step,
            "samples": self.samples,
            "seconds": self.seconds,
            "loss": self.loss,
            "config": dataclasses.asdict(config),
        }
        part = path.with_suffix(".part")
        torch.save(data, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Continue from a file that `save` wrote."""
        data = torch.load(path, map_location="cpu", weights_only=True)
        self.model.load_state_dict(data["model"])
        self.average.load_state_dict(data["average"])
        peaks = [(group["peak"], group["weight_decay"]) for group in self.optimiser.param_groups]
        self.optimiser.load_state_dict(data["optimiser"])
        for group, (peak, decay) in zip(self.optimiser.param_groups, peaks, strict=True):
            group["peak"], group["weight_decay"] = peak, decay  # a new run may change them
        self.step, self.samples = data["step"], data["samples"]
        self.seconds, self.loss = data["seconds"], data["loss"]


def start(config: Config, device: torch.device) -> State:
    """A fresh network with its optimiser."""
    torch.manual_seed(config.seed)
    model = RefinementNet().to(device)
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's own gap
    groups = parameter_groups(
        model, rate=config.rate, encoder_share=config.encoder_share, decay=config.decay
    )
    optimiser = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.99))
    return State(model, copy.deepcopy(model).eval(), optimiser)


def schedule(config: Config, step: int, progress: float) -> float:
    """Share of the peak learning rate: a short rise, then half a cosine over the run's time."""
    rise = min(1.0, (step + 1) / config.warmup_steps)
    fall = 0.5 + 0.5 * math.cos(math.pi * min(1.0, progress))
    return rise * (config.final_share + (1 - config.final_share) * fall)


def _floats(batch: dict[str, Tensor], *keys: str) -> list[Tensor]:
    return [batch[key][:, None].float() / 255 for key in keys]


def _stack(photo: Tensor, prior: Tensor, coarse: Tensor) -> Tensor:
    rgb = photo.permute(0, 3, 1, 2).float()
    return torch.cat([rgb, prior, coarse], 1).contiguous(memory_format=torch.channels_last)


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


def learn(state: State, batch: dict[str, Tensor], config: Config) -> float:
    """One step on both zooms; the mean of the two losses."""
    device = next(state.model.parameters()).device
    batch = {key: value.to(device, non_blocking=True) for key, value in batch.items()}
    cast = torch.autocast("cuda", torch.bfloat16, enabled=device.type == "cuda")
    truth, weight, coarse, prior = _floats(batch, "truth", "weight", "coarse", "prior")
    with cast:
        outputs = state.model.features(_stack(batch["photo"], prior, coarse))
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
    share_gradients(state.model)
    torch.nn.utils.clip_grad_norm_(state.model.parameters(), config.clip)
    state.optimiser.step()
    state.optimiser.zero_grad(set_to_none=True)
    return (first.item() + second.item()) / 2


def share_gradients(model: RefinementNet) -> None:
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


@torch.no_grad()
def follow(average: RefinementNet, model: RefinementNet, decay: float) -> None:
    """Move the averaged weights towards the model's (exponential moving average)."""
    for mean, value in zip(average.state_dict().values(), model.state_dict().values(), strict=True):
        if mean.dtype.is_floating_point:
            mean.lerp_(value, 1 - decay)
        else:
            mean.copy_(value)


def train(
    state: State,
    batches: Iterator[dict[str, Tensor]],
    config: Config,
    *,
    minutes: float,
    folder: Path,
    save_every: float = 300.0,
) -> None:
    """Learn for `minutes` of wall time, the schedule spread over them; save as it goes."""
    began = saved = time.monotonic()
    before = state.seconds
    processes = distributed.get_world_size() if distributed.is_initialized() else 1
    leads = processes == 1 or distributed.get_rank() == 0
    state.model.train()
    with (folder / "curve.jsonl").open("a") as curve:
        while (progress := agreed((time.monotonic() - began) / (minutes * 60))) < 1:
            share = schedule(config, state.step, progress)
            for group in state.optimiser.param_groups:
                group["lr"] = group["peak"] * share
            loss = learn(state, next(batches), config)
            decay = min(config.ema, (1 + state.step) / (10 + state.step))
            follow(state.average, state.model, decay)
            state.loss = loss if math.isnan(state.loss) else 0.98 * state.loss + 0.02 * loss
            state.step += 1
            state.samples += config.batch * processes
            state.seconds = before + time.monotonic() - began
            if leads and state.step % 20 == 0:
                row = {"step": state.step, "samples": state.samples, "rate_share": round(share, 4)}
                row |= {"loss": round(state.loss, 4), "minutes": round(state.seconds / 60, 2)}
                print(json.dumps(row), file=curve, flush=True)
            if leads and time.monotonic() - saved > save_every:
                state.save(folder / "last.pt", config)
                saved = time.monotonic()
    if leads:
        state.save(folder / "last.pt", config)


def agreed(progress: float) -> float:
    """The first process's progress in all of them, so that they stop at the same step."""
    if not distributed.is_initialized():
        return progress
    value = torch.tensor(progress, dtype=torch.float64)
    distributed.broadcast(value, 0)
    return float(value)


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description="Train edgewise's refinement network.")
    parser.add_argument(
        "data", type=Path, help="folder with one folder a source (docs/training.md)"
    )
    parser.add_argument(
        "--run", type=Path, required=True, help="folder of the run; continued if it exists"
    )
    parser.add_argument("--minutes", type=float, required=True, help="wall time to train for")
    parser.add_argument("--encoder", type=Path, help="EfficientNet-Lite0 state_dict to start from")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    for field in dataclasses.fields(Config):
        kind = type(field.default)
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=kind, default=field.default)
    options = parser.parse_args()
    config = Config(**{f.name: getattr(options, f.name) for f in dataclasses.fields(Config)})
    options.run.mkdir(parents=True, exist_ok=True)
    rank = int(os.environ.get("RANK", "0"))
    if "WORLD_SIZE" in os.environ:
        distributed.init_process_group("gloo")
    state = start(config, torch.device(options.device))
    checkpoint = options.run / "last.pt"
    if checkpoint.exists():
        state.load(checkpoint)
    elif options.encoder:
        load_encoder(state.model, options.encoder)
        state.average.load_state_dict(state.model.state_dict())
    torch.manual_seed(config.seed + 1000 * rank + state.step)
    seed = config.seed + state.step + 1_000_003 * rank
    samples = Samples(Library(options.data), size=config.size, seed=seed)
    loader = DataLoader(samples, batch_size=config.batch, num_workers=options.workers)
    if rank == 0:
        (options.run / "config.json").write_text(json.dumps(dataclasses.asdict(config), indent=1))
    print(f"{options.run}: from step {state.step}, process {os.getpid()}", flush=True)
    train(state, iter(loader), config, minutes=options.minutes, folder=options.run)


if __name__ == "__main__":
    main()
