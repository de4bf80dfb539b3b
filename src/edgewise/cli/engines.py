"""`--engine`: the refiners that commands know by name, and any Python function."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from edgewise.errors import InputError

if TYPE_CHECKING:
    from edgewise.engines import OpenRefine

OWN = "edgewise"
FUNCTIONS = {"grabcut": "edgewise.baselines:grabcut", "guided": "edgewise.baselines:guided"}
VARIANTS = {"cascadepsp": "paper", "cascadepsp-pip": "pip"}

PIECES_SIDE = 224
"""L of CascadePSP's pipeline on the pieces of ADE20K (Cheng et al. 2020), in pixels."""

HELP = (
    "What refines: edgewise, cascadepsp or cascadepsp-pip (with --weights), grabcut, guided, or a"
    " Python function as package.module:function."
)
BASELINES = "Set GrabCut and a guided filter beside what refines"
WEIGHTS = typer.Option(None, "--weights", help="The checkpoint of --engine cascadepsp.")


@dataclass(frozen=True, kw_only=True)
class Choices:
    """What the options say of engines; each engine takes what concerns it.

    Attributes:
        weights: of CascadePSP.
        model: edgewise's network.
        threads: of a process; None for all cores.
        device: cpu or cuda.
        overview_only: stop after the overview, or CascadePSP's global step.
        careful: have edgewise keep masks that would likely gain nothing.
    """

    weights: Path | None = None
    model: str = "default"
    threads: int | None = None
    device: str = "cpu"
    overview_only: bool = False
    careful: bool = False


def find_engine(name: str, choices: Choices) -> "OpenRefine":
    """The engine of that name.

    Raises:
        InputError: there is none, or an option that it needs is missing or does not concern it.
    """
    return find_engines([name], choices)[name]


def find_engines(names: Sequence[str], choices: Choices) -> dict[str, "OpenRefine"]:
    """The engines of some names.

    Raises:
        InputError: as `find_engine`, or a name is given twice.
    """
    if len(set(names)) < len(names):
        raise InputError(f"--engine: given twice: {', '.join(names)}")
    if choices.weights and not VARIANTS.keys() & set(names):
        raise InputError(f"--weights {choices.weights}: goes with --engine cascadepsp")
    if choices.careful and OWN not in names:
        raise InputError(f"--careful: goes with --engine {OWN}")
    return {name: _engine(name, choices) for name in names}


def with_baselines(names: Sequence[str]) -> list[str]:
    """Names of engines, and those of the baselines that are not among them."""
    return [*names, *(one for one in FUNCTIONS if one not in names)]


def _engine(name: str, choices: Choices) -> "OpenRefine":
    from edgewise.engines import NetworkEngine

    if name == OWN:
        return NetworkEngine(
            model=choices.model,
            threads=choices.threads,
            device=choices.device,
            overview_only=choices.overview_only,
            careful=choices.careful,
        )
    if name in VARIANTS:
        return _reference(name, choices)
    target = FUNCTIONS.get(name, name)
    if ":" not in target:
        known = ", ".join((OWN, *VARIANTS, *FUNCTIONS))
        raise InputError(f"no engine {name!r}; there is: {known}, or package.module:function")
    if choices.overview_only:
        raise InputError(f"--overview-only: engine {name} has no overview")
    from edgewise.engines import FunctionEngine

    return FunctionEngine(target=target)


def _reference(name: str, choices: Choices) -> "OpenRefine":
    from edgewise.reference.engine import ReferenceEngine

    if choices.weights is None:
        raise InputError(f"--engine {name} takes --weights FILE, a checkpoint of CascadePSP's")
    return ReferenceEngine(
        weights=choices.weights,
        variant=VARIANTS[name],
        global_only=choices.overview_only,
        threads=choices.threads,
        device=choices.device,
    )


def for_pieces(engine: "OpenRefine") -> "OpenRefine":
    """An engine for the pieces of label maps: CascadePSP's as published, others as they are."""
    from edgewise.reference.engine import ReferenceEngine

    if isinstance(engine, ReferenceEngine):
        return replace(engine, side=PIECES_SIDE, global_only=True)
    return engine


def label(name: str) -> str:
    """What an engine is called in tables and file names."""
    if name in VARIANTS:
        return f"cascadepsp-{VARIANTS[name]}"  # the published results go by CascadePSP
    return name.replace(":", ".").replace("/", ".")
