"""`edgewise demo` and `edgewise models` do what the README says."""

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from edgewise import __version__
from edgewise.cli import build
from edgewise.demo import NAMES, before_after, pairs
from edgewise.errors import ModelError
from edgewise.network.catalog import models


def test_the_demo_writes_a_mask_and_a_picture_a_photo(tmp_path):
    result = CliRunner().invoke(build(), ["demo", "-o", str(tmp_path / "new")])
    assert result.exit_code == 0, result.output
    for name in NAMES:
        with Image.open(tmp_path / "new" / f"{name}_refined.png") as mask:
            assert mask.mode == "1"
        assert (tmp_path / "new" / f"{name}_before_after.png").exists()
        assert name in result.output


def test_each_demo_photo_has_a_mask_of_its_size():
    for pair in pairs():
        with Image.open(pair.photo) as photo, Image.open(pair.coarse) as mask:
            assert photo.size == mask.size


def test_before_and_after_lie_side_by_side():
    photo = np.zeros((20, 30, 3), np.uint8)
    mask = np.zeros((20, 30), bool)
    mask[5:15, 5:15] = True
    assert before_after(photo, mask, mask).shape == (20, 68, 3)


def test_models_lists_and_verifies_the_networks_and_says_which_one_is_chosen():
    result = CliRunner().invoke(build(), ["models", "--verify"])
    assert result.exit_code == 0
    assert "default" in result.output
    assert result.output.count("verified") == len(models())
    choices = [model for model in models().values() if model.role == "refinement"]
    assert result.output.count("chosen by --model") == len(choices)
    assert "proposal" in result.output


def test_the_proposal_network_is_no_choice_of_model(tmp_path):
    pair = pairs()[0]
    files = [str(pair.photo), str(pair.coarse), "-o", str(tmp_path / "out.png")]
    result = CliRunner().invoke(build(), ["refine", *files, "--model", "proposal"])
    assert isinstance(result.exception, ModelError)
    assert "'proposal' is a proposal network; there is: default" in str(result.exception)


def test_the_version_is_printed():
    assert CliRunner().invoke(build(), ["--version"]).output == f"edgewise {__version__}\n"
