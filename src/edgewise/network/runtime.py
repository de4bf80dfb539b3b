"""Engines: the one call through which the refiner reaches a network."""

import os
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import InputError, ModelError
from edgewise.network.catalog import DEFAULT, JUDGE, PROMPT, PROPOSAL, VERDICT, Model, find

LARGE = 100_000
"""Pixels of a run from which its working memory is not kept."""

PIECES = 4096
"""Pieces of a change that are judged in one run: a mask of noise may have a hundred thousand."""

Views = NDArray[np.uint8]
Masks = NDArray[np.float32]


class Engine(Protocol):
    """Anything that turns views into soft masks.

    An engine that can be called from several threads at a time says of how many by an attribute
    `threads`.
    """

    stride: int
    """Heights and widths of views are multiples of this."""

    def __call__(self, views: Views) -> Masks:
        """Refine a batch.

        Args:
            views: uint8 (N, 5, H, W): photo red, green, blue; prior mask; coarse mask; 0..255.

        Returns:
            float32 (N, H, W): probability of the object in 0..1.
        """
        ...


class Proposer(Protocol):
    """Anything that says which whole object a mask may mean."""

    stride: int
    """Heights and widths of photos are multiples of this."""

    def __call__(self, photo: Views, mask: Masks, places: NDArray[np.float32]) -> Masks:
        """Candidate masks.

        Args:
            photo: uint8 (3, H, W) RGB.
            mask: float32 (H / 4, W / 4), log-odds of the coarse mask.
            places: float32 (3, 2), x and y in pixels of the photo: a point inside the object, the
                first and the last corner of its box.

        Returns:
            float32 (candidates, H / 4, W / 4), log-odds.
        """
        ...


class Judge(Protocol):
    """Anything that says whether a piece of a change is a gain, and what all of them are."""

    def __call__(self, pieces: Masks) -> Masks:
        """Judge pieces.

        Args:
            pieces: float32 (N, features) as `passes.changes.described` gives them.

        Returns:
            float32 (N,): the probability of each that the truth gains by it.
        """
        ...

    def verdict(self, masks: Masks) -> Masks:
        """Judge what is taken of whole changes.

        Args:
            masks: float32 (N, features) as `passes.changes.summed_up` gives them.

        Returns:
            float32 (N,): the probability of each that the mask is better with it.
        """
        ...


