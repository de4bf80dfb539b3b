"""CascadePSP as an engine of the harness; torch is imported where it is opened."""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edgewise.errors import missing_extra

if TYPE_CHECKING:
    from edgewise.engines import Refine


@dataclass(frozen=True, kw_only=True)
class ReferenceEngine:
    """CascadePSP's network and pipeline.

    Attributes:
        weights: a checkpoint, see `edgewise.reference.checkpoint.load_network`.
        variant: "paper" or "pip".
        side: L of the pipeline, in pixels.
        global_only: leave the local steps out.
        threads: threads of a worker; None leaves them to torch.
        device: as torch names it.
    """

    weights: Path
    variant: str = "paper"
    side: int = 900
    global_only: bool = False
    threads: int | None = None
    device: str = "cpu"

    def __call__(self) -> "Refine":
        """Open the network.

        Raises:
            DependencyError: torch is not installed.
            ModelError: the weights or the device cannot be used.
        """
        _need_torch()
        import torch

        from edgewise.reference.checkpoint import load_network
        from edgewise.reference.pipeline import CascadeRefiner, PipelineSettings, open_device

        settings = PipelineSettings(
            variant=self.variant, side=self.side, global_only=self.global_only
        )
        if self.threads:
            torch.set_num_threads(self.threads)
        network = load_network(self.weights).to(open_device(self.device))
        refiner = CascadeRefiner(network=network, settings=settings)

        def refine(photo: NDArray[np.uint8], mask: NDArray[np.float32]) -> NDArray[np.float32]:
            return refiner.refine(photo, mask)

        return refine

    def describe(self) -> dict[str, str]:
        """The weights, by name and checksum, and the pipeline's settings.

        Raises:
            DependencyError: torch is not installed.
            ModelError: the weights cannot be read.
        """
        _need_torch()
        from edgewise.reference.checkpoint import checksum

        return {
            "engine": "cascadepsp",
            "model": self.weights.name,
            "sha256": checksum(self.weights),
            "device": self.device,
            "variant": self.variant,
            "side": str(self.side),
            "global_only": str(self.global_only),
        }


def _need_torch() -> None:
    if find_spec("torch") is None:
        raise missing_extra("torch", "reference")
