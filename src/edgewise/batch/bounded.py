"""Bounded: edgewise's own refiner, which reads photos by region that do not fit into a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgewise.engines import NetworkEngine
from edgewise.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgewise.batch.jobs import Options
    from edgewise.refiner import Refinement, Refiner


@dataclass(frozen=True, slots=True)
class BoundedRefiner:
    """A refiner, and the memory that it keeps to.

    Attributes:
        refiner: the networks and their settings.
        memory: bytes; None as in `edgewise.large.by_region`.
    """

    refiner: Refiner
    memory: int | None

    def refine(
        self, photo: NDArray[np.uint8], mask: NDArray[np.float32], *, overview_only: bool = False
    ) -> Refinement:
        """As `edgewise.Refiner.refine`."""
        return self.refiner.refine(photo, mask, overview_only=overview_only)

    def takes(self, photo: Path, output: Path) -> bool:
        """Whether a photo is too large for `refine`, and read by region.

        Raises:
            InputError: it is, and a mask of its size cannot be written with that suffix.
        """
        from edgewise.large import WRITABLE, by_region

        large = by_region(photo, output, self.memory)
        if large and output.suffix.lower() not in WRITABLE:
            raise InputError(f"{output}: a large mask is written as one of {', '.join(WRITABLE)}")
        return large

    def refine_file(self, photo: Path, mask: Path, output: Path, options: Options) -> None:
        """As `edgewise.large.refine_file`."""
        from edgewise.large import refine_file

        refine_file(
            self.refiner,
            photo,
            mask,
            output,
            soft=options.soft,
            overview_only=options.overview_only,
            any_mask=self.memory is None,
        )


@dataclass(frozen=True, slots=True)
class Bounded:
    """Opens a `BoundedRefiner`. Failures depend on the bound, results do not.

    Attributes:
        network: which network, and how it runs.
        memory: bytes a worker may take; None as in `edgewise.large.by_region`.
    """

    network: NetworkEngine
    memory: int | None = None

    def open(self) -> BoundedRefiner:
        """Open the network; EdgewiseError where that cannot be done."""
        return BoundedRefiner(self.network.open(), self.memory)

    def describe(self) -> dict[str, str]:
        """The network's."""
        return self.network.describe()

    def limits(self) -> dict[str, str]:
        """See `worker.Limited`."""
        return {} if self.memory is None else {"memory": str(self.memory)}