class OnnxEngine:
    """A network of the catalog, or any ONNX file of the same interface, on ONNX Runtime.

    Args:
        model: a name of the catalog, or the path of an .onnx file.
        threads: views that are refined at a time, one core each; None takes every core that this
            process may use. On a GPU one batch at a time is refined, whatever is said here.
        device: "cpu", or "cuda" where onnxruntime-gpu is installed.

    Raises:
        ModelError: no such model, a damaged file, a network of another interface, or a device that
            is not available.
        InputError: less than one thread.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = DEFAULT,
        *,
        threads: int | None = None,
        device: str = "cpu",
    ) -> None:
        path, self.stride = _locate(model)
        cores = _cores(threads)
        self.threads = cores if device == "cpu" else 1
        # Views on a core each are faster than cores that share a view and wait for each other at
        # every layer; and the answer does not depend on how many there are. A large view comes
        # alone, and is shared.
        self._session = self._shared = _open(path, _provider(device), threads=1)
        inputs = [(given.name, given.type) for given in self._session.get_inputs()]
        if inputs != [("views", "tensor(uint8)")]:
            found = ", ".join(f"{name} {kind}" for name, kind in inputs)
            raise ModelError(
                f"{path}: is no network that refines: it takes {found}; expected views "
                "tensor(uint8) of N x 5 x H x W"
            )
        if self.threads > 1:
            self._shared = _open(path, _provider(device), threads=self.threads)
        self._pool: ThreadPoolExecutor | None = None

    def on_one_core(self) -> "OnnxEngine":
        """The same opened network for callers that keep all cores busy themselves."""
        alone = copy(self)
        alone.threads = 1
        return alone

    def __call__(self, views: Views) -> Masks:
        """See `Engine`."""
        if self.threads == 1 or len(views) == 1:
            return self._run(views, self.threads)
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self.threads)
        return np.concatenate(list(self._pool.map(self._run, np.split(views, len(views)))))

    def _run(self, views: Views, threads: int = 1) -> Masks:
        # What a large view took is given back; tiles take the same memory over and over.
        large = views[:, 0].size > LARGE
        session = self._shared if large and threads > 1 else self._session
        (masks,) = session.run(None, {"views": views}, _giving_back() if large else None)
        return np.asarray(masks, np.float32)


class OnnxProposer:
    """The catalog's proposal network on ONNX Runtime.

    What it saw in a photo is kept until it gets another one, so that a second prompt costs little.

    Args:
        threads: cores that share a photo; None takes every core that this process may use.
        device: see `OnnxEngine`.
        prompt: an .onnx file in place of the catalog's second half, which answers prompts.

    Raises:
        ModelError: no such model, a damaged file, or a device that is not available.
    """

    def __init__(
        self, *, threads: int | None = None, device: str = "cpu", prompt: Path | None = None
    ) -> None:
        look = find(PROPOSAL, role="proposal")
        self.stride = look.stride
        cores = _cores(threads)
        provider = _provider(device)
        with ThreadPoolExecutor(1) as pool:
            answers = pool.submit(
                lambda: _open(
                    prompt or _verified(find(PROMPT, role="prompt")), provider, threads=cores
                )
            )
            self._look = _open(_verified(look), provider, threads=cores)
            self._answers = answers.result()
        self._seen: tuple[Views, Masks] | None = None

    def __call__(self, photo: Views, mask: Masks, places: NDArray[np.float32]) -> Masks:
        """See `Proposer`."""
        given = {"embedding": self.look(photo), "mask": mask, "places": places}
        (candidates,) = self._answers.run(None, given, _giving_back())
        return np.asarray(candidates, np.float32)

    def look(self, photo: Views) -> Masks:
        """What the network sees in a photo, uint8 (3, H, W): float32 (256, H / 16, W / 16)."""
        seen = self._seen  # read once: another thread may ask about another photo meanwhile
        if seen is None or not np.array_equal(seen[0], photo):
            (embedding,) = self._look.run(None, {"photo": photo}, _giving_back())
            seen = self._seen = photo.copy(), embedding
        return seen[1]


class OnnxJudge:
    """The catalog's two judges of changes on ONNX Runtime; they take no time worth a second core.

    Raises:
        ModelError: a damaged file.
    """

    def __init__(self) -> None:
        self._pieces, self._masks = (
            _open(_verified(row), _provider("cpu"), threads=1)
            for row in (find(JUDGE, role="judge"), find(VERDICT, role="verdict"))
        )

    def __call__(self, pieces: Masks) -> Masks:
        """See `Judge`."""
        gains = [
            self._pieces.run(None, {"pieces": pieces[first : first + PIECES]})[0]
            for first in range(0, len(pieces), PIECES)
        ]
        return np.concatenate(gains) if gains else np.zeros(0, np.float32)

    def verdict(self, masks: Masks) -> Masks:
        """See `Judge`."""
        return np.asarray(self._masks.run(None, {"masks": masks})[0], np.float32)


@dataclass(frozen=True)
class Networks:
    """What a refiner asks; see `Refiner`.

    Attributes:
        engine: refines views.
        proposer: says which whole object a mask may mean; None does without.
        judge: says which pieces of a change are gains, and what all of them are; None takes all.
    """

    engine: Engine
    proposer: Proposer | None
    judge: Judge | None


def open_networks(
    model: str | os.PathLike[str] = DEFAULT,
    *,
    threads: int | None = None,
    device: str = "cpu",
    proposer: bool = True,
    judge: bool = True,
) -> Networks:
    """The package's networks; opening one takes a core a tenth of a second, so each gets its own.

    Args:
        model: see `OnnxEngine`.
        threads: likewise.
        device: likewise.
        proposer: whether to open the proposal network.
        judge: whether to open the judge.

    Raises:
        ModelError: no such model, a damaged file, or a device that is not available.
    """
    import_module("onnxruntime")  # of two threads that import, one may wait for ever after Ctrl-C
    with ThreadPoolExecutor(1) as pool:
        proposes = pool.submit(OnnxProposer, threads=threads, device=device) if proposer else None
        engine = OnnxEngine(model, threads=threads, device=device)
        judges = OnnxJudge() if judge else None
        return Networks(engine, proposes.result() if proposes else None, judges)


def _cores(threads: int | None) -> int:
    if threads is not None and threads < 1:
        raise InputError(f"threads {threads}: must be at least 1; None takes every core")
    return threads or len(os.sched_getaffinity(0))


def _giving_back() -> Any:  # untyped library
    """Options of a run whose working memory goes back to the system afterwards."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def _locate(model: str | os.PathLike[str]) -> tuple[Path, int]:
    name = os.fspath(model)
    if name.endswith(".onnx"):
        if not Path(name).is_file():
            raise ModelError(f"{name}: no such file; name an .onnx file or a model of the catalog")
        return Path(name), 64
    row = find(name)
    return _verified(row), row.stride


def _verified(row: Model) -> Path:
    row.verify()
    return row.path


def _provider(device: str) -> str:
    import onnxruntime

    providers = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
    if device not in providers:
        raise ModelError(f"no device {device!r}; there is: {', '.join(providers)}")
    if providers[device] not in onnxruntime.get_available_providers():
        raise ModelError(f"device {device!r} is not available; pip install onnxruntime-gpu")
    return providers[device]


def _open(path: Path, provider: str, *, threads: int) -> Any:  # untyped library
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    # Threads of one session would spin after a run on the core that the next one works on.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[provider])
    except Exception as error:  # onnxruntime raises its own types, none of them public
        raise ModelError(f"{path}: not a network that can be opened ({error})") from error
