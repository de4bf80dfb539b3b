"""The package's own engine: what a results file says of it, and that it reaches workers."""

import hashlib
import pickle

import pytest

from edgewise.errors import ModelError
from edgewise.evaluation import NetworkEngine
from edgewise.network.catalog import find


def test_an_engine_is_described_by_its_weights():
    described = NetworkEngine().describe()
    assert described["model"] == "default"
    assert described["sha256"] == find("default").sha256


def test_a_file_of_weights_is_described_by_its_checksum(tmp_path):
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"weights")
    described = NetworkEngine(model=str(path)).describe()
    assert described["model"] == "mine.onnx"
    assert described["sha256"] == hashlib.sha256(b"weights").hexdigest()


@pytest.mark.parametrize("model", ["none", "none.onnx"])
def test_a_model_that_is_missing_is_named(model):
    with pytest.raises(ModelError, match=model):
        NetworkEngine(model=model).describe()


def test_an_engine_that_is_not_open_pickles():
    engine = NetworkEngine(threads=3)
    assert pickle.loads(pickle.dumps(engine)) == engine
