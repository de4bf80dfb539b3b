"""The whole way in miniature, for each dataset and network: fetch, verify, inputs, run, table."""

import csv
import io
import json

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edgewise.benchmarks import catalog, voc
from edgewise.cli.benchmark import app
from edgewise.demo import pairs
from edgewise.images import read_photo
from edgewise.metrics import mba
from tests.benchmarks import engines, miniature
from tests.benchmarks.host import File, running
from tests.benchmarks.inputs import native

OBJECTS = {
    "big": {"002_person": 15, "003_tv": 20},
    "pascal": {"2007_000033_01": 1, "2007_000042_19": 19},
}
ARCHIVES = {
    "big": "1cLQvy1giJTSrHV4FGzXgadBgI0zNtIxN",
    "pascal": "1vtkR05TTSQYu6XPrNr88sh3m7UxDazn2",
}
REFINED = {
    "big": "1tqkNan0cwHMFJWfbRbFabvAuTEKphc-8",
    "pascal": "17mxQIV4AMAfwi57MozKljOYR11DKFPej",
}
FOLDERS = {"deeplabv3plus": "DeepLabV3+", "refinenet": "RefineNet", "pspnet": "PSPNet",
           "fcn8s": "FCN-8s"}  # fmt: skip
BINARY = [(dataset, network) for dataset in OBJECTS for network in FOLDERS]
PALETTE = [voc.colour(label) for label in range(256)]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command of `benchmark` on a catalog of miniatures: its status and output."""
    rows = {name: miniature.small(name) for name in catalog.rows()}
    monkeypatch.setattr(catalog, "rows", lambda: rows)
    monkeypatch.setattr("edgewise.evaluation.NetworkEngine", lambda **_: engines.Moves())
    monkeypatch.chdir(tmp_path)

    def run(*words):
        result = CliRunner().invoke(app, [*map(str, words), "--root", "store"])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.output

    return run


@pytest.fixture
def host():
    with running() as served:
        yield served


def shrunk(number):
    """A photo that ships with the package, at the miniatures' size."""
    height, width = miniature.SIZE
    photo = read_photo(pairs()[number].photo)
    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA)


def dataset_archive(dataset, folder):
    """The published archive, of real photos."""
    {"big": miniature.big, "pascal": miniature.pascal}[dataset](folder)
    for number, path in enumerate(sorted(folder.rglob("*_im.*"))):
        miniature.save(shrunk(number), path)
    return miniature.zipped(folder, "published/")


def label_maps(dataset):
    """A native label map for each object: its class, the background and another class."""
    return {
        name: native.blocks([0, label, 7], seed=number)
        for number, (name, label) in enumerate(OBJECTS[dataset].items())
    }


def write_native(dataset, network, folder):
    """The label maps in the form and under the names in which the network leaves them."""
    for name, labels in label_maps(dataset).items():
        if network == "refinenet":
            native.write_mat(folder / f"{name}.mat", labels.astype(np.uint8))
        elif network == "fcn8s":
            folder.mkdir(exist_ok=True)
            np.save(folder / f"{name}.npy", labels[None, None].astype(np.float32))
        elif network == "pspnet":
            native.write_grey(folder / f"{name}.png", labels)
        else:
            stem = name[: -len("_01")] if dataset == "pascal" else name
            native.write_palette(folder / f"{stem}.png", labels, PALETTE)


def put_refined(host, dataset, network):
    """Published refined results in Drive's folders, soft: 129 in the truth, 128 around it."""
    host.folders[REFINED[dataset]] = [("folder", "of-network", FOLDERS[network])]
    host.folders["of-network"] = []
    for name in OBJECTS[dataset]:
        levels = np.where(miniature.disc(), 129, 128).astype(np.uint8)
        data = cv2.imencode(".png", levels)[1].tobytes()
        host.files[f"of-{name}"] = File(data)
        host.folders["of-network"].append(("file", f"of-{name}", f"{name}_mask.png"))


def expected(dataset):
    """Pooled IoU and mean mBA of the coarse masks and of those moved by the engine."""
    truth = miniature.disc()
    coarse = [
        native.selected(labels, OBJECTS[dataset][name], miniature.SIZE)
        for name, labels in label_maps(dataset).items()
    ]
    scores = []
    for masks in (coarse, [engines.moved(mask) for mask in coarse]):
        shared = sum((mask & truth).sum() for mask in masks)
        either = sum((mask | truth).sum() for mask in masks)
        scores.append((shared / either, np.mean([mba(mask, truth) for mask in masks])))
    return scores


def shown(figure):
    return f"{100 * figure[0]:.2f} / {100 * figure[1]:.2f}"


@pytest.mark.parametrize(("dataset", "network"), BINARY)
def test_from_the_published_links_to_the_published_table(run, host, tmp_path, dataset, network):
    inputs, refined = f"{dataset}-{network}", f"{dataset}-{network}-refined"
    host.files[ARCHIVES[dataset]] = File(dataset_archive(dataset, tmp_path / "made"), large=True)
    put_refined(host, dataset, network)
    write_native(dataset, network, tmp_path / "native")

    assert run("fetch", dataset, refined, "--accept-terms", "--drive-url", host.url)[0] == 0
    assert run("verify", dataset, refined)[0] == 0
    assert run("inputs", dataset, "--from", network, "--path", tmp_path / "native")[0] == 0
    assert run("verify", inputs)[0] == 0
    code, text = run("run", dataset, "--inputs", network, "--json", "all.json", "--csv", "all.csv")
    assert code == 0

    coarse, edgewise = expected(dataset)
    found = {
        (line[0], line[1]): line[2:]
        for line in (
            [cell.strip() for cell in row.strip("|").split("|")]
            for row in text.splitlines()
            if row.startswith("|")
        )
    }
    column = list(FOLDERS).index(network)
    assert found["coarse", "measured here"][column] == shown(coarse)
    assert found["edgewise", "measured here"][column] == shown(edgewise)
    assert found["CascadePSP", "measured here"][column] == "100.00 / 100.00"
    assert "CascadePSP, CVPR 2020" in text or "SegRefiner, NeurIPS 2023" in text
    assert " objects (" not in text  # nothing is missing

    kept = tmp_path / "edgewise-benchmark" / inputs
    assert {path.name for path in kept.glob("*.png")} == {
        f"{name}_mask.png" for name in OBJECTS[dataset]
    }
    figures = json.loads((tmp_path / "all.json").read_text())["figures"]
    (own,) = [one for one in figures if one["method"] == "edgewise"]
    assert (own["iou"], own["mba"]) == pytest.approx(edgewise)
    lines = list(csv.DictReader(io.StringIO((tmp_path / "all.csv").read_text())))
    assert len(lines) == len(figures)


def test_the_page_has_eight_pairs_of_one_object_a_photo():
    published = {
        (row.dataset, row.network)
        for row in catalog.rows().values()
        if row.role == "inputs" and row.dataset != "ade20k"
    }
    assert published == set(BINARY)
    assert len(BINARY) == 8
