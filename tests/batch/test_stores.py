"""Stores: the same jobs from a bucket and from a web server, here both on this machine."""

import threading
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

pytest.importorskip("fsspec", reason="URLs take the extra batch")
moto_server = pytest.importorskip("moto.server", reason="the S3 server comes with moto")

from edgewise.batch import Folders, Job, Manifest, run
from edgewise.batch.stores import StoreError, fetched, stored, version
from edgewise.errors import DependencyError, InputError, OutputError
from tests.batch.fakes import FakeOpener, Here, contents, photo_of, write_pairs

pytestmark = [
    # aiobotocore and aiohttp leave their connections to the end of the process
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def bucket():
    """An S3 server's bucket, as an fsspec file system."""
    server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        import s3fs

        system = s3fs.S3FileSystem()
        system.mkdir("shop")
        yield system
    server.stop()


@pytest.fixture
def stocked(bucket, tmp_path):
    """Three photos and masks in the bucket, and the local jobs that they come from."""
    jobs = write_pairs(tmp_path, 3)
    for path in bucket.find("shop"):
        bucket.rm_file(path)
    for part in ("photos", "masks"):
        bucket.put(str(tmp_path / part), "shop/", recursive=True)
    bucket.invalidate_cache()
    return jobs


def statuses(jobs, ledger):
    results = run(jobs, engine=Here(), opener=FakeOpener(), ledger=ledger)
    return Counter(result.status for result in results)


def test_a_bucket_gives_and_takes_what_a_folder_does(bucket, stocked, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    there = Folders("s3://shop/photos", "s3://shop/masks", "s3://shop/refined")
    assert statuses(there, ledger) == {"done": 3}
    assert statuses(stocked, None) == {"done": 3}
    bucket.invalidate_cache()
    made = {Path(path).name: bucket.cat_file(path) for path in bucket.find("shop/refined")}
    assert made == contents(tmp_path / "refined")
    assert statuses(there, ledger) == {"current": 3}
    bucket.rm_file("shop/refined/p000.png")
    photo_of(9).save(tmp_path / "new.png")
    bucket.put_file(str(tmp_path / "new.png"), "shop/photos/p001.png")
    bucket.invalidate_cache()
    assert statuses(there, ledger) == {"done": 2, "current": 1}


def test_a_manifest_in_a_bucket_mixes_bucket_and_disk(bucket, stocked, tmp_path):
    rows = ["photo,mask,output", f"photos/p000.png,{stocked[0].mask},refined/x.png"]
    bucket.pipe_file("shop/jobs.csv", "\n".join(rows).encode())
    (job,) = Manifest("s3://shop/jobs.csv")
    assert job.photo == "s3://shop/photos/p000.png"
    assert statuses([job], None) == {"done": 1}
    bucket.invalidate_cache()
    assert bucket.exists("shop/refined/x.png")


def test_what_a_bucket_lacks_is_named(stocked, tmp_path):
    job = Job("s3://shop/photos/none.png", stocked[0].mask, str(tmp_path / "o.png"))
    (result,) = run([job], engine=Here(), opener=FakeOpener())
    assert result.error == "s3://shop/photos/none.png: there is no such file"


def test_a_bucket_that_is_not_there_ends_the_run(stocked):
    job = Job(stocked[0].photo, stocked[0].mask, "s3://nobodys/refined/o.png")
    with pytest.raises(OutputError, match=r"s3://nobodys/refined/o\.png: cannot be written"):
        list(run([job], engine=Here(), opener=FakeOpener()))


def test_a_checksum_in_a_bucket_is_that_of_the_file(stocked, tmp_path):
    there = version("s3://shop/photos/p002.png", checksum=True)
    assert there == version(stocked[2].photo, checksum=True)


class Host(SimpleHTTPRequestHandler):
    """Serves files; paths with `busy` in them answer 503 to the first three questions."""

    asked: ClassVar[Counter[str]] = Counter()

    def do_GET(self):
        self._unless_busy(super().do_GET)

    def do_HEAD(self):
        self._unless_busy(super().do_HEAD)

    def _unless_busy(self, answer):
        self.asked[self.path] += 1
        if "busy" in self.path and self.asked[self.path] <= 3:
            self.send_error(503)
        else:
            answer()

    def log_message(self, *_):
        pass


@pytest.fixture
def web(tmp_path):
    """A web server of tmp_path, by its address."""
    Host.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Host, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_web_server_gives_what_a_folder_does(web, tmp_path):
    local = write_pairs(tmp_path, 3)
    remote = [
        Job(
            f"{web}/photos/{Path(job.photo).name}",
            f"{web}/masks/{Path(job.mask).name}",
            str(tmp_path / "fetched" / Path(job.output).name),
        )
        for job in local
    ]
    ledger = tmp_path / "ledger.jsonl"
    assert statuses(local, None) == statuses(remote, ledger) == {"done": 3}
    assert contents(tmp_path / "fetched") == contents(tmp_path / "refined")
    assert statuses(remote, ledger) == {"current": 3}


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(web, tmp_path):
    (job,) = write_pairs(tmp_path, 1)
    Path(job.photo).rename(tmp_path / "photos" / "busy.png")
    jobs = [
        Job(f"{web}/photos/busy.png", job.mask, str(tmp_path / "a.png")),
        Job(f"{web}/photos/none.png", job.mask, str(tmp_path / "b.png")),
    ]
    results = {r.job.output: r for r in run(jobs, engine=Here(), opener=FakeOpener())}
    assert results[jobs[0].output].status == "done"
    assert results[jobs[1].output].error == f"{web}/photos/none.png: there is no such file"


def test_a_server_that_is_gone_fails_the_job_alone(web, tmp_path):
    (job,) = write_pairs(tmp_path, 1)
    with pytest.raises(StoreError, match="cannot be read"):
        version("http://127.0.0.1:1/a.png")
    with pytest.raises(StoreError), fetched("http://127.0.0.1:1/a.png"):
        pass
    assert statuses([job], None) == {"done": 1}


def without(name, send):
    """A `send_header` that leaves one header out."""
    return lambda self, header, value: None if header == name else send(self, header, value)


def test_a_server_that_tells_no_versions_is_asked_for_the_files(web, tmp_path, monkeypatch):
    monkeypatch.setattr(Host, "send_header", without("Last-Modified", Host.send_header))
    (tmp_path / "a.png").write_bytes(b"one")
    (tmp_path / "same.png").write_bytes(b"one")
    (tmp_path / "b.png").write_bytes(b"two")
    first, same, other = (version(f"{web}/{name}.png") for name in ("a", "same", "b"))
    assert first == same != other


def test_a_web_server_takes_no_outputs():
    with pytest.raises(InputError, match=r"output 'https://a/o.png': web servers take no files"):
        Job("a.jpg", "a.png", "https://a/o.png")


def test_a_workers_memory_takes_no_outputs():
    with pytest.raises(InputError, match=r"output 'memory://a/o.png': would be gone with its"):
        Job("a.jpg", "a.png", "memory://a/o.png")


def test_rows_are_relative_to_a_table_whose_url_has_a_query(web, tmp_path):
    (tmp_path / "jobs.csv").write_text("photo,mask,output\na.jpg,m/a.png,s3://shop/a.png\n")
    (job,) = Manifest(f"{web}/jobs.csv?signed=x/y")
    assert (job.photo, job.mask) == (f"{web}/a.jpg", f"{web}/m/a.png")


def test_a_store_without_whole_uploads_gets_them_by_a_temporary_name():
    import fsspec

    with stored("memory://shelf/o.png") as path:
        path.write_bytes(b"x")
    system = fsspec.filesystem("memory")
    assert system.find("/shelf") == ["/shelf/o.png"]


@pytest.mark.parametrize(
    ("location", "error", "message"),
    [
        ("nonsense://x/a.png", InputError, "nonsense"),
        ("ftps3://x/a.png", InputError, "ftps3"),
        ("gs://x/a.png", DependencyError, "gcsfs"),
    ],
)
def test_a_store_that_is_not_known_or_not_installed_is_named(location, error, message):
    if message == "gcsfs":
        try:
            import gcsfs  # noqa: F401
        except ImportError:
            pass
        else:
            pytest.skip("gcsfs is installed")
    with pytest.raises(error, match=message):
        version(location)


def test_local_files_need_no_extra(monkeypatch, tmp_path):
    import sys

    (job,) = write_pairs(tmp_path, 1)
    for name in ("fsspec", "fsspec.core", "distributed", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(DependencyError, match=r"pip install 'edgewise\[batch\]'"):
        version("s3://shop/a.png")
    assert statuses([Job(f"file://{job.photo}", job.mask, job.output)], None) == {"done": 1}


@pytest.mark.parametrize("location", ["http://[bad/a.csv", "http://[bad/a.csv?b#c"])
def test_a_url_that_is_none_is_named(location):
    with pytest.raises(StoreError, match=r"http://\[bad/a.csv.*: cannot be read: Invalid"):
        list(Manifest(location))
