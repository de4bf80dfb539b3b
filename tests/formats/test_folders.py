"""Names from annotation files never lead out of a folder."""

import pytest

from edgewise.errors import InputError, OutputError
from edgewise.formats.folders import (
    find_photo,
    new_folder,
    photo_names,
    stem_of,
    unique_stems,
)


@pytest.fixture
def photos(tmp_path):
    (tmp_path / "photos" / "sub").mkdir(parents=True)
    for name in ("photos/a.jpg", "photos/sub/b.jpg", "secret.jpg"):
        (tmp_path / name).touch()
    return tmp_path / "photos"


def test_photos_are_found_by_path_then_by_name(photos):
    assert find_photo(photos, ["sub/b.jpg"]) == photos / "sub" / "b.jpg"
    assert find_photo(photos, ["train/a.jpg"]) == photos / "a.jpg"
    assert find_photo(photos, ["c.jpg", "a.jpg"]) == photos / "a.jpg"
    assert find_photo(photos, ["b.jpg"]) is None


@pytest.mark.parametrize("name", ["../secret.jpg", "sub/../../secret.jpg", "", ".", "..", "sub"])
def test_names_do_not_leave_the_folder(photos, name):
    assert find_photo(photos, [name]) is None


def test_an_absolute_name_counts_by_its_last_part(photos):
    assert find_photo(photos, [str(photos.parent / "secret.jpg")]) is None
    assert find_photo(photos, ["/elsewhere/a.jpg"]) == photos / "a.jpg"


@pytest.mark.parametrize("name", ["x" * 300 + ".jpg", "a\0.jpg", "\ud83d.jpg"])
def test_a_name_that_no_file_can_have_is_not_found(photos, name):
    assert find_photo(photos, [name]) is None
    assert find_photo(photos, [name, "a.jpg"]) == photos / "a.jpg"


@pytest.mark.parametrize("ending", ["jpg", "JPG", "Jpg", "webp", "TIF"])
def test_photos_are_found_by_their_stem_whatever_their_suffix(photos, ending):
    (photos / "sub" / f"c.{ending}").touch()
    assert find_photo(photos, photo_names("sub/c")) == photos / "sub" / f"c.{ending}"


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.jpg", "a"),
        ("sub/a.b.JPG", "sub/a.b"),
        ("a.v2", "a.v2"),
        ("../../etc/a.png", "a"),
        ("/etc/a.png", "a"),
        ("C:\\a\\b.png", "b"),
        ("sub\\b.png", "sub/b"),
    ],
)
def test_stems_keep_inner_folders_only(name, stem):
    assert stem_of(name) == stem


def test_photos_that_would_share_files_are_refused():
    assert unique_stems(["a.jpg", "sub/a.jpg"]) == ["a", "sub/a"]
    with pytest.raises(InputError, match=r"two photos, a.jpg and a.png, would share files a\.\*"):
        unique_stems(["a.jpg", "a.png"])


@pytest.mark.parametrize("name", ["a\0.jpg", "\ud83d.jpg"])
def test_photos_whose_files_could_not_be_made_are_refused(name):
    with pytest.raises(InputError, match="no file can have this name"):
        unique_stems([name])


def test_only_new_or_empty_folders_are_written_to(photos):
    with new_folder(photos.parent / "new" / "deep") as folder:
        assert folder.is_dir()
    with new_folder(folder):  # it is empty
        pass
    for path, wrong in (
        (photos, "is not empty"),
        (photos / "a.jpg", "is a file"),
        (photos / "a.jpg" / "b", "cannot be written: Not a directory"),
        (photos.parent / "other" / ("x" * 300), "cannot be written: File name too long"),
    ):
        with pytest.raises(OutputError, match=wrong), new_folder(path):
            pass
    assert (photos / "a.jpg").is_file()
    assert not (photos.parent / "other").exists()


@pytest.mark.parametrize("before", [True, False])
def test_a_folder_has_all_or_nothing_and_what_a_killed_run_left_is_no_hindrance(tmp_path, before):
    path = tmp_path / "new"
    killed = (path if before else tmp_path) / ".edgewise-new-0"
    (killed / "labels").mkdir(parents=True)
    (killed / "labels" / "old.json").touch()
    with new_folder(path) as folder:
        (folder / "labels").mkdir()
        (folder / "labels" / "a.txt").touch()
        assert not list(path.glob("[!.]*"))
    assert [file.relative_to(path).as_posix() for file in path.rglob("*.*")] == ["labels/a.txt"]


def test_the_studio_s_work_is_no_leftover(tmp_path):
    """In a folder whose photos were moved away, it is all that is there."""
    journal = tmp_path / ".edgewise-studio" / "a.jsonl"
    journal.parent.mkdir()
    journal.touch()
    with pytest.raises(OutputError, match="is not empty"), new_folder(tmp_path):
        pass
    assert journal.exists()


@pytest.mark.parametrize("before", [True, False])
def test_a_folder_whose_writing_fails_is_as_it_was_before(tmp_path, before):
    path = tmp_path / "new" / "deep"
    if before:
        path.mkdir(parents=True)

    def fill():
        with new_folder(path) as folder:
            (folder / "labels").mkdir()
            (folder / "a.txt").touch()
            (folder / "labels" / ("x" * 300)).touch()

    with pytest.raises(OutputError, match=f"^{path}/labels/x+: cannot be written: File name too"):
        fill()
    assert (tmp_path / "new").exists() == before
    assert not before or list(path.iterdir()) == []
