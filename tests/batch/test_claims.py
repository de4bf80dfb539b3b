"""No job writes what another reads or writes, however the files are called."""

import pytest

from edgewise.batch import Job, check
from edgewise.errors import InputError


def test_jobs_of_different_files_are_counted():
    assert check(Job("a.jpg", f"m{n}.png", f"o{n}.png") for n in range(5)) == 5


@pytest.mark.parametrize(
    ("jobs", "message"),
    [
        ([("a.png", "b.png", "a.png")], "the output a.png is the job's own photo"),
        ([("a.png", "b.png", "./x/../b.png")], "is the job's own mask"),
        (
            [("a.jpg", "a.png", "o.png"), ("b.jpg", "b.png", "o.png")],
            "row 1: o.png is written here, and written by row 0",
        ),
        (
            [("a.jpg", "a.png", "o.png"), ("o.png", "b.png", "p.png")],
            "row 1: o.png is read here, and written by row 0",
        ),
        (
            [("a.jpg", "a.png", "o.png"), ("b.jpg", "b.png", "a.png")],
            "row 1: a.png is written here, and read by row 0",
        ),
        ([("s3://x/a.png", "b.png", "s3://x/a.png")], "is the job's own photo"),
        ([("s3a://x/a.png", "b.png", "s3://x/a.png")], "is the job's own photo"),
        ([("gs://x/a.png", "b.png", "gcs://x/a.png")], "is the job's own photo"),
        ([("file:///a.png", "b.png", "local:///a.png")], "is the job's own photo"),
    ],
)
def test_a_job_in_anothers_way_is_refused(tmp_path, monkeypatch, jobs, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    rows = [Job(*files, source=f"row {at}") for at, files in enumerate(jobs)]
    with pytest.raises(InputError, match=message):
        check(rows)


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_link_to_the_photo_is_the_photo(tmp_path, link):
    (tmp_path / "photo.png").write_text("x")
    getattr(tmp_path / "out.png", link)(tmp_path / "photo.png")
    job = Job(str(tmp_path / "photo.png"), "m.png", str(tmp_path / "out.png"))
    with pytest.raises(InputError, match="own photo"):
        check([job])


def test_a_linked_folder_is_the_folder(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    jobs = [Job("a.jpg", "a.png", f"{tmp_path}/{name}/o.png") for name in ("real", "linked")]
    with pytest.raises(InputError, match="written by"):
        check(jobs)


def test_a_folder_that_is_linked_anew_is_followed_anew(tmp_path):
    linked = tmp_path / "linked"
    jobs = [Job("a.jpg", "a.png", f"{tmp_path}/{name}/o.png") for name in ("linked", "other")]
    linked.symlink_to(tmp_path / "real")
    assert check(jobs) == 2
    linked.unlink()
    linked.symlink_to(tmp_path / "other")
    with pytest.raises(InputError, match="written by"):
        check(jobs)
