"""Work on several cores at a time."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def mapped(
    function: Callable[[Item], Result], items: Iterable[Item], threads: int
) -> Iterator[Result]:
    """As `map`, and in its order, with so many calls at a time.

    OpenCV and the networks let go of the interpreter while they work, so that threads suffice.
    """
    if threads == 1:
        return map(function, items)
    pool = ThreadPoolExecutor(threads)
    try:
        return pool.map(function, items)
    finally:
        pool.shutdown(wait=False)  # its threads end once all is done
