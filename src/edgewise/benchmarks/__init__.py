"""The published benchmark: its datasets, input sets and published results.

`load` gives the samples of what is on this machine; `edgewise benchmark` brings it there.
"""

from collections.abc import Sequence
from pathlib import Path

from edgewise.benchmarks import ade20k, big, pascal
from edgewise.benchmarks.catalog import find, find_network, row_name
from edgewise.benchmarks.samples import Sample, Scene
from edgewise.benchmarks.store import Store, need
from edgewise.errors import InputError

__all__ = ["Sample", "Scene", "load", "load_scenes"]


def load(
    dataset: str,
    *,
    split: str = "test",
    inputs: str | None = None,
    root: Path | None = None,
) -> Sequence[Sample]:
    """The objects of a dataset, in the order of names; files are read when a sample is asked.

    Args:
        dataset: "big" or "pascal", or "ade20k" for the components of its split inputs.
        split: of BIG, "val" or "test"; the others have one.
        inputs: the network whose masks are to be refined, such as "deeplabv3plus"; None for the
            `_seg.png` that lie beside the photos, if any.
        root: the benchmark's folder; None for `store.default_root`.

    Raises:
        InputError: no such dataset, split or network, it is not on this machine, or a file of a
            sample is missing.
    """
    row = find(dataset)
    if row.role != "dataset":
        raise InputError(f"{dataset} is no dataset; give inputs={row.network!r} with {row.dataset}")
    if dataset == "big" and split not in row.counts:
        raise InputError(f"big has no split {split!r}; there is: {', '.join(row.counts)}")
    store = Store(root)
    if dataset == "ade20k":
        if inputs is None:
            raise InputError("components of ade20k are those of a network; give inputs=NETWORK")
        name = row_name(dataset, find_network(inputs, dataset).name, "split")
        return ade20k.parts(need(store.root / name, name))
    coarse = _inputs(store, dataset, inputs)
    folder = need(store.folder(row), dataset)
    if dataset == "big":
        return big.samples(folder / split, inputs=coarse)
    return pascal.samples(folder, inputs=coarse)


def load_scenes(*, inputs: str | None = None, root: Path | None = None) -> Sequence[Scene]:
    """The scenes of ADE20K's validation set, in the order of names.

    Args:
        inputs: the network whose label maps are to be refined; None for none.
        root: the benchmark's folder; None for `store.default_root`.

    Raises:
        InputError: as `load`.
    """
    store = Store(root)
    coarse = _inputs(store, "ade20k", inputs)
    return ade20k.scenes(need(store.root / "ade20k", "ade20k"), inputs=coarse)


def _inputs(store: Store, dataset: str, network: str | None) -> Path | None:
    if network is None:
        return None
    name = row_name(dataset, find_network(network, dataset).name, "inputs")
    return need(store.root / name, name)
