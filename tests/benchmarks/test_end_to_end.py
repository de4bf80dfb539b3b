"""The whole way in miniature, for each dataset and network: fetch, verify, inputs, run, table."""

import csv
import io
import json
from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edgewise.benchmarks import catalog, voc
from edgewise.cli.benchmark import app
from edgewise.demo import pairs
from edgewise.images import read_photo
from edgewise.masks import write_mask
from edgewise.metrics import mba, mba_classes
from edgewise.scenes.folders import parts, read_coarse_part, write_split
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
    monkeypatch.setattr("edgewise.engines.NetworkEngine", lambda **_: engines.Moves())
    monkeypatch.setattr("edgewise.benchmarks.scene_run.SceneEngine", MovesLabels)
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


def shrunk(number, size=miniature.SIZE):
    """A photo that ships with the package, at the miniatures' size."""
    height, width = size
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


def lines_of(text):
    """The lines of a Markdown table by method and source."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {(line[0], line[1]): line[2:] for line in lines}


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
    found = lines_of(text)
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


# Scenes

SCENE = (80, 120)  # height, width: pieces of 32x32 and less are not split off
WRITTEN = {"refinenet": [3, 13], "encnet": [2, 12, 0], "pspnet": [3, 13, 150]}
"""Labels that the networks write: EncNet counts classes from 0, the others from 1."""

SCENE_FOLDERS = {"refinenet": "RefineNet", "pspnet": "PSPNet", "encnet": "EncNet"}
SPLIT = "1DkJeU2yC3K-V0x58Gk2oDew2JjuzYEw9"
MERGED = "1YF2ly1c2HiZs0-4eEGHPDwKTW7Rylk3l"


@dataclass(frozen=True)
class MovesLabels:
    """Moves label maps one column to the right."""

    network: object

    def __call__(self):
        return lambda photo, labels: np.roll(labels, 1, axis=1)

    def describe(self):
        return {"engine": "moves"}


def true_scene():
    labels = np.where(miniature.disc(SCENE), 13, 3).astype(np.uint8)
    labels[:2] = 0
    return labels


def put_scenes(folder):
    for number, name in enumerate(miniature.ADE_NAMES):
        miniature.save(shrunk(number, SCENE), folder / "images" / "validation" / f"{name}.jpg")
        miniature.save(true_scene(), folder / "annotations" / "validation" / f"{name}.png")


def scene_maps(network):
    """What the network writes for each scene, at its own size."""
    return {
        name: native.blocks(WRITTEN[network], shape=(40, 60), seed=seed)
        for seed, name in enumerate(miniature.ADE_NAMES)
    }


def coarse_scenes(network):
    shift = int(network == "encnet")
    return {
        name: native.nearest(labels, SCENE) + shift for name, labels in scene_maps(network).items()
    }


def scene_scores(maps):
    """mIoU over 150 classes pooled over scenes, and mean mBA."""
    truth = true_scene().astype(int)
    seen = truth > 0
    ious = []
    for label in range(1, 151):
        shared = sum((seen & (one == label) & (truth == label)).sum() for one in maps)
        either = sum((seen & ((one == label) | (truth == label))).sum() for one in maps)
        ious.append(shared / (either + 1e-6))
    return np.mean(ious), np.mean([mba_classes(one, truth) for one in maps])


def put_pieces(host, network, folder):
    """Published pieces in Drive's folders, and refined ones that moved nothing."""
    scenes, refined = folder / "scenes", folder / "refined"
    for made in (folder / "split", refined):
        made.mkdir(parents=True)
    put_scenes(scenes)
    for name, labels in coarse_scenes(network).items():
        coarse = miniature.save(labels.astype(np.uint8), folder / "coarse" / f"{name}.png")
        photo = scenes / "images" / "validation" / f"{name}.jpg"
        truth = scenes / "annotations" / "validation" / f"{name}.png"
        write_split(name, (photo, coarse, truth), folder / "split")
    for names in parts(folder / "split").values():
        for piece in names:
            mask, box = read_coarse_part(folder / "split", piece)
            write_mask(refined / f"{piece}_mask.png", mask[box.slices], soft=True)
    for link, made in ((SPLIT, folder / "split"), (MERGED, refined)):
        host.folders[link] = [("file", made.name, f"{SCENE_FOLDERS[network]}.zip")]
        host.files[made.name] = File(miniature.zipped(made))


@pytest.mark.parametrize("network", SCENE_FOLDERS)
def test_from_the_published_links_to_the_table_of_scenes(run, host, tmp_path, monkeypatch, network):
    link = f"{host.url}/plain/ADE.zip"
    rows = {**catalog.rows(), "ade20k": replace(miniature.small("ade20k"), links=(link,))}
    monkeypatch.setattr(catalog, "rows", lambda: rows)
    put_scenes(tmp_path / "made")
    host.files["ADE.zip"] = File(miniature.zipped(tmp_path / "made", "ADEChallengeData2016/"))
    put_pieces(host, network, tmp_path / "published")
    for name, labels in scene_maps(network).items():
        if network == "refinenet":
            native.write_mat(tmp_path / "native" / f"{name}.mat", labels.astype(np.uint8))
        else:
            native.write_grey(tmp_path / "native" / f"{name}.png", labels)

    names = ["ade20k", f"ade20k-{network}-split", f"ade20k-{network}-refined"]
    assert run("fetch", *names, "--drive-url", host.url)[0] == 0
    code, text = run("verify", *names)
    assert code == 0, text
    assert run("inputs", "ade20k", "--from", network, "--path", tmp_path / "native")[0] == 0
    assert run("verify", f"ade20k-{network}")[0] == 0
    code, text = run("run", "ade20k", "--inputs", network, "--json", "all.json")
    assert code == 0, text

    maps = list(coarse_scenes(network).values())
    column = list(SCENE_FOLDERS).index(network)
    found = {key: line[column] for key, line in lines_of(text).items()}
    assert found["coarse", "measured here"] == shown(scene_scores(maps))
    moved = [np.roll(one, 1, axis=1) for one in maps]
    assert found["edgewise", "measured here"] == shown(scene_scores(moved))
    assert found["CascadePSP", "measured here"] == shown(scene_scores(maps))
    assert "mIoU is 43.83" in text
    assert " scenes (" not in text  # nothing is missing
    kept = tmp_path / "edgewise-benchmark" / f"ade20k-{network}"
    assert len(list(kept.glob("*.png"))) == 2


def test_every_pair_of_the_page_goes_the_whole_way():
    published = {
        (row.dataset, row.network) for row in catalog.rows().values() if row.role == "inputs"
    }
    assert published == {*BINARY, *(("ade20k", network) for network in SCENE_FOLDERS)}
    assert (len(BINARY), len(SCENE_FOLDERS)) == (8, 3)
