"""RefineNet's outputs: MATLAB files whose `data_obj.mask_data` is the label map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgewise.benchmarks.inputs.labels import whole_numbers
from edgewise.errors import InputError, missing_extra
from edgewise.files import MAX_PIXELS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_OBJECT = "data_obj"
_FIELD = "mask_data"


def read_mat(path: Path) -> NDArray[np.int32]:
    """The label map in a MATLAB file, int32 HxW.

    Version 7.3 is HDF5, which lists a matrix column by column: it is read transposed. Versions up
    to 7 are read as they are.

    Raises:
        InputError: no MATLAB file, damaged, or without a matrix of labels `data_obj.mask_data`.
        DependencyError: the extra `benchmark` is not installed.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(128)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    labels = _matlab5(path) if head.startswith(b"MATLAB 5.0") else _hdf5(path)
    return _checked(labels, str(path))


def _hdf5(path: Path) -> NDArray[Any]:
    try:
        import h5py  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_extra("h5py", "benchmark") from error
    try:
        with h5py.File(path, "r") as file:
            found = file.get(f"{_OBJECT}/{_FIELD}")
            if not isinstance(found, h5py.Dataset):
                raise InputError(_without(path, list(file)))
            if found.size > MAX_PIXELS:
                raise InputError(f"{path}: has {found.size} pixels; at most {MAX_PIXELS} are read")
            return np.asarray(found[()]).T
    except OSError as error:
        raise InputError(f"{path}: is no MATLAB file, or is damaged or cut off") from error


def _matlab5(path: Path) -> NDArray[Any]:
    try:
        from scipy.io import loadmat  # type: ignore[import-untyped]
        from scipy.io.matlab import MatReadError  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_extra("scipy", "benchmark") from error
    try:
        file = loadmat(path, struct_as_record=False, squeeze_me=True)
    except (MatReadError, OSError, ValueError, TypeError, KeyError, EOFError) as error:
        raise InputError(f"{path}: is damaged or cut off: {error}") from error
    found = getattr(file.get(_OBJECT), _FIELD, None)
    if found is None:
        raise InputError(_without(path, [name for name in file if not name.startswith("__")]))
    return np.asarray(found)


def _without(path: Path, names: list[str]) -> str:
    held = ", ".join(names) or "nothing"
    return f"{path}: has no matrix {_OBJECT}.{_FIELD}, but {held}; expected RefineNet's output"


def _checked(labels: NDArray[Any], name: str) -> NDArray[np.int32]:
    if labels.ndim != 2 or labels.size == 0 or labels.dtype.kind not in "uif":
        raise InputError(
            f"{name}: {_OBJECT}.{_FIELD} is {labels.dtype} of shape {labels.shape}; expected a "
            "matrix of labels"
        )
    return whole_numbers(labels, name)
