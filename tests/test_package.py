"""The package as a whole: what it exports, and what importing it costs."""

import subprocess
import sys

import pytest

import edgewise


def _modules_after(statement):
    code = f"import sys; {statement}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    heavy = {"numpy", "cv2", "onnxruntime", "torch", "PIL", "typer"}
    assert not heavy & _modules_after("import edgewise")


def test_refining_never_loads_torch():
    assert "torch" not in _modules_after("import edgewise; edgewise.Refiner()")


@pytest.mark.parametrize("name", edgewise.__all__)
def test_every_public_name_is_there(name):
    assert getattr(edgewise, name) is not None
    assert name in dir(edgewise)


def test_a_misspelt_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'refien'"):
        edgewise.refien  # noqa: B018
