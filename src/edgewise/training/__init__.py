"""Training of the refinement network, on PyTorch; the loop serves the reference refiner too.

Needs the extra `edgewise[train]`. `python -m edgewise.training.train --help` starts a run and
`python -m edgewise.training.export --help` writes the ONNX file that the product ships.
"""

from importlib.util import find_spec

from edgewise.errors import missing_extra

if find_spec("torch") is None:
    raise missing_extra("torch", "train")
