"""Engines: what refines a mask during an evaluation, opened once a worker."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import ModelError

if TYPE_CHECKING:
    from edgewise.refiner import Refiner

Refine = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[Any]]
"""(photo uint8 HxWx3 RGB, coarse mask float32 HxW in [0, 1]) -> the refined mask, bool HxW or
float32 HxW in [0, 1]."""


class OpenRefine(Protocol):
    """What opens a `Refine`, in each worker; so it must pickle, and the `Refine` need not."""

    def __call__(self) -> Refine:
        """Open it; EdgewiseError where that cannot be done."""
        ...

    def describe(self) -> dict[str, str]:
        """What its results depend on, for the header of a results file."""
        ...


@dataclass(frozen=True, kw_only=True)
class NetworkEngine:
    """Edgewise's own refiner.

    Attributes:
        model: a name of `edgewise models`, or the path of an .onnx file.
        threads: threads of a worker; None takes every core that the process may use.
        device: "cpu" or "cuda".
    """

    model: str = "default"
    threads: int | None = None
    device: str = "cpu"

    def __call__(self) -> Refine:
        """Open the network, as a function."""
        refiner = self.open()

        def refine(photo: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.float32]:
            return refiner.refine(photo, mask).soft

        return refine

    def open(self) -> "Refiner":
        """Open the network.

        Raises:
            ModelError: there is no such model, or it cannot be opened.
        """
        from edgewise.network.runtime import OnnxEngine
        from edgewise.refiner import Refiner

        return Refiner(OnnxEngine(self.model, threads=self.threads, device=self.device))

    def describe(self) -> dict[str, str]:
        """The weights, by name and checksum, and the refiner's settings.

        Raises:
            ModelError: there is no such model.
        """
        from edgewise.refiner import Settings

        return {
            "engine": "edgewise",
            "model": Path(self.model).name,
            "sha256": self._checksum(),
            "device": self.device,
            "refiner": repr(Settings()),
        }

    def _checksum(self) -> str:
        from edgewise.network.catalog import find

        if not self.model.endswith(".onnx"):
            return find(self.model).sha256
        try:
            return hashlib.sha256(Path(self.model).read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{self.model}: cannot be read: {error.strerror}") from error
