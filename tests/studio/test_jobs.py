"""The queue serves one job after the other, refuses above its length, and stops what is not
wanted.
"""

import asyncio
import threading
import time

import numpy as np
import pytest

from edgewise.refiner import Refiner
from edgewise.studio.jobs import Job, Jobs, StoppedJob
from edgewise.studio.limits import Limits, RefusedError
from tests.fakes import ColourEngine, NothingProposer, disc, red_on_blue

VIEWS = np.zeros((1, 5, 64, 64), np.uint8)


async def stays():
    return False


async def leaves():
    return True


@pytest.fixture
def jobs():
    made = []

    def make(**limits):
        made.append(Jobs(Refiner(ColourEngine()), Limits(**limits)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_jobs_run_one_at_a_time_and_each_gets_its_own_result(jobs):
    queue, running, most = jobs(), [], []

    def work(number):
        def run(_):
            running.append(number)
            most.append(len(running))
            time.sleep(0.002)
            running.remove(number)
            return number

        return run

    async def all_of():
        return await asyncio.gather(*(queue.run(work(n), gone=stays) for n in range(10)))

    assert asyncio.run(all_of()) == list(range(10))
    assert max(most) == 1
    assert queue.count == 0


def test_a_full_queue_refuses_at_once_and_serves_again_later(jobs):
    queue, go, ended = jobs(waiting=1), threading.Event(), []

    async def crowd():
        first = asyncio.ensure_future(queue.run(lambda _: go.wait(), gone=stays))
        second = asyncio.ensure_future(queue.run(lambda _: 2, gone=stays))
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="limit") as caught:
            await queue.run(lambda _: 3, gone=stays, after=lambda: ended.append(3))
        go.set()
        assert await first
        assert await second == 2
        assert await queue.run(lambda _: 4, gone=stays) == 4
        return caught.value

    refused = asyncio.run(crowd())
    assert refused.status == 503
    assert refused.retry_after >= 1
    assert ended == [3]


def test_a_job_that_takes_too_long_is_given_up_and_ends(jobs):
    queue, ended = jobs(seconds=1), threading.Event()

    def work(job):
        while True:
            job(VIEWS)
            time.sleep(0.01)

    with pytest.raises(RefusedError, match="not done within 1 s") as caught:
        asyncio.run(queue.run(work, gone=stays, after=ended.set))
    assert caught.value.status == 503
    assert ended.wait(10)
    assert queue.count == 0


def test_a_job_whose_client_has_left_ends(jobs):
    queue, ended = jobs(), threading.Event()

    def work(job):
        while True:
            job(VIEWS)
            time.sleep(0.01)

    with pytest.raises(StoppedJob):
        asyncio.run(queue.run(work, gone=leaves, after=ended.set))
    assert ended.wait(10)


def test_a_waiting_job_whose_client_has_left_never_begins(jobs):
    queue, go, begun, ended = jobs(), threading.Event(), [], threading.Event()

    async def two():
        first = asyncio.ensure_future(queue.run(lambda _: go.wait(), gone=stays))
        await asyncio.sleep(0)
        with pytest.raises(StoppedJob):
            await queue.run(begun.append, gone=leaves, after=ended.set)
        go.set()
        await first

    asyncio.run(two())
    assert ended.is_set()
    assert not begun


def test_an_error_of_the_work_comes_back_to_who_asked(jobs):
    queue, ended = jobs(), []

    def work(_):
        raise ValueError("so")

    with pytest.raises(ValueError, match="so"):
        asyncio.run(queue.run(work, gone=stays, after=lambda: ended.append(1)))
    assert ended == [1]


def test_proposals_count_as_runs_and_end_with_their_job():
    mask = disc((120, 120), (60, 60), 40)
    proposer, seen = NothingProposer(), []
    job = Job(Refiner(ColourEngine(), proposer=proposer))
    job.report = seen.append
    job.refiner.refine(red_on_blue(mask), mask)
    assert proposer.runs == 1
    assert seen == list(range(len(seen)))
    job.stop()
    with pytest.raises(StoppedJob):
        job.refiner.refine(red_on_blue(mask), mask)
    assert proposer.runs == 1


def test_a_window_of_a_photo_is_refined_without_proposals():
    mask = disc((120, 120), (60, 60), 40)
    proposer = NothingProposer()
    job = Job(Refiner(ColourEngine(), proposer=proposer))
    job.window_refiner.refine(red_on_blue(mask), mask)
    assert proposer.runs == 0
