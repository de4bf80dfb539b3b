"""Train the judge of changes on what the shipped networks make of coarse masks.

    python -m edgewise.training.judge look DATA cases/ [--part 0/2]
    python -m edgewise.training.judge fit cases/ judge.onnx

`look` refines real coarse masks, made ones and truths themselves, and writes for each what the
judge is told of the pieces that changed (`passes.changes`) and what the truth gained by each. `fit`
learns from that in a minute.
"""

import argparse
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from edgewise.errors import InputError
from edgewise.files import atomic_path, make_folder
from edgewise.images import read_photo
from edgewise.masks import as_mask, read_mask
from edgewise.network.runtime import Judge, OnnxEngine, OnnxProposer
from edgewise.passes.changes import FEATURES, PIXELS, Seen, described
from edgewise.passes.planes import Held, halved, power_within, reduced
from edgewise.refiner import Refiner, Settings, levels_of
from edgewise.training import coarsen, command
from edgewise.training.data import Source, read_sources
from edgewise.training.pack import write_packed

EXACT = {
    "davis": 0.5,
    "alpha_animals": 1.0,
    "alpha_people": 1.0,
    "alpha_toys": 1.0,
    "harmonize": 1.0,
    "sod": 1.0,
    "segtrack": 1.0,
    "carrotweed": 1.0,
    "nuclei": 0.2,
    "cwfid": 0.5,
}
"""Sources whose truth is good enough to judge by, all of whose real coarse masks are looked at, and
the share of their truths that are coarse masks themselves."""

MADE = {"half": 0.5, "polygon": 0.6, "made": 0.4}
"""How often such a coarse mask is made of one of those truths, too."""

UNSURE = 1.0  # pixels: a truth that is off by more says nothing that near its edge
LEAST_AREA = 200  # pixels of an object
MOST_GAIN = 0.05  # a piece counts by what it gains or loses, in objects, up to this


@dataclass(frozen=True)
class Case:
    """A coarse mask to look at.

    Attributes:
        source: where its photo is from.
        photo: file.
        truth: file.
        kind: "real", "truth" or one of `MADE`.
        coarse: file of a real one.
    """

    source: Source
    photo: Path
    truth: Path
    kind: str
    coarse: Path | None = None

    @property
    def name(self) -> str:
        """Names the case among all."""
        said = self.kind if self.coarse is None else self.coarse.stem.partition("_seg_")[2]
        return f"{self.source.name}__{self.photo.stem.removesuffix('_im')}__{said}"


def _drawn(*words: str) -> Generator:
    """The same numbers for the same words, on any machine and in any order."""
    return np.random.default_rng(int(hashlib.sha256("/".join(words).encode()).hexdigest()[:12], 16))


def cases(root: Path) -> Iterator[Case]:
    """What is looked at in a training folder (docs/training.md)."""
    for source in read_sources():
        if source.name not in EXACT:
            continue
        folder = root / source.name
        for photo in sorted(folder.glob("*_im.jpg")):
            stem = photo.name.removesuffix("_im.jpg")
            truth, draw = folder / f"{stem}_gt.png", _drawn(source.name, stem)
            for coarse in sorted(folder.glob(f"{stem}_seg_*.png")):
                yield Case(source, photo, truth, "real", coarse)
            if draw.random() < EXACT[source.name]:
                yield Case(source, photo, truth, "truth")
                for kind, share in MADE.items():
                    if draw.random() < share:
                        yield Case(source, photo, truth, kind)


