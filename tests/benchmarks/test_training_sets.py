"""Training sets are read from one folder, from folders of their own, and from a folder a class."""

import numpy as np
import pytest

from edgewise.benchmarks.training_sets import SETS, link_for_training, load_training
from edgewise.errors import InputError, OutputError
from tests.benchmarks import miniature


def put(folder, name, truths=None):
    miniature.save(miniature.photo(), folder / f"{name}.jpg")
    miniature.save(miniature.grey(miniature.disc()), (truths or folder) / f"{name}.png")


def test_photos_and_truths_lie_in_one_folder(tmp_path):
    for name in ("b", "a"):
        put(tmp_path, name)
    first, second = load_training("ecssd", tmp_path)
    assert (first.id, second.id) == ("a", "b")
    assert first.photo().shape == (*miniature.SIZE, 3)
    np.testing.assert_array_equal(first.truth(), miniature.disc())
    assert first.truth().dtype == bool


@pytest.mark.parametrize("name", [name for name, row in SETS.items() if not row.has_classes])
def test_or_in_folders_of_their_own(tmp_path, name):
    put(tmp_path / "DUTS-TR-Image", "a", tmp_path / "DUTS-TR-Mask")
    put(tmp_path / "DUTS-TR-Image", "b", tmp_path / "DUTS-TR-Mask")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a.jpg").write_bytes(b"junk")
    (tmp_path / "._a.jpg").write_bytes(b"junk")
    assert [one.id for one in load_training(name, tmp_path)] == ["a", "b"]


def test_fss_1000_has_a_folder_a_class(tmp_path):
    for kind in ("zebra", "abacus"):
        put(tmp_path / "fewshot_data" / kind, "1")
    found = load_training("fss1000", tmp_path)
    assert [(one.kind, one.name, one.id) for one in found] == [
        ("abacus", "1", "abacus_1"),
        ("zebra", "1", "zebra_1"),
    ]
    assert found[1].photo_path.parent.name == "zebra"


def test_files_are_read_when_asked_for(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no photo")
    (tmp_path / "a.png").write_bytes(b"no mask")
    (found,) = load_training("msra10k", tmp_path)
    with pytest.raises(InputError, match=r"a\.jpg"):
        found.photo()


@pytest.mark.parametrize(
    ("name", "files", "words"),
    [
        ("msra", [], "no training set 'msra'; there is: msra10k"),
        ("ecssd", [], "no photo in it"),
        ("ecssd", ["a.jpg"], r"a\.jpg: has no truth a\.png"),
        ("ecssd", ["x/a.jpg", "y/a.jpg"], "have one name"),
        ("fss1000", ["x/1.jpg", "y/1.png"], r"x/1\.jpg: has no truth"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, name, files, words):
    for file in files:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    with pytest.raises(InputError, match=words):
        load_training(name, tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="is not a folder; expected ECSSD unpacked"):
        load_training("ecssd", tmp_path / "none")


def test_links_lie_as_the_training_reads_them(tmp_path):
    put(tmp_path / "have" / "abacus", "1")
    examples = load_training("fss1000", tmp_path / "have")
    for _ in range(2):
        assert link_for_training(examples, tmp_path / "training") == 1
    made = tmp_path / "training" / "fss1000"
    assert sorted(path.name for path in made.iterdir()) == ["abacus_1_gt.png", "abacus_1_im.jpg"]
    assert (made / "abacus_1_im.jpg").read_bytes() == examples[0].photo_path.read_bytes()


def test_links_that_cannot_be_made_are_told(tmp_path):
    put(tmp_path / "have", "a")
    (tmp_path / "training").write_text("a file")
    with pytest.raises(OutputError, match="cannot be written"):
        link_for_training(load_training("ecssd", tmp_path / "have"), tmp_path / "training")
