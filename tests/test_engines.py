"""The package's own engine: what a results file says of it, and that it reaches workers."""

import hashlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

from edgewise.engines import FunctionEngine, NetworkEngine
from edgewise.errors import EdgewiseError, InputError, ModelError
from edgewise.network.catalog import find
from edgewise.refiner import Settings


def test_an_engine_is_described_by_its_weights():
    described = NetworkEngine().describe()
    assert described["model"] == "default"
    assert described["sha256"] == find("default").sha256
    assert described["proposal_sha256"] == find("proposal", role="proposal").sha256
    assert described["prompt_sha256"] == find("prompt", role="prompt").sha256


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


def _halves(photo, mask):
    return mask / 2


def _wide(photo, mask):
    return np.zeros((3, 3))


def _loud(photo, mask):
    return mask * 255


def _fails(photo, mask):
    raise KeyError("no such\nlayer")


def _leaves(photo, mask):
    sys.exit(3)


class _OnDevice:
    def __array__(self, *_, **__):
        raise TypeError("can't convert a tensor")


def _keeps(photo, mask):
    return _OnDevice()


def _inks(photo, mask):
    photo[:] = 0
    mask[:] = 0
    return mask


def _words(photo, mask):
    return np.full(mask.shape, "mask")


HERE = "tests.test_engines"
PHOTO, MASK = np.zeros((4, 5, 3), np.uint8), np.ones((4, 5), np.float32)


def test_any_function_is_an_engine_and_reaches_workers():
    engine = pickle.loads(pickle.dumps(FunctionEngine(target=f"{HERE}:_halves")))
    soft = engine()(PHOTO, MASK)
    assert soft.dtype == np.float32
    assert (soft == 0.5).all()


def test_a_function_may_work_in_place():
    photo, mask = np.full((4, 5, 3), 9, np.uint8), np.ones((4, 5), np.float32)
    answer = FunctionEngine(target=f"{__name__}:_inks")()(photo, mask)
    assert not answer.any()
    assert (photo == 9).all()
    assert mask.all()


def test_a_function_is_described_by_its_file():
    described = FunctionEngine(target=f"{HERE}:_halves").describe()
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    assert described == {"engine": f"{HERE}:_halves", "sha256": digest}


@pytest.mark.parametrize("name", ["_wide", "_loud", "_words"])
def test_what_is_no_mask_is_told(name):
    with pytest.raises(InputError, match=rf"{name}' gave .*; expected bool, or floats in \[0, 1\]"):
        FunctionEngine(target=f"{HERE}:{name}")()(PHOTO, MASK)


def test_values_out_of_range_are_told():
    with pytest.raises(InputError, match=r"float32 \(4, 5\) from 255 to 255; expected"):
        FunctionEngine(target=f"{HERE}:_loud")()(PHOTO, MASK)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("_fails", r"KeyError: 'no such\\nlayer'"),
        ("_leaves", "SystemExit: 3"),
        ("_keeps", "TypeError: can't convert a tensor"),
    ],
)
def test_what_a_function_raises_is_one_line(name, words):
    with pytest.raises(EdgewiseError, match=f"{name}': {words}"):
        FunctionEngine(target=f"{HERE}:{name}")()(PHOTO, MASK)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("nowhere", "expected package.module:function"),
        ("no.where:it", "no module 'no'"),
        (".x:y", "expected package.module:function"),
        ("json:nothing", "json has no 'nothing'"),
        ("math:pi", "'pi' is no function"),
    ],
)
def test_a_function_that_is_not_there_is_told(target, words):
    with pytest.raises(InputError, match=words):
        FunctionEngine(target=target)()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("def f(:\n", "SyntaxError: "),
        ("from os import nowhere\n", "ImportError: cannot import name 'nowhere'"),
        ("import sys\n\nsys.exit(3)\n", "SystemExit: 3"),
        ("None.x\n", "AttributeError: 'NoneType' object has no attribute 'x'"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(tmp_path, monkeypatch, text, words):
    (tmp_path / "bad_refiner.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=f"bad_refiner cannot be imported: {words}") as caught:
        FunctionEngine(target="bad_refiner:f")()
    assert "\n" not in str(caught.value)


def test_a_function_without_a_file_is_described_by_its_name():
    assert FunctionEngine(target="sys:exit").describe() == {"engine": "sys:exit"}


def test_modules_of_the_working_directory_are_found(tmp_path, monkeypatch):
    (tmp_path / "my_refiner.py").write_text("def refine(photo, mask):\n    return mask > 0.5\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    assert FunctionEngine(target="my_refiner:refine")()(PHOTO, MASK).all()


def test_the_overview_alone_is_another_engine_in_a_results_file():
    assert "overview_only" not in NetworkEngine().describe()
    assert NetworkEngine(overview_only=True).describe()["overview_only"] == "True"


def test_a_careful_engine_is_another_one():
    careful = NetworkEngine(careful=True)
    assert careful.describe()["refiner"] != NetworkEngine().describe()["refiner"]
    assert careful.open().settings.verdict_least > Settings().verdict_least
