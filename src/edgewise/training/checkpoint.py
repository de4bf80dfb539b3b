"""Reading PyTorch's files."""

import pickle
from pathlib import Path
from typing import Any

import torch

from edgewise.errors import ModelError


def read(path: Path) -> dict[str, Any]:
    """What a checkpoint holds, on the CPU; no code in it is run.

    Raises:
        ModelError: the file cannot be read, or is another thing.
    """
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error
    except (RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path}: is no checkpoint of PyTorch's, or a damaged one") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path}: holds no weights by name")
    return data
