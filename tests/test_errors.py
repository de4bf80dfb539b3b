"""The exception tree: what can be caught by what, and what survives a process boundary."""

import pickle

import pytest

from edgewise import errors


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.InputError, ValueError),
        (errors.OutputError, OSError),
        (errors.ModelError, Exception),
        (errors.DependencyError, ImportError),
    ],
)
def test_each_error_is_caught_by_the_root_and_by_its_builtin(kind, builtin):
    assert issubclass(kind, errors.EdgewiseError)
    assert issubclass(kind, builtin)


OWN = [kind for kind in errors.EdgewiseError.__subclasses__() if kind.__module__ == errors.__name__]


@pytest.mark.parametrize("kind", OWN)
def test_an_error_from_a_worker_process_keeps_type_and_message(kind):
    copy = pickle.loads(pickle.dumps(kind("mask.png: is empty")))
    assert type(copy) is kind
    assert str(copy) == "mask.png: is empty"


def test_a_missing_extra_names_the_command_that_installs_it():
    error = errors.missing_extra("openvino", "fast")
    assert isinstance(error, ImportError)
    assert str(error) == "openvino is not installed; pip install 'edgewise[fast]'"


def test_what_others_raise_is_told_after_its_name_in_one_line():
    assert errors.told(ValueError("bad\n  luck")) == "ValueError: bad luck"
    assert errors.told(errors.InputError("mask.png: is empty")) == "mask.png: is empty"