def _made(
    kind: str, truth: NDArray[np.bool_], photo: NDArray[np.uint8], draw: Generator
) -> NDArray[np.bool_]:
    if kind == "polygon":
        return coarsen.polygon(truth, draw)
    if kind == "made":
        return coarsen.coarsen(truth, photo, draw)
    if kind == "half":
        height, width = truth.shape
        small = cv2.resize(
            truth.astype(np.float32), halved((width, height), 1), interpolation=cv2.INTER_AREA
        )
        large = (small > 0.5).astype(np.uint8)
        back = cv2.resize(large, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(back > 0)
    return truth


class _Onlooker(Refiner):
    """A refiner that takes all changes and remembers what the judge would have seen."""

    def __init__(self) -> None:
        super().__init__(
            OnnxEngine(threads=1),
            proposer=OnnxProposer(threads=1),
            judge=lambda pieces: np.ones(len(pieces), np.float32),
            settings=Settings(exact=math.inf),
        )
        self.seen: Seen | None = None

    def taken_back(self, judge: Judge, seen: Seen) -> NDArray[np.bool_] | None:
        """See `Refiner`."""
        self.seen = seen
        return super().taken_back(judge, seen)


def gains(
    labels: NDArray[np.int32], seen: Seen, truth: NDArray[np.bool_], sure: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """What the truth gains by each piece, in shares of the coarse mask's area.

    Args:
        labels: int32 HxW, the pieces from 1 on.
        seen: what they are of.
        truth: bool HxW.
        sure: bool HxW, where the truth is to be believed.
    """
    right = (seen.refined > 127) == truth
    area = max(1, int(np.count_nonzero(seen.coarse > 127)))
    won, lost = (
        np.bincount(labels[sure & side], minlength=labels.max() + 1)[1:] for side in (right, ~right)
    )
    return np.asarray((won - lost) / area, np.float32)


def look(refiner: _Onlooker, case: Case) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """What is seen of a case's pieces (N, `FEATURES`), and gained by each (N); None without any."""
    photo, draw = read_photo(case.photo), _drawn("made", case.name)
    size = photo.shape[0], photo.shape[1]
    truth = np.asarray(read_mask(case.truth, size=size) > 0.5)
    if np.count_nonzero(truth) < LEAST_AREA:
        return None
    coarse = (
        np.asarray(read_mask(case.coarse, size=size))
        if case.coarse
        else as_mask(_made(case.kind, truth, photo, draw), size)
    )
    if not (coarse > 0.5).any() or (coarse > 0.5).all():
        return None
    band = case.source.error if case.source.error > UNSURE else 0.0
    sure = np.abs(coarsen.signed_distance(truth)) > band
    rows, gained = [], []
    for view, _ in refiner.answers(Held(photo), Held(levels_of(coarse))):
        seen, refiner.seen = refiner.seen, None
        if seen is None:
            continue
        factor = 1 << power_within((view.height, view.width), PIXELS)
        is_true, is_sure = (
            reduced(mask[view.slices].astype(np.uint8) * np.uint8(255), factor) > 127
            for mask in (truth, sure)
        )
        labels, told = described(seen)
        rows.append(told)
        gained.append(gains(labels, seen, is_true, is_sure))
    return (np.concatenate(rows), np.concatenate(gained)) if rows else None


class JudgeNet(nn.Module):
    """Several small networks, whose mean of log-odds is the answer.

    Args:
        members: how many.
        hidden: numbers in each of their two layers.
        drop: share of those left out in training.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, members: int = 24, hidden: int = 32, drop: float = 0.3) -> None:
        super().__init__()
        self.drop = drop
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        widths = (FEATURES, hidden, hidden, 1)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for before, after in pairwise(widths):
            self.weights.append(torch.randn(members, before, after) * before**-0.5)
            self.biases.append(torch.zeros(members, 1, after))

    def odds(self, rows: Tensor) -> Tensor:
        """(members, N, `FEATURES`) to log-odds (members, N)."""
        x = torch.clip((rows - self.mean) * self.scale, -4, 4)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                x = functional.dropout(functional.silu(x), self.drop, self.training)
            x = x @ weight + bias
        return x[..., 0]

    def forward(self, pieces: Tensor) -> Tensor:
        """(N, `FEATURES`) to the probability (N) that a piece is a gain."""
        return torch.sigmoid(self.odds(pieces[None]).mean(0))


def fit(
    rows: NDArray[np.float32],
    gained: NDArray[np.float32],
    *,
    steps: int = 1200,
    batch: int = 2048,
    rate: float = 3e-3,
    decay: float = 0.3,
    seed: int = 0,
) -> JudgeNet:
    """Learn which pieces are gains; each counts by how much, up to `MOST_GAIN`.

    Args:
        rows: float32 (N, `FEATURES`).
        gained: float32 (N), see `gains`.
        steps: of learning.
        batch: pieces a step for each of the members.
        rate: peak of the rate of learning.
        decay: of weights.
        seed: of what is drawn.
    """
    torch.manual_seed(seed)
    net = JudgeNet()
    net.mean.copy_(torch.from_numpy(rows.mean(0)))
    net.scale.copy_(torch.from_numpy(1 / (rows.std(0) + 1e-3)))
    inputs, wins = torch.from_numpy(rows), torch.from_numpy((gained > 0).astype(np.float32))
    counts = torch.from_numpy(np.minimum(np.abs(gained), MOST_GAIN))
    members = len(net.weights[0])
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps)
    for _ in range(steps):
        drawn = torch.multinomial(counts, batch * members, replacement=True).view(members, batch)
        loss = functional.binary_cross_entropy_with_logits(net.odds(inputs[drawn]), wins[drawn])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return net.eval()


def write(net: JudgeNet, path: Path) -> str:
    """Write the ONNX file, `pieces` (N, `FEATURES`) to `gains` (N), and give its sha256."""
    program = torch.onnx.export(
        net,
        (torch.zeros(2, FEATURES),),
        input_names=["pieces"],
        output_names=["gains"],
        dynamic_shapes={"pieces": {0: torch.export.Dim("count", min=1)}},
        dynamo=True,
        verbose=False,
    )
    return write_packed(program, path, bits=16)


def _part(text: str) -> tuple[int, int]:
    first, _, step = text.partition("/")
    if not 0 <= int(first) < int(step):
        raise argparse.ArgumentTypeError(f"must be 0/N to N-1/N, not {text}")
    return int(first), int(step)


def main() -> None:
    """Command line: see --help."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    looking = commands.add_parser("look", help="refine coarse masks and keep what is seen")
    looking.add_argument("data", type=Path, help="the training folder (docs/training.md)")
    looking.add_argument("cases", type=Path, help="where it goes; continued if it exists")
    looking.add_argument("--part", type=_part, default="0/1", help="0/2 and 1/2 for two processes")
    fitting = commands.add_parser("fit", help="learn from what was seen")
    fitting.add_argument("cases", type=Path)
    fitting.add_argument("output", type=Path, help="judge.onnx")
    options = parser.parse_args()
    if options.command == "fit":
        seen = [np.load(path) for path in sorted(options.cases.glob("[!.]*.npz"))]
        if not seen:
            raise InputError(f"{options.cases}: no *.npz inside; expected what `look` wrote")
        rows, gained = (np.concatenate([one[key] for one in seen]) for key in ("rows", "gained"))
        digest = write(fit(rows, gained), options.output)
        print(f"{options.output}: {options.output.stat().st_size} bytes, sha256 {digest}")
        return
    cv2.setNumThreads(1)
    make_folder(options.cases)
    every, (first, step) = list(cases(options.data)), options.part
    if not every:
        raise InputError(f"{options.data}: no *_im.jpg in a folder of {', '.join(EXACT)}")
    refiner = _Onlooker()
    for case in every[first::step]:
        target = options.cases / f"{case.name}.npz"
        if not target.exists() and (found := look(refiner, case)) is not None:
            with atomic_path(target) as part:
                np.savez(part, rows=found[0], gained=found[1])


if __name__ == "__main__":
    command.run(main)
