"""Store an ONNX file's weights in fewer bits; they are unfolded to float32 when it is opened.

The network computes as before, in float32, on weights that were rounded. A runtime folds the few
operations that unfold them once, at the start, so that nothing is slower afterwards. Products of
matrices can be computed in whole numbers instead, which takes a third of the time.
"""

import hashlib
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from edgewise.errors import ModelError
from edgewise.files import atomic_path

SMALL = 512  # elements; smaller tensors (norms, biases) stay as they are


def pack(model: onnx.ModelProto, *, bits: int) -> onnx.ModelProto:
    """The same network with rounded weights.

    Args:
        model: a network with float32 weights.
        bits: 16 (half floats), or 8 (integers with a scale a channel; vectors are half floats).
    """
    packed = onnx.ModelProto()
    packed.CopyFrom(model)
    graph = packed.graph
    for part in (packed, graph, *graph.node, *graph.input, *graph.output):
        # The exporter notes which line of which file on this machine each operation came from.
        del part.metadata_props[:]
        part.doc_string = ""
    kept, nodes = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.int64 and values.size >= SMALL:
            kept.append(numpy_helper.from_array(values.astype(np.int16), tensor.name + ".int16"))
            nodes.append(_cast(tensor.name + ".int16", tensor.name, TensorProto.INT64))
        elif values.dtype != np.float32 or values.size < SMALL:
            kept.append(tensor)
        elif bits == 16 or values.ndim < 2:
            kept.append(numpy_helper.from_array(values.astype(np.float16), tensor.name + ".half"))
            nodes.append(_cast(tensor.name + ".half", tensor.name, TensorProto.FLOAT))
        else:
            whole, scale = quantised(values)
            kept += [
                numpy_helper.from_array(whole, tensor.name + ".int8"),
                numpy_helper.from_array(scale, tensor.name + ".scale"),
            ]
            nodes += [
                _cast(tensor.name + ".int8", tensor.name + ".wide", TensorProto.FLOAT),
                helper.make_node(
                    "Mul", [tensor.name + ".wide", tensor.name + ".scale"], [tensor.name]
                ),
            ]
    operations = list(graph.node)
    del graph.initializer[:], graph.node[:], graph.value_info[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes + operations)
    return packed


def unpacked(model: onnx.ModelProto) -> onnx.ModelProto:
    """What `pack` was given but for the rounding: weights in float32, nothing that unfolds them."""
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    graph = whole.graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    values: dict[str, NDArray[np.generic]] = {}
    for name, value in stored.items():
        own, _, form = name.rpartition(".")
        if form == "int8":
            values[own] = value.astype(np.float32) * stored[f"{own}.scale"]
        elif form == "half":
            values[own] = value.astype(np.float32)
        elif form == "int16":
            values[own] = value.astype(np.int64)
        elif form != "scale":
            values[name] = value
    made = values.keys() | {f"{name}.wide" for name in values}
    operations = [node for node in graph.node if not made & set(node.output)]
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(numpy_helper.from_array(v, name) for name, v in values.items())
    graph.node.extend(operations)
    return whole


def mean(one: onnx.ModelProto, other: onnx.ModelProto) -> onnx.ModelProto:
    """A network whose float32 weights are the mean of two of one architecture, not packed.

    Raises:
        ModelError: they are not of one architecture.
    """
    network = onnx.ModelProto()
    network.CopyFrom(one)
    beside = {tensor.name: numpy_helper.to_array(tensor) for tensor in other.graph.initializer}
    shapes = {tensor.name: tuple(tensor.dims) for tensor in one.graph.initializer}
    if {name: value.shape for name, value in beside.items()} != shapes:
        raise ModelError("the mean of two networks: expected two of the same architecture")
    for tensor in network.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            half = (values + beside[tensor.name]) / np.float32(2)
            tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))
    return network


def in_integers(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same network, its products of inputs and weights computed in whole numbers.

    Each product's input becomes 8-bit integers of its own range when it comes, each column of its
    weights 7-bit ones: of 8 bits, two neighbours' sum would overflow on processors without VNNI,
    and a mask depend on the machine.

    Args:
        model: a network with float32 weights.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        onnx.save(model, str(before))
        quantize_dynamic(
            before,
            after,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
        return onnx.load(str(after))


def write_packed(
    program: torch.onnx.ONNXProgram | None,
    path: Path,
    *,
    bits: int,
    integers: bool = False,
    beside: Path | None = None,
) -> str:
    """Write what `torch.onnx.export` gave, its weights packed, and give the file's sha256.

    Args:
        program: what it gave.
        path: the file to write.
        bits: see `pack`.
        integers: whether matrices are multiplied as by `in_integers`.
        beside: a packed file of the same network; the mean of both networks' weights is written.

    Raises:
        RuntimeError: it gave nothing.
        ModelError: the file beside it cannot be read, or is of another network.
        OutputError: the file cannot be written; an earlier one stays.
    """
    if program is None:
        raise RuntimeError("torch.onnx.export gave no program")
    model = program.model_proto
    if beside is not None:
        model = mean(model, unpacked(_read(beside)))
    if integers:
        model = in_integers(model)
    data = pack(model, bits=bits).SerializeToString()
    with atomic_path(path) as part:
        part.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> onnx.ModelProto:
    try:
        return onnx.load(str(path))
    except Exception as error:  # protobuf's own among them, which has no types
        raise ModelError(f"{path}: cannot be read as an ONNX file") from error


def _cast(source: str, target: str, kind: int) -> onnx.NodeProto:
    return helper.make_node("Cast", [source], [target], to=kind)


def quantised(values: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Symmetric 8-bit integers and their scale along the axis that loses least.

    Returns:
        int8 of the same shape, and float32 scales of a shape that multiplies it.
    """
    best: tuple[float, NDArray[np.int8], NDArray[np.float32]] | None = None
    for axis in range(min(2, values.ndim)):
        others = tuple(other for other in range(values.ndim) if other != axis)
        scale = np.maximum(np.abs(values).max(others, keepdims=True) / 127, 1e-12)
        scale = scale.astype(np.float32)
        whole = np.rint(values / scale).astype(np.int8)
        lost = float(np.square(whole * scale - values).sum())
        if best is None or lost < best[0]:
            best = lost, whole, scale
    if best is None:
        raise ValueError("a scalar has no axis to scale along")
    return best[1], best[2]
