"""Names from annotation files never lead out of a folder."""

import pytest

from edgewise.errors import InputError, OutputError
from edgewise.formats.folders import find_photo, new_folder, stem_of, unique_stems


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


def test_only_new_or_empty_folders_are_written_to(photos):
    assert new_folder(photos.parent / "new" / "deep").is_dir()
    with pytest.raises(OutputError, match="is not empty"):
        new_folder(photos)
    with pytest.raises(OutputError, match="is a file"):
        new_folder(photos / "a.jpg")
