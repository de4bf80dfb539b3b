"""Packed weights take less room and change the network's answers little."""

import errno
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="training needs the extra edgewise[train]")

import onnxruntime
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from edgewise.errors import ModelError, OutputError
from edgewise.training.pack import in_integers, mean, pack, quantised, unpacked, write_packed

WIDTH = 32


def _model():
    """A convolution, a bias, a long vector of factors, and rows gathered by whole numbers."""
    random = np.random.default_rng(0)
    weights = {
        "kernel": random.normal(0, 0.1, (WIDTH, 3, 3, 3)).astype(np.float32),
        "bias": random.normal(0, 0.1, WIDTH).astype(np.float32),
        "factors": random.normal(1, 0.1, 600).astype(np.float32),
        "order": random.permutation(600).astype(np.int64),
        "shape": np.array([1, WIDTH, 600], np.int64),
    }
    nodes = [
        helper.make_node("Conv", ["x", "kernel", "bias"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["a", "shape"], ["b"]),
        helper.make_node("Mul", ["b", "factors"], ["c"]),
        helper.make_node("Gather", ["c", "order"], ["y"], axis=2),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 20, 30])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, WIDTH, 600])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_notes_of_the_machine_that_exported_are_left_out():
    model = _model()
    for part in (model, model.graph, model.graph.node[0], model.graph.input[0]):
        part.doc_string = "of /home/me/model.py"
        part.metadata_props.add(key="trace", value='File "/home/me/model.py", line 3')
    assert b"/home/me" in model.SerializeToString()
    assert b"/home/me" not in pack(model, bits=8).SerializeToString()


def _answer(model):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    x = np.random.default_rng(1).normal(0, 1, (1, 3, 20, 30)).astype(np.float32)
    return session.run(None, {"x": x})[0]


@pytest.mark.parametrize(("bits", "error", "share"), [(16, 1e-3, 0.6), (8, 1e-2, 0.5)])
def test_a_packed_network_is_smaller_and_answers_nearly_as_before(bits, error, share):
    model = _model()
    packed = pack(model, bits=bits)
    onnx.checker.check_model(packed)
    assert packed.ByteSize() < share * model.ByteSize()
    expected, found = _answer(model), _answer(packed)
    assert 0 < np.abs(found - expected).max() < error * np.abs(expected).max()


def _product():
    """A network that multiplies rows with a matrix, and the matrix."""
    matrix = np.random.default_rng(0).normal(0, 0.1, (64, 48)).astype(np.float32)
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "matrix"], ["y"])],
        "product",
        [value("x", TensorProto.FLOAT, [None, 64])],
        [value("y", TensorProto.FLOAT, [None, 48])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    return model, matrix


def test_products_in_whole_numbers_are_nearly_the_same():
    model, matrix = _product()
    session = onnxruntime.InferenceSession(
        pack(in_integers(model), bits=8).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rows = np.random.default_rng(1).normal(0, 1, (20, 64)).astype(np.float32)
    (found,), expected = session.run(None, {"x": rows}), rows @ matrix
    assert 0 < np.abs(found - expected).max() < 0.03 * np.abs(expected).max()


def test_two_products_fit_into_16_bits():
    """Where a processor sums them in so many; those of this machine may not show it."""
    values = [numpy_helper.to_array(one) for one in in_integers(_product()[0]).graph.initializer]
    (whole,) = (value for value in values if value.dtype == np.int8 and value.size > 48)
    assert 2 * 255 * np.abs(whole.astype(int)).max() < 2**15


def test_small_tensors_and_the_model_that_was_given_stay_as_they_are():
    model = _model()
    before = model.SerializeToString()
    packed = {tensor.name: tensor for tensor in pack(model, bits=8).graph.initializer}
    assert model.SerializeToString() == before
    own = {tensor.name: tensor for tensor in model.graph.initializer}
    for name in ("bias", "shape"):
        assert packed[name] == own[name]
    assert not {"kernel", "factors", "order"} & packed.keys()


@pytest.mark.parametrize("bits", [16, 8])
def test_unpacked_it_is_what_was_packed_but_for_the_rounding(bits):
    model, packed = _model(), pack(_model(), bits=bits)
    found = unpacked(packed)
    onnx.checker.check_model(found)
    assert [node.op_type for node in found.graph.node] == [n.op_type for n in model.graph.node]
    assert {t.name: tuple(t.dims) for t in found.graph.initializer} == {
        t.name: tuple(t.dims) for t in model.graph.initializer
    }
    assert np.array_equal(_answer(found), _answer(packed))


def test_the_mean_of_two_networks_has_the_mean_of_their_weights():
    one, other = _model(), _model()
    for tensor in other.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32:
            tensor.CopyFrom(numpy_helper.from_array(3 * values, tensor.name))
    own, found = (
        {tensor.name: numpy_helper.to_array(tensor) for tensor in network.graph.initializer}
        for network in (one, mean(one, other))
    )
    for name, values in own.items():
        expected = 2 * values if values.dtype == np.float32 else values
        assert np.allclose(found[name], expected, atol=1e-7)


def test_networks_of_two_kinds_have_no_mean():
    with pytest.raises(ModelError, match="same architecture"):
        mean(_model(), _product()[0])


def test_a_file_beside_that_is_none_is_refused(tmp_path):
    (tmp_path / "prompt.onnx").write_bytes(b"no")
    program = SimpleNamespace(model_proto=_model())
    with pytest.raises(ModelError, match="cannot be read"):
        write_packed(program, tmp_path / "out.onnx", bits=8, beside=tmp_path / "prompt.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_the_mean_with_a_packed_file_is_written(tmp_path):
    program = SimpleNamespace(model_proto=_model())
    write_packed(program, tmp_path / "a.onnx", bits=8)
    write_packed(program, tmp_path / "b.onnx", bits=8, beside=tmp_path / "a.onnx")
    found = _answer(onnx.load(str(tmp_path / "b.onnx")))
    assert np.abs(found - _answer(_model())).max() < 0.02 * np.abs(found).max()


@given(seed=st.integers(0, 1000), rows=st.integers(1, 5), columns=st.integers(1, 7))
def test_a_rounded_weight_is_off_by_half_a_step_at_most(seed, rows, columns):
    """Where rows differ much in size, each has a scale of its own."""
    random = np.random.default_rng(seed)
    values = (
        random.normal(0, 1, (rows, columns)) * 10.0 ** random.integers(-3, 3, (rows, 1))
    ).astype(np.float32)
    whole, scale = quantised(values)
    assert whole.dtype == np.int8
    assert (np.abs(whole * scale - values) <= scale * 0.501).all()


def test_a_scalar_cannot_be_packed():
    with pytest.raises(ValueError, match="no axis"):
        quantised(np.float32(1) * np.ones((), np.float32))


def test_a_file_that_cannot_be_written_whole_leaves_the_earlier_one(tmp_path, monkeypatch):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"the weights that ship")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        write_packed(SimpleNamespace(model_proto=_model()), path, bits=16)
    assert path.read_bytes() == b"the weights that ship"
    assert list(tmp_path.iterdir()) == [path]
