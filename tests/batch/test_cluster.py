"""On a Dask cluster, here of two processes: the same results, and one bad photo costs itself."""

import gc
import os
import signal
from pathlib import Path

import pytest

distributed = pytest.importorskip("distributed", reason="Dask takes the extra batch")

import dask

from edgewise.batch import Dask, Rules, run
from edgewise.errors import EdgewiseError, InputError, ModelError
from tests.batch.fakes import ODD, STUCK, FakeOpener, contents, write_pair, write_pairs

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def scheduler():
    settings = {"distributed.scheduler.allowed-failures": 0}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
    ):
        yield cluster.scheduler_address


def test_a_cluster_gives_what_processes_give_and_goes_on_after_bad_photos(scheduler, tmp_path):
    jobs = write_pairs(tmp_path, 12)
    jobs[1] = write_pair(tmp_path, "p001", 1, ODD)
    jobs[2] = write_pair(tmp_path, "p002", 2, STUCK)
    ledger = tmp_path / "ledger.jsonl"
    engine = Dask(scheduler=scheduler, timeout=3)
    options = {"engine": engine, "opener": FakeOpener(), "ledger": ledger}
    results = {Path(r.job.output).stem: r for r in run(jobs, rules=Rules(retries=1), **options)}
    failed = {name: result.error for name, result in results.items() if result.status == "failed"}
    assert set(failed) == {"p001", "p002"}
    assert "what an odd photo" in failed["p001"]
    assert "p002.png: hung or killed" in failed["p002"]
    assert len(contents(tmp_path / "refined")) == 10
    statuses = [result.status for result in run(jobs, **options)]
    assert (statuses.count("current"), statuses.count("failed")) == (10, 2)


def test_a_network_that_does_not_open_ends_the_run(scheduler, tmp_path):
    jobs = write_pairs(tmp_path, 2)
    engine = Dask(scheduler=scheduler)
    with pytest.raises(ModelError, match="no such weights"):
        list(run(jobs, engine=engine, opener=FakeOpener(fault="model")))


def test_a_cluster_that_is_not_there_is_named(tmp_path):
    jobs = write_pairs(tmp_path, 1)
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        results = run(jobs, engine=Dask(scheduler="tcp://127.0.0.1:9"), opener=FakeOpener())
        with pytest.raises(InputError, match="no Dask scheduler answers there"):
            list(results)


def test_an_address_that_is_none_is_named_and_leaves_nothing_to_wait_for(tmp_path):
    results = run(write_pairs(tmp_path, 1), engine=Dask(scheduler="none"), opener=FakeOpener())
    with pytest.raises(InputError, match="none: no Dask scheduler answers there") as held:
        list(results)
    # Python would not end while a client is open.
    clients = [one for one in gc.get_objects() if type(one) is distributed.Client]
    assert {one.status for one in clients} <= {"closed"}, held


def test_a_scheduler_that_is_gone_is_named(scheduler, tmp_path, monkeypatch):
    jobs = write_pairs(tmp_path, 1)
    pool = Dask(scheduler=scheduler).open(FakeOpener())
    pool._client.close()
    for ask in (lambda: pool.slots, lambda: pool.submit(jobs[0])):
        with pytest.raises(EdgewiseError, match="is gone"):
            ask()

    def unanswered(_client):
        raise OSError("Timed out")

    monkeypatch.setattr(distributed.Client, "nthreads", unanswered)
    with pytest.raises(EdgewiseError, match="is gone"):
        list(run(jobs, engine=Dask(scheduler=scheduler), opener=FakeOpener()))


def signals_held(dask_worker):
    """What the main thread of a worker's process is told of later, or never, as bits."""
    lines = Path(f"/proc/{os.getpid()}/status").read_text().splitlines()
    return next(int(line.split()[1], 16) for line in lines if line.startswith("SigBlk:"))


def test_workers_of_a_local_cluster_keep_memory_for_the_next_photo_and_hear_no_ctrl_c(monkeypatch):
    monkeypatch.delenv("MALLOC_TRIM_THRESHOLD_", raising=False)  # of a cluster that ran here
    pool = Dask(workers=1).open(FakeOpener())
    try:
        [kept] = pool._client.run(os.getenv, "MALLOC_TRIM_THRESHOLD_").values()
        assert kept is None
        [held] = pool._client.run(signals_held).values()
        assert held >> (signal.SIGINT - 1) & 1
    finally:
        pool.close()
