"""Train the judges of changes on what the shipped networks make of coarse masks.

    python -m edgewise.training.judge look DATA cases/ [--part 0/2]
    python -m edgewise.training.judge fit cases/ FOLDER

`look` refines real coarse masks, made ones and truths themselves, and writes for each what the
judge is told of the pieces that changed (`passes.changes`) and what the truth gained by each. `fit`
learns from that in some minutes: judge.onnx says of a piece whether it is a gain, verdict.onnx the
same of all that is taken together.
"""

import argparse
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

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
from edgewise.metrics import mba
from edgewise.network.runtime import Judge, OnnxEngine, OnnxProposer
from edgewise.passes.changes import PIXELS, Seen, described, summed_up
from edgewise.passes.planes import INSIDE, Held, halved, power_within, reduced
from edgewise.refiner import Refiner, Settings, levels_of
from edgewise.training import coarsen, command
from edgewise.training.data import Source, read_sources
from edgewise.training.pack import write_packed

EXACT = {
    "davis": 1.0,
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

MADE = {"half": 0.5, "polygon": 0.6, "made": 0.4, "low": 0.8, "moved": 0.3, "grown": 0.3}
"""How often such a coarse mask is made of one of those truths, too."""

UNSURE = 1.0  # pixels: a truth that is off by more says nothing that near its edge
LEAST_AREA = 200  # pixels of an object
EDGES_COUNT = 0.1  # of mBA in what a change is worth: ten points are worth one of the object's area


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
    how: dict[str, Callable[[], NDArray[np.bool_]]] = {
        "truth": lambda: truth,
        "half": lambda: _half(truth),
        "polygon": lambda: coarsen.polygon(truth, draw),
        "made": lambda: coarsen.coarsen(truth, photo, draw),
        "low": lambda: _low(truth, draw),
        "moved": lambda: np.asarray(np.roll(truth, draw.integers(-1, 2, 2), (0, 1))),
        "grown": lambda: _grown(truth, draw),
    }
    return how[kind]()


def _half(truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A truth at half the resolution."""
    height, width = truth.shape
    small = cv2.resize(
        truth.astype(np.float32), halved((width, height), 1), interpolation=cv2.INTER_AREA
    )
    large = (small > 0.5).astype(np.uint8)
    back = cv2.resize(large, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(back > 0)


def _grown(truth: NDArray[np.bool_], draw: Generator) -> NDArray[np.bool_]:
    """A truth that is a pixel or two too large, or too small."""
    grows, rounds = draw.random() < 0.5, int(draw.integers(1, 3))
    how = cv2.MORPH_DILATE if grows else cv2.MORPH_ERODE
    square = np.ones((3, 3), np.uint8)
    changed = cv2.morphologyEx(truth.astype(np.uint8), how, square, iterations=rounds)
    return np.asarray(changed > 0)


def _low(truth: NDArray[np.bool_], draw: Generator) -> NDArray[np.bool_]:
    """A truth as a network gives it that finds the object and sees few pixels."""
    height, width = truth.shape
    scale = min(1.0, draw.uniform(60, 320) / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(truth.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), draw.uniform(0.5, 1.5))
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large > draw.uniform(0.4, 0.6))


class _TakesAll:
    """A judge for whom every piece is a gain."""

    def __call__(self, pieces: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.ones(len(pieces), np.float32)

    verdict = __call__


class _Onlooker(Refiner):
    """A refiner that takes all changes and remembers what the judge would have seen."""

    def __init__(self) -> None:
        super().__init__(
            OnnxEngine(threads=1),
            proposer=OnnxProposer(threads=1),
            judge=_TakesAll(),
            settings=Settings(exact=math.inf, verdict_least=0.0),
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


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of a view of a case, and what is known of it.

    Attributes:
        coarse: uint8 HxW, object above `INSIDE`.
        refined: uint8 HxW, likewise.
        labels: int32 HxW, the pieces from 1 on.
        rows: float32 (N, `FEATURES`), what the judge is told of each.
        gained: float32 (N), see `gains`.
        truth: bool HxW.
        exact: bool, whether the truth is so along its edge.
    """

    coarse: NDArray[np.uint8]
    refined: NDArray[np.uint8]
    labels: NDArray[np.int32]
    rows: NDArray[np.float32]
    gained: NDArray[np.float32]
    truth: NDArray[np.bool_]
    exact: NDArray[np.bool_]

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        with atomic_path(path) as part:
            np.savez_compressed(part, **vars(self))

    @classmethod
    def read(cls, path: Path) -> "Look":
        """What `write` kept.

        Raises:
            InputError: the file holds another thing, as those of earlier versions do.
        """
        try:
            with path.open("rb") as file, np.load(file) as kept:
                return cls(**kept)
        except (OSError, TypeError, ValueError, BadZipFile) as error:
            raise InputError(
                f"{path}: is not what `look` writes; look into a new folder"
            ) from error


def look(refiner: _Onlooker, case: Case) -> list[Look]:
    """What is seen of a case, a view each."""
    photo, draw = read_photo(case.photo), _drawn("made", case.name)
    size = photo.shape[0], photo.shape[1]
    truth = np.asarray(read_mask(case.truth, size=size) > 0.5)
    if np.count_nonzero(truth) < LEAST_AREA:
        return []
    coarse = (
        np.asarray(read_mask(case.coarse, size=size))
        if case.coarse
        else as_mask(_made(case.kind, truth, photo, draw), size)
    )
    if not (coarse > 0.5).any() or (coarse > 0.5).all():
        return []
    exact = case.source.error <= UNSURE
    sure = np.abs(coarsen.signed_distance(truth)) > (0.0 if exact else case.source.error)
    looks = []
    for view, _ in refiner.answers(Held(photo), Held(levels_of(coarse))):
        seen, refiner.seen = refiner.seen, None
        if seen is None:
            continue
        factor = 1 << power_within((view.height, view.width), PIXELS)
        is_true, is_sure = (
            reduced(mask[view.slices].astype(np.uint8) * np.uint8(255), factor) > 127
            for mask in (truth, sure)
        )
        labels, rows = described(seen)
        looks.append(
            Look(
                coarse=seen.coarse,
                refined=seen.refined,
                labels=labels,
                rows=rows,
                gained=gains(labels, seen, is_true, is_sure),
                truth=is_true,
                exact=np.array(exact),
            )
        )
    return looks


def worth(look: Look, said: NDArray[np.float32], least: float) -> tuple[NDArray[np.float32], float]:
    """What the judge is told of all that is taken of a change, and what that is worth.

    Args:
        look: at a view where a piece is taken.
        said: float32 (N), what the judge says of each piece.
        least: probability from which one is taken.

    Returns:
        float32 (`SUMMED_UP`), and the gain in shares of the coarse mask's area, with a share of
        the gain in mBA where the truth is exact.
    """
    taken = said >= least
    value = float(look.gained[taken].sum())
    coarse, refined = look.coarse > INSIDE, look.refined > INSIDE
    if look.exact and look.truth.any():
        back = np.concatenate([[False], ~taken])[look.labels]
        better = mba(np.where(back, coarse, refined), look.truth) - mba(coarse, look.truth)
        value += EDGES_COUNT * better
    return summed_up(look.coarse, look.refined, look.rows, said, taken), value


class JudgeNet(nn.Module):
    """Several small networks, whose mean of log-odds is the answer.

    Args:
        features: numbers that they are told.
        members: how many.
        hidden: numbers in each of their two layers.
        drop: share of those left out in training.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, features: int, members: int, hidden: int, drop: float) -> None:
        super().__init__()
        self.drop = drop
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("scale", torch.ones(features))
        widths = (features, hidden, hidden, 1)
        self.weights, self.biases = nn.ParameterList(), nn.ParameterList()
        for before, after in pairwise(widths):
            self.weights.append(torch.randn(members, before, after) * before**-0.5)
            self.biases.append(torch.zeros(members, 1, after))

    def odds(self, rows: Tensor) -> Tensor:
        """(members, N, features) to log-odds (members, N)."""
        x = torch.clip((rows - self.mean) * self.scale, -4, 4)
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            if number:
                x = functional.dropout(functional.silu(x), self.drop, self.training)
            x = x @ weight + bias
        return x[..., 0]

    def forward(self, rows: Tensor) -> Tensor:
        """(N, features) to the probability (N) of a gain."""
        return torch.sigmoid(self.odds(rows[None]).mean(0))


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How one of the two judges learns.

    Attributes:
        most: a row counts by what it gains or loses, in objects, up to this.
        steps: of learning.
        batch: rows a step for each of the members.
        decay: of weights.
        members: see `JudgeNet`.
        hidden: likewise.
        drop: likewise.
    """

    most: float
    steps: int
    batch: int
    decay: float
    members: int = 24
    hidden: int = 32
    drop: float = 0.3


PIECES = Lesson(most=0.05, steps=1200, batch=2048, decay=0.3)
# There are a hundred times fewer masks than pieces.
MASKS = Lesson(most=0.02, steps=500, batch=256, decay=1.0, members=72, hidden=24, drop=0.4)


def fit(
    rows: NDArray[np.float32],
    gained: NDArray[np.float32],
    lesson: Lesson,
    *,
    rate: float = 3e-3,
    seed: int = 0,
) -> JudgeNet:
    """Learn which rows are gains.

    Args:
        rows: float32 (N, features).
        gained: float32 (N), see `gains` and `worth`.
        lesson: how.
        rate: peak of the rate of learning.
        seed: of what is drawn.
    """
    torch.manual_seed(seed)
    net = JudgeNet(rows.shape[1], lesson.members, lesson.hidden, lesson.drop)
    net.mean.copy_(torch.from_numpy(rows.mean(0)))
    net.scale.copy_(torch.from_numpy(1 / (rows.std(0) + 1e-3)))
    inputs, wins = torch.from_numpy(rows), torch.from_numpy((gained > 0).astype(np.float32))
    counts = torch.from_numpy(np.minimum(np.abs(gained), lesson.most))
    shape = lesson.members, lesson.batch
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=lesson.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, lesson.steps)
    for _ in range(lesson.steps):
        drawn = torch.multinomial(counts, math.prod(shape), replacement=True).view(shape)
        loss = functional.binary_cross_entropy_with_logits(net.odds(inputs[drawn]), wins[drawn])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return net.eval()


def fit_both(looks: Sequence[Path], least: float) -> tuple[JudgeNet, JudgeNet]:
    """Learn from what was seen: the judge of pieces, and of all that it takes of a mask's change.

    Args:
        looks: files that `Look.write` wrote.
        least: probability from which a piece is taken.
    """
    every = [Look.read(path) for path in looks]
    pieces = fit(
        np.concatenate([one.rows for one in every]),
        np.concatenate([one.gained for one in every]),
        PIECES,
    )
    told, worths = [], []
    for one in every:
        with torch.no_grad():
            said = pieces(torch.from_numpy(one.rows)).numpy()
        if (said >= least).any():
            numbers, value = worth(one, said, least)
            told.append(numbers)
            worths.append(value)
    return pieces, fit(np.stack(told), np.array(worths, np.float32), MASKS)


def write(net: JudgeNet, path: Path, *, takes: str, gives: str) -> str:
    """Write the ONNX file, (N, features) to (N), and give its sha256.

    Args:
        net: what was learned.
        path: the file.
        takes: name of its input.
        gives: name of its output.
    """
    program = torch.onnx.export(
        net,
        (torch.zeros(2, len(net.mean)),),
        input_names=[takes],
        output_names=[gives],
        dynamic_shapes={"rows": {0: torch.export.Dim("count", min=1)}},
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
    fitting.add_argument("output", type=Path, help="folder for judge.onnx and verdict.onnx")
    options = parser.parse_args()
    if options.command == "fit":
        looks = sorted(options.cases.glob("[!.]*.npz"))
        if not looks:
            raise InputError(f"{options.cases}: no *.npz inside; expected what `look` wrote")
        make_folder(options.output)
        names = ("judge.onnx", "pieces", "gains"), ("verdict.onnx", "masks", "verdicts")
        nets = fit_both(looks, Settings().gain_least)
        for net, (name, takes, gives) in zip(nets, names, strict=True):
            path = options.output / name
            digest = write(net, path, takes=takes, gives=gives)
            print(f"{path}: {path.stat().st_size} bytes, sha256 {digest}")
        return
    cv2.setNumThreads(1)
    make_folder(options.cases)
    every, (first, step) = list(cases(options.data)), options.part
    if not every:
        raise InputError(f"{options.data}: no *_im.jpg in a folder of {', '.join(EXACT)}")
    refiner = _Onlooker()
    for case in every[first::step]:
        if (options.cases / f"{case.name}__0.npz").exists():
            continue
        # The first last: where it is, all are.
        for number, one in reversed(list(enumerate(look(refiner, case)))):
            one.write(options.cases / f"{case.name}__{number}.npz")


if __name__ == "__main__":
    command.run(main)
