"""The table of datasets, input sets and published refined results."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Literal

from edgewise.errors import InputError

Role = Literal["dataset", "inputs", "split", "refined"]


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network whose outputs the benchmark refines.

    Attributes:
        name: as in commands and folder names.
        title: as its authors write it.
        match: regular expression by which its files are known among those of other networks.
        sources: where its code is, by dataset; the datasets that it has outputs for.
    """

    name: str
    title: str
    match: str
    sources: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Row:
    """Something that can be fetched, imported and verified.

    Attributes:
        name: as in commands, and of its folder.
        dataset: the dataset that it is or belongs to.
        role: the dataset itself; coarse inputs; inputs split by component; refined results.
        network: whose outputs these are; None for a dataset.
        title, about: what it is, in a few words and in a sentence.
        links: where it lies, in the order to try.
        licence: what may be done with it, in words.
        terms: what must be accepted before it is fetched; "" where nothing.
        layout: its files in words.
        counts: samples (photos, or masks) by split; empty where nobody published them.
        pixels: fewest and most pixels of a photo; None where nobody published them.
    """

    name: str
    dataset: str
    role: Role
    title: str
    about: str
    links: tuple[str, ...]
    licence: str
    layout: str
    network: str | None = None
    terms: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    pixels: tuple[int, int] | None = None

    @property
    def count(self) -> int | None:
        """Samples of all splits; None where nobody published the number."""
        return sum(self.counts.values()) if self.counts else None


@cache
def networks() -> dict[str, Network]:
    """All networks by name."""
    return {name: Network(name=name, **row) for name, row in _table()["networks"].items()}


@cache
def rows() -> dict[str, Row]:
    """All rows by name: each dataset, followed by what belongs to it."""
    return {row.name: row for row in _rows()}


def find(name: str) -> Row:
    """The row of that name; InputError with the names that exist."""
    try:
        return rows()[name]
    except KeyError:
        raise InputError(f"no {name!r} in the benchmark; there is: {', '.join(rows())}") from None


def datasets() -> list[str]:
    """The names of the datasets."""
    return list(_table()["datasets"])


def row_name(dataset: str, network: str, role: Role) -> str:
    """The name of the row that holds a network's outputs for a dataset."""
    return f"{dataset}-{network}" + ("" if role == "inputs" else f"-{role}")


def find_network(name: str, dataset: str) -> Network:
    """The network of that name; InputError where it has no outputs for the dataset."""
    known = {key: one for key, one in networks().items() if dataset in one.sources}
    if name not in known:
        raise InputError(f"no network {name!r} for {dataset}; there is: {', '.join(known)}")
    return known[name]


def _rows() -> Iterator[Row]:
    table = _table()
    for dataset, about in table["datasets"].items():
        yield _row(about, name=dataset, dataset=dataset, role="dataset")
        for network in networks().values():
            if dataset in network.sources:
                for result in table["results"]:
                    if result["dataset"] == dataset:
                        yield _result(result, about, network)


def _result(result: dict[str, Any], dataset: dict[str, Any], network: Network) -> Row:
    """The row of a network's results: what the dataset's terms say holds for it too."""
    inherited = {key: dataset[key] for key in ("licence", "terms") if key in dataset}
    return _row(
        inherited | result,
        name=row_name(result["dataset"], network.name, result["role"]),
        network=network.name,
        title=f"{dataset['title']}, {network.title}",
    )


def _row(values: dict[str, Any], **more: Any) -> Row:
    lists: dict[str, Any] = {
        key: tuple(values[key]) for key in ("links", "pixels") if key in values
    }
    return Row(**(values | lists | more))


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("catalog.toml").read_text("utf-8"))
