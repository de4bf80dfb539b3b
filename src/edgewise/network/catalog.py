"""The table of networks that ship inside the package."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal

from edgewise.errors import ModelError

DEFAULT = "default"
PROPOSAL = "proposal"
PROMPT = "prompt"
JUDGE = "judge"
VERDICT = "verdict"

Role = Literal["refinement", "proposal", "prompt", "judge", "verdict"]


@dataclass(frozen=True, kw_only=True)
class Model:
    """One row of catalog.toml.

    Attributes:
        name: what the user calls it.
        file: file name below `weights/`.
        sha256: checksum of the file.
        bytes: its size.
        stride: heights and widths of the network's input are multiples of this.
        licence: of the weights.
        about: one line for `edgewise models`.
        role: "refinement", which users choose among; "proposal" and "prompt", the two halves of
            what runs before any of them; "judge" and "verdict", what runs after.
    """

    name: str
    file: str
    sha256: str
    bytes: int
    stride: int
    licence: str
    about: str
    role: Role = "refinement"

    @property
    def path(self) -> Path:
        """Where the weights lie in this installation."""
        return Path(str(resources.files(__package__).joinpath("weights", self.file)))

    def verify(self) -> None:
        """Compare the file with its checksum; ModelError where it is missing or differs."""
        if not self.path.is_file():
            raise ModelError(f"model {self.name!r}: {self.path} is missing; reinstall edgewise")
        digest = hashlib.sha256(self.path.read_bytes()).hexdigest()
        if digest != self.sha256:
            raise ModelError(
                f"model {self.name!r}: {self.path} has sha256 {digest}, not {self.sha256}; "
                "reinstall edgewise"
            )


@cache
def models() -> dict[str, Model]:
    """All models by name, the default first."""
    text = resources.files(__package__).joinpath("catalog.toml").read_text()
    return {name: Model(name=name, **row) for name, row in tomllib.loads(text).items()}


def find(name: str, *, role: Role = "refinement") -> Model:
    """The model of that name and role.

    Raises:
        ModelError: there is none; it says which names there are.
    """
    found = models().get(name)
    if found is None or found.role != role:
        known = ", ".join(model.name for model in models().values() if model.role == role)
        wrong = f"model {name!r} is a {found.role} network" if found else f"no model {name!r}"
        raise ModelError(f"{wrong}; there is: {known}")
    return found
