"""Engines: what refines a mask, opened once a worker; the one seam for every refiner."""

import hashlib
import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import EdgewiseError, InputError, ModelError, told

if TYPE_CHECKING:
    from edgewise.refiner import Refiner, Settings

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
        overview_only: stop after the overview.
        careful: keep masks that would likely gain nothing: for masks that are mostly exact already.
    """

    model: str = "default"
    threads: int | None = None
    device: str = "cpu"
    overview_only: bool = False
    careful: bool = False

    def __call__(self) -> Refine:
        """Open the network, as a function."""
        return self.refining(self.open())

    def refining(self, refiner: "Refiner") -> Refine:
        """An opened network as a function."""

        def refine(photo: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.float32]:
            return refiner.refine(photo, mask, overview_only=self.overview_only).soft

        return refine

    def open(self) -> "Refiner":
        """Open the network.

        Raises:
            ModelError: there is no such model, or it cannot be opened.
        """
        # Before what else is imported: they open while another thread imports that, and reads.
        from edgewise.network.runtime import open_networks

        networks = open_networks(self.model, threads=self.threads, device=self.device)

        from edgewise.refiner import Refiner

        return Refiner.asking(networks, settings=self._settings())

    def describe(self) -> dict[str, str]:
        """The weights, by names and checksums, and the refiner's settings.

        Raises:
            ModelError: there is no such model.
        """
        from edgewise.network.catalog import JUDGE, PROMPT, PROPOSAL, VERDICT, find

        described = {
            "engine": "edgewise",
            "model": Path(self.model).name,
            "sha256": self._checksum(),
            "proposal_sha256": find(PROPOSAL, role="proposal").sha256,
            "prompt_sha256": find(PROMPT, role="prompt").sha256,
            "judge_sha256": find(JUDGE, role="judge").sha256,
            "verdict_sha256": find(VERDICT, role="verdict").sha256,
            "device": self.device,
            "refiner": repr(self._settings()),
        }
        return described | ({"overview_only": "True"} if self.overview_only else {})

    def _settings(self) -> "Settings":
        from edgewise.refiner import CAREFUL, Settings

        return Settings(verdict_least=CAREFUL) if self.careful else Settings()

    def _checksum(self) -> str:
        from edgewise.network.catalog import find

        if not self.model.endswith(".onnx"):
            return find(self.model).sha256
        try:
            return hashlib.sha256(Path(self.model).read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{self.model}: cannot be read: {error.strerror}") from error


@dataclass(frozen=True, kw_only=True)
class FunctionEngine:
    """Any Python function as an engine.

    It takes what a `Refine` takes, in copies that it may change, and gives bool HxW or floats HxW
    in [0, 1]; anything else is an InputError when it comes, and whatever it raises an
    EdgewiseError.

    Attributes:
        target: "package.module:function". Modules are also looked for in the working directory.
    """

    target: str

    def __call__(self) -> Refine:
        """Import the function.

        Raises:
            InputError: there is no such module or function.
        """
        function = self._function()

        def refine(photo: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[Any]:
            try:
                # Of copies: what is scored stays as it is. Even what it gives may raise: a tensor.
                answer = np.asarray(function(photo.copy(), mask.copy()))
            except EdgewiseError:
                raise
            except (Exception, SystemExit) as error:  # the user's function may do anything
                raise EdgewiseError(f"engine {self.target!r}: {told(error)}") from error
            return _as_mask(answer, mask.shape, self.target)

        return refine

    def describe(self) -> dict[str, str]:
        """The function's name, and the checksum of the file that it is in.

        Raises:
            InputError: there is no such module or function.
        """
        self._function()
        file = getattr(sys.modules[self.target.partition(":")[0]], "__file__", None)
        digest = {"sha256": hashlib.sha256(Path(file).read_bytes()).hexdigest()} if file else {}
        return {"engine": self.target, **digest}

    def _function(self) -> Callable[..., Any]:
        module, colon, name = self.target.partition(":")
        if not (module and colon and name) or module.startswith("."):
            raise InputError(f"engine {self.target!r}: expected package.module:function")
        if "" not in sys.path and str(Path.cwd()) not in sys.path:
            sys.path.append(str(Path.cwd()))
        found = getattr(self._module(module), name, None)
        if found is None:
            raise InputError(f"engine {self.target!r}: {module} has no {name!r}")
        if not callable(found):
            raise InputError(f"engine {self.target!r}: {name!r} is no function")
        function: Callable[..., Any] = found
        return function

    def _module(self, name: str) -> ModuleType:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            raise InputError(f"engine {self.target!r}: no module {error.name!r}") from error
        except (Exception, SystemExit) as error:  # the user's module may do anything
            raise InputError(
                f"engine {self.target!r}: {name} cannot be imported: {told(error)}"
            ) from error


def _as_mask(mask: NDArray[Any], shape: tuple[int, ...], target: str) -> NDArray[Any]:
    """A function's answer, bool or float32 HxW; InputError where it is no mask."""
    if mask.dtype == np.bool_ and mask.shape == shape:
        return mask
    fits = np.issubdtype(mask.dtype, np.floating) and mask.shape == shape
    if not fits or not (mask.min() >= 0 and mask.max() <= 1):
        values = f" from {mask.min():.8g} to {mask.max():.8g}" if fits else ""
        raise InputError(
            f"engine {target!r} gave {mask.dtype} {mask.shape}{values}; expected bool, or floats "
            f"in [0, 1], of shape {shape}"
        )
    return mask.astype(np.float32)
