"""Checkpoints: the published ones under their own names, and those of our training.

Published: the paper's and the newer one of the authors' repository (`module.` before each name,
from a parallel run), and that of the package `segmentation-refinement`.
"""

import hashlib
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from edgewise.errors import ModelError
from edgewise.reference.network import WIDTH, CascadeNetwork

KEY_MAP = (
    (r"module\.", ""),
    (r"feats\.conv1\.", "encoder.stem."),
    (r"feats\.bn1\.", "encoder.stem_norm."),
    (r"feats\.layer(\d)\.(\d)\.conv1\.", r"encoder.stage\1.\2.reduce."),
    (r"feats\.layer(\d)\.(\d)\.bn1\.", r"encoder.stage\1.\2.reduce_norm."),
    (r"feats\.layer(\d)\.(\d)\.conv2\.", r"encoder.stage\1.\2.spatial."),
    (r"feats\.layer(\d)\.(\d)\.bn2\.", r"encoder.stage\1.\2.spatial_norm."),
    (r"feats\.layer(\d)\.(\d)\.conv3\.", r"encoder.stage\1.\2.expand."),
    (r"feats\.layer(\d)\.(\d)\.bn3\.", r"encoder.stage\1.\2.expand_norm."),
    (r"feats\.layer(\d)\.(\d)\.downsample\.0\.", r"encoder.stage\1.\2.match."),
    (r"feats\.layer(\d)\.(\d)\.downsample\.1\.", r"encoder.stage\1.\2.match_norm."),
    (r"psp\.stages\.(\d)\.1\.", r"pyramid.levels.\1."),
    (r"psp\.bottleneck\.", "pyramid.fuse."),
    (r"up_1\.conv\.", "rise4.first."),
    (r"up_1\.conv2\.", "rise4.second."),
    (r"up_1\.shortcut\.", "rise4.shortcut."),
    (r"up_2\.conv\.", "rise2.first."),
    (r"up_2\.conv2\.", "rise2.second."),
    (r"up_2\.shortcut\.", "rise2.shortcut."),
    (r"up_3\.conv\.", "rise1.first."),
    (r"up_3\.conv2\.", "rise1.second."),
    (r"up_3\.shortcut\.", "rise1.shortcut."),
    (r"final_28\.", "head8."),
    (r"final_56\.", "head4."),
    (r"final_11\.", "head1.0."),
    (r"final_21\.", "head1.2."),
)
"""Beginnings of published names, in order, and what stands for them here."""

COUNTER = "num_batches_tracked"
"""Ends the names of the norms' counters, which older checkpoints lack and nothing reads."""

ENCODER_CHECKPOINT = "feats."
"""What published names of the encoder have before a plain ResNet-50's."""

_NAMED = 3


def own_name(published: str) -> str:
    """Our name of a published one; one that is not in the map comes back as it is."""
    for pattern, name in KEY_MAP:
        published = re.sub(f"^{pattern}", name, published)
    return published


def checksum(path: Path) -> str:
    """The sha256 of a checkpoint, in hex.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read: {error.strerror}") from error


def load_network(path: Path) -> CascadeNetwork:
    """The network of a checkpoint, in evaluation mode on the CPU.

    Args:
        path: a published checkpoint, or `last.pt` of a run of `edgewise.reference.train`.

    Raises:
        ModelError: the file cannot be read or is another thing; the message names keys that are
            missing, surplus or of another shape.
    """
    data = _read(path)
    if "average" in data:  # a run's file
        state, width = _of_run(data, path)
    else:
        state, width = {own_name(key): value for key, value in data.items()}, WIDTH
    network = CascadeNetwork(width)
    _fill(network, state, path)
    return network.eval()


def _of_run(data: Mapping[str, Any], path: Path) -> tuple[Mapping[str, Any], int]:
    """The weights and the network's width in a run's file; ModelError where it is another's."""
    state, config = data["average"], data.get("config")
    width = config.get("width") if isinstance(config, Mapping) else None
    if not isinstance(state, Mapping) or not isinstance(width, int):
        raise ModelError(
            f"{path}: is of a run of another network; expected one of edgewise.reference.train "
            f"(sha256 {checksum(path)})"
        )
    return state, width


def load_encoder(network: CascadeNetwork, path: Path) -> None:
    """Start the encoder from a ResNet-50 trained on ImageNet, in torchvision's names.

    As published, the mask channels, which it lacks, start at zero; its classifier is not used.

    Raises:
        ModelError: as `load_network`.
    """
    data = _read(path)
    prefix = own_name(ENCODER_CHECKPOINT + "conv1.").removesuffix("stem.")
    state = {
        own_name(ENCODER_CHECKPOINT + key).removeprefix(prefix): value
        for key, value in data.items()
        if not key.startswith("fc.")
    }
    stem = state.get("stem.weight")
    if isinstance(stem, Tensor) and stem.ndim == 4:
        masks = network.encoder.stem.weight.shape[1] - stem.shape[1]
        state["stem.weight"] = torch.cat([stem, stem.new_zeros(len(stem), masks, 7, 7)], 1)
    _fill(network.encoder, state, path)


def _read(path: Path) -> Mapping[str, Any]:
    digest = checksum(path)
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(
            f"{path}: is no checkpoint of PyTorch's, or a damaged one (sha256 {digest}); expected "
            "CascadePSP's weights"
        ) from error
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise ModelError(f"{path}: holds no weights by name (sha256 {digest})")
    return data


def _fill(network: torch.nn.Module, state: Mapping[str, Any], path: Path) -> None:
    """Take over all weights, or raise ModelError with what does not fit."""
    own = network.state_dict()
    needed = {key for key in own if not key.endswith(COUNTER)}
    wrong = [
        f"{len(keys)} {what} ({_some(keys)})"
        for what, keys in (
            ("keys missing", sorted(needed - state.keys())),
            ("keys too many", sorted(state.keys() - own.keys())),
            ("of another shape", _misshapen(own, state)),
        )
        if keys
    ]
    if wrong:
        raise ModelError(
            f"{path}: does not hold CascadePSP's weights: {', '.join(wrong)}; "
            f"sha256 {checksum(path)}"
        )
    network.load_state_dict({**own, **state})


def _misshapen(own: Mapping[str, Tensor], state: Mapping[str, Any]) -> list[str]:
    return [
        f"{key} {tuple(state[key].shape)}, not {tuple(value.shape)}"
        if isinstance(state[key], Tensor)
        else f"{key} {type(state[key]).__name__}"
        for key, value in own.items()
        if key in state and (not isinstance(state[key], Tensor) or state[key].shape != value.shape)
    ]


def _some(keys: list[str]) -> str:
    rest = len(keys) - _NAMED
    return ", ".join(keys[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
