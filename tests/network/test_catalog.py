"""The catalog tells the truth about the weights in the package."""

import dataclasses

import pytest

from edgewise.errors import ModelError
from edgewise.network.catalog import DEFAULT, PROPOSAL, find, models

LARGEST = 20_000_000


def test_the_first_model_is_the_default():
    assert next(iter(models())) == DEFAULT


@pytest.mark.parametrize("name", models())
def test_each_file_is_as_the_catalog_says(name):
    model = models()[name]
    model.verify()
    assert model.path.stat().st_size == model.bytes
    assert model.licence
    assert model.about
    # The exporter's own notes name files of the machine that it ran on.
    assert b'File "' not in model.path.read_bytes()


def test_what_runs_by_default_is_small_enough_to_ship():
    assert sum(row.bytes for row in models().values()) <= LARGEST


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(ModelError, match=r"no model 'nosuch'; there is: default"):
        find("nosuch")


@pytest.mark.parametrize(
    ("name", "role", "message"),
    [
        (PROPOSAL, "refinement", "model 'proposal' is a proposal network; there is: default"),
        (DEFAULT, "proposal", "model 'default' is a refinement network; there is: proposal"),
    ],
)
def test_a_network_is_not_taken_for_what_it_is_not(name, role, message):
    with pytest.raises(ModelError, match=message):
        find(name, role=role)


def test_a_damaged_file_is_told_by_its_checksum():
    wrong = dataclasses.replace(find(DEFAULT), sha256="0" * 64)
    with pytest.raises(ModelError, match="has sha256"):
        wrong.verify()


def test_a_missing_file_is_told():
    gone = dataclasses.replace(find(DEFAULT), file="gone.onnx")
    with pytest.raises(ModelError, match="is missing; reinstall"):
        gone.verify()
