"""Work on several cores."""

import threading

import pytest

from edgewise.passes.threads import mapped


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_the_order_of_the_items(threads):
    assert list(mapped(lambda item: item * item, range(20), threads)) == [n * n for n in range(20)]


def test_calls_run_at_the_same_time():
    together = threading.Barrier(2)  # which one thread alone would wait at for ever

    assert len(list(mapped(lambda _: together.wait(timeout=60), range(2), 2))) == 2


def test_an_error_in_a_call_reaches_the_caller():
    def fail(item):
        raise ValueError(item)

    with pytest.raises(ValueError, match="7"):
        list(mapped(fail, [7], 2))
