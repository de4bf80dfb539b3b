"""Refine a rough object mask to the true edge of the photo.

    import edgewise
    refined = edgewise.refine(photo, mask)      # numpy arrays: uint8 HxWx3 RGB and HxW
    refined.mask, refined.soft                  # bool HxW, float32 HxW in 0..1

Names are loaded on first use, so that `import edgewise` stays fast.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from edgewise.errors import (
        DependencyError,
        EdgewiseError,
        EdgewiseWarning,
        InputError,
        ModelError,
        OutputError,
    )
    from edgewise.images import read_photo
    from edgewise.masks import fit_mask, read_mask, write_mask
    from edgewise.refiner import Refinement, Refiner, Settings, refine
    from edgewise.scenes.refine import refine_labels

_HOMES = {
    "DependencyError": "errors",
    "EdgewiseError": "errors",
    "EdgewiseWarning": "errors",
    "InputError": "errors",
    "ModelError": "errors",
    "OutputError": "errors",
    "Refinement": "refiner",
    "Refiner": "refiner",
    "Settings": "refiner",
    "fit_mask": "masks",
    "read_mask": "masks",
    "read_photo": "images",
    "refine": "refiner",
    "refine_labels": "scenes.refine",
    "write_mask": "masks",
}

__all__ = [
    "DependencyError",
    "EdgewiseError",
    "EdgewiseWarning",
    "InputError",
    "ModelError",
    "OutputError",
    "Refinement",
    "Refiner",
    "Settings",
    "__version__",
    "fit_mask",
    "read_mask",
    "read_photo",
    "refine",
    "refine_labels",
    "write_mask",
]


def __getattr__(name: str) -> Any:
    """A public name, from the module that holds it."""
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'edgewise' has no attribute {name!r}")
    return getattr(import_module(f"edgewise.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """The public names."""
    return __all__
