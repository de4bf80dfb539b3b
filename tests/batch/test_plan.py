"""Plans: in the jobs' order, and nobody waits for a store that never answers."""

import threading

import pytest

from edgewise.batch import Job
from edgewise.batch.plan import Plan, planned


def jobs(count):
    return [Job("a.jpg", "a.png", f"{number}.png") for number in range(count)]


def test_plans_come_in_the_order_of_their_jobs():
    waiting = threading.Event()

    def planner(job):
        if job.output == "0.png":
            waiting.wait()  # until later ones are done
        elif job.output == "7.png":
            waiting.set()
        return Plan(job, job.output)

    assert [plan.job for plan in planned(jobs(40), planner)] == jobs(40)


def test_what_a_planner_raises_comes_out():
    def planner(job):
        raise ZeroDivisionError(job.output)

    with pytest.raises(ZeroDivisionError, match=r"0\.png"):
        list(planned(jobs(3), planner))


def test_neither_the_end_of_a_run_nor_of_python_waits_for_an_answer():
    answer = threading.Event()
    asked = []

    def planner(job):
        asked.append(threading.current_thread())
        if job.output != "0.png":
            answer.wait()
        return Plan(job, job.output)

    plans = planned(jobs(40), planner)
    assert next(plans).key == "0.png"
    plans.close()
    assert all(thread.daemon for thread in asked)
    answer.set()
    for thread in asked:
        thread.join()
    assert len(asked) < 16  # those that no thread had yet were not asked
