"""Folders: a job for each photo, with the mask of its stem."""

import pytest

from edgewise.batch import Folders
from edgewise.errors import InputError


@pytest.fixture
def folders(tmp_path):
    for name in ("p/a.jpg", "p/b.PNG", "p/.hidden.jpg", "p/notes.txt", "m/a.png", "m/b.TIF"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    return Folders(str(tmp_path / "p"), str(tmp_path / "m"), str(tmp_path / "o"))


def test_photos_find_the_masks_of_their_stems(folders, tmp_path):
    found = {(job.photo, job.mask, job.output) for job in folders}
    assert found == {
        (f"{tmp_path}/p/a.jpg", f"{tmp_path}/m/a.png", f"{tmp_path}/o/a.png"),
        (f"{tmp_path}/p/b.PNG", f"{tmp_path}/m/b.TIF", f"{tmp_path}/o/b.png"),
    }


def test_a_photo_without_mask_is_a_job_that_names_the_mask_it_lacks(folders, tmp_path):
    (tmp_path / "m/a.png").unlink()
    assert f"{tmp_path}/m/a.png" in {job.mask for job in folders}


def test_two_masks_of_one_stem_are_refused(folders, tmp_path):
    (tmp_path / "m/a.bmp").write_text("")
    with pytest.raises(InputError, match=r"two masks of one stem: a\.\w+, a\.\w+"):
        list(folders)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(InputError, match="none: cannot be listed"):
        list(Folders(str(tmp_path / "none"), str(tmp_path), "o"))
