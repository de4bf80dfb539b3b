"""Folders: a job for each photo, with the mask of its stem."""

from dataclasses import replace
from pathlib import Path, PurePath

import pytest

from edgewise.batch import Folders
from edgewise.errors import InputError


@pytest.fixture
def folders(tmp_path):
    for name in ("p/a.jpg", "p/b.PNG", "p/.hidden.jpg", "p/notes.txt", "m/a.Png", "m/b.TIF"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    return Folders(str(tmp_path / "p"), str(tmp_path / "m"), str(tmp_path / "o"))


def test_photos_find_the_masks_of_their_stems(folders, tmp_path):
    found = {(job.photo, job.mask, job.output) for job in folders}
    assert found == {
        (f"{tmp_path}/p/a.jpg", f"{tmp_path}/m/a.Png", f"{tmp_path}/o/a.png"),
        (f"{tmp_path}/p/b.PNG", f"{tmp_path}/m/b.TIF", f"{tmp_path}/o/b.png"),
    }


def test_a_photo_without_mask_is_a_job_that_names_the_mask_it_lacks(folders, tmp_path):
    (tmp_path / "m/a.Png").unlink()
    assert f"{tmp_path}/m/a.png" in {job.mask for job in folders}


def test_a_photo_whose_link_leads_nowhere_is_a_job_that_fails_and_a_folder_is_none(
    folders, tmp_path
):
    (tmp_path / "p/c.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (tmp_path / "p/d.jpg").mkdir()
    assert {PurePath(job.photo).name for job in folders} == {"a.jpg", "b.PNG", "c.jpg"}


def test_two_masks_of_one_stem_are_refused(folders, tmp_path):
    (tmp_path / "m/a.bmp").write_text("")
    with pytest.raises(InputError, match=r"m: two masks of one stem: a\.\w+, a\.\w+"):
        list(folders)


@pytest.mark.parametrize("missing", ["photos", "masks"])
def test_a_folder_that_is_none_is_named(folders, missing):
    with pytest.raises(InputError, match="none: cannot be listed"):
        list(replace(folders, **{missing: "none"}))


def test_a_stem_as_long_as_names_may_be_finds_its_mask(folders, tmp_path):
    name = "x" * 251 + ".jpg"
    for part in "pm":
        (tmp_path / part / name).write_text("")
    assert f"{tmp_path}/m/{name}" in {job.mask for job in folders}


@pytest.mark.parametrize("part", ["photos", "masks"])
@pytest.mark.parametrize(
    "spelling", ["{}", "{}/", "{}/../{}/.", "file://{}", "local://{}", "linked"]
)
def test_an_output_folder_whose_results_the_next_run_would_read_is_refused(
    folders, tmp_path, part, spelling
):
    own = getattr(folders, part)
    output = spelling.format(own, PurePath(own).name)
    if spelling == "linked":
        output = str(tmp_path / "linked")
        Path(output).symlink_to(own)
    with pytest.raises(InputError, match=f"output .*: is the folder of {part}; give another"):
        next(iter(replace(folders, output=output)))


def test_a_bucket_is_no_output_folder_of_its_photos():
    with pytest.raises(InputError, match="output s3://shop/p/: is the folder of photos"):
        next(iter(Folders("s3://shop/p", "s3://shop/m", "s3://shop/p/")))
