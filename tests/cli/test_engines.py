"""`--engine` opens every refiner by name, and says what is missing or does not fit."""

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from edgewise.cli import build
from edgewise.cli.engines import (
    Choices,
    find_engine,
    find_engines,
    for_pieces,
    label,
    with_baselines,
)
from edgewise.engines import FunctionEngine, NetworkEngine
from edgewise.errors import EdgewiseError, InputError
from edgewise.masks import read_mask
from edgewise.reference.engine import ReferenceEngine
from tests.evaluation.folders import disc, write_pair
from tests.fakes import red_on_blue

TRUTH = disc(12)


@pytest.fixture
def files(tmp_path):
    Image.fromarray(red_on_blue(TRUTH)).save(tmp_path / "p.png")
    Image.fromarray(np.roll(TRUTH, 2, 1)).save(tmp_path / "m.png")
    return [tmp_path / "p.png", tmp_path / "m.png", "-o", tmp_path / "out.png"]


def run(*words):
    """Exit status, standard output and standard error; an EdgewiseError counts as `main` does."""
    result = CliRunner().invoke(build(), list(map(str, words)))
    if isinstance(result.exception, EdgewiseError):
        return 2, result.stdout, f"{result.stderr}{result.exception}"
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def test_names_are_engines(tmp_path):
    choices = Choices(threads=3, device="cuda")
    assert find_engine("edgewise", choices) == NetworkEngine(threads=3, device="cuda")
    assert find_engine("grabcut", choices) == FunctionEngine(target="edgewise.baselines:grabcut")
    assert find_engine("a.b:c", choices) == FunctionEngine(target="a.b:c")
    choices = Choices(weights=tmp_path, overview_only=True, device="cuda:1")
    reference = ReferenceEngine(weights=tmp_path, variant="pip", global_only=True, device="cuda:1")
    assert find_engine("cascadepsp-pip", choices) == reference


def test_a_careful_engine_may_stand_beside_others():
    found = find_engines(["edgewise", "guided"], Choices(careful=True))
    assert found["edgewise"] == NetworkEngine(careful=True)


def test_baselines_join_other_engines_once():
    assert with_baselines(["edgewise"]) == ["edgewise", "grabcut", "guided"]
    assert with_baselines(["guided", "a:b"]) == ["guided", "a:b", "grabcut"]


def test_cascadepsp_refines_pieces_of_label_maps_by_its_global_step_at_224(tmp_path):
    engine = for_pieces(ReferenceEngine(weights=tmp_path, variant="pip"))
    expected = ReferenceEngine(weights=tmp_path, variant="pip", side=224, global_only=True)
    assert engine == expected
    other = FunctionEngine(target="a.b:c")
    assert for_pieces(other) is other


@pytest.mark.parametrize(
    ("name", "choices", "words"),
    [
        ("psp", {}, "no engine 'psp'; there is: edgewise, cascadepsp, cascadepsp-pip, grabcut"),
        ("cascadepsp", {}, "takes --weights FILE"),
        ("guided", {"weights": "w"}, "--weights w: goes with --engine cascadepsp"),
        ("guided", {"overview_only": True}, "engine guided has no overview"),
        ("guided", {"careful": True}, "--careful: goes with --engine edgewise"),
    ],
)
def test_what_does_not_fit_is_told(name, choices, words):
    with pytest.raises(InputError, match=words):
        find_engine(name, Choices(**choices))


def test_an_engine_given_twice_is_told():
    with pytest.raises(InputError, match="given twice"):
        find_engines(["guided", "guided"], Choices())


def test_labels_can_name_files_and_differ():
    names = ["edgewise", "cascadepsp", "cascadepsp-pip", "grabcut", "guided", "a.b:c"]
    labels = [label(name) for name in names]
    assert labels == [
        "edgewise",
        "cascadepsp-paper",
        "cascadepsp-pip",
        "grabcut",
        "guided",
        "a.b.c",
    ]
    assert label("a/b:c") == "a.b.c"


@pytest.mark.parametrize("engine", ["grabcut", "edgewise.baselines:grabcut"])
def test_refine_takes_an_engine(files, engine):
    assert run("refine", *files, "--engine", engine)[0] == 0
    mask = read_mask(files[-1]) > 0.5
    assert (mask & TRUTH).sum() / (mask | TRUTH).sum() > 0.9


def test_soft_masks_of_an_engine_are_kept(files):
    assert run("refine", *files, "--engine", "guided", "--soft")[0] == 0
    assert len(np.unique(read_mask(files[-1], soft=True))) > 2


def test_evaluate_takes_an_engine(tmp_path):
    write_pair(tmp_path / "data", "a", coarse=np.roll(disc(12), 2, 1))
    status, out, _ = run("evaluate", tmp_path / "data", "--engine", "grabcut")
    assert status == 0
    assert "after" in out


def test_results_of_one_engine_are_not_gone_on_with_by_another(tmp_path):
    write_pair(tmp_path / "data", "a")
    words = ["evaluate", tmp_path / "data", "--fast", "--results", tmp_path / "r.jsonl"]
    assert run(*words, "--engine", "guided")[0] == 0
    status, _, error = run(*words, "--engine", "grabcut")
    assert status == 2
    assert "is of another run: its engine's engine is" in error


def test_without_torch_the_extra_is_named(files, monkeypatch):
    monkeypatch.setattr("edgewise.reference.engine.find_spec", lambda name: None)
    status, _, error = run("refine", *files, "--engine", "cascadepsp", "--weights", files[0])
    assert status == 2
    assert "pip install 'edgewise[reference]'" in error


def test_cascadepsp_refines_by_its_checkpoint_and_shows_the_checksum(files, tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")
    from edgewise.reference import checkpoint
    from edgewise.reference.network import CascadeNetwork

    monkeypatch.setattr(checkpoint, "WIDTH", 4)
    weights = tmp_path / "model"
    torch.save(CascadeNetwork(4).state_dict(), weights)
    threads = torch.get_num_threads()
    status, _, error = run(
        "refine", *files, "--engine", "cascadepsp", "--weights", weights, "--threads", threads
    )
    assert (status, error) == (0, f"edgewise: {weights}: sha256 {checkpoint.checksum(weights)}\n")
    assert read_mask(files[-1], soft=True).shape == TRUTH.shape


def test_a_wrong_file_is_one_line(files):
    pytest.importorskip("torch", reason="the reference needs the extra edgewise[reference]")
    status, _, error = run("refine", *files, "--engine", "cascadepsp", "--weights", files[0])
    assert status == 2
    assert "p.png: is no checkpoint of PyTorch's" in error
