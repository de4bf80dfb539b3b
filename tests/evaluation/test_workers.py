"""Workers: what they give is not held on to."""

import gc
import weakref
from concurrent.futures import Future

from edgewise.evaluation import workers


class Answer:
    """Something that a weak reference can watch."""


def finished(count):
    futures = [Future() for _ in range(count)]
    for future in futures:
        future.set_result(Answer())
    return futures


def test_a_result_that_was_taken_is_let_go():
    results = workers._results(finished(3))
    first = weakref.ref(next(results))
    next(results)
    gc.collect()
    assert first() is None
