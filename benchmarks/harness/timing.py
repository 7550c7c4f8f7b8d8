"""Clocks for benchmarks: processor seconds of this thread, so that other programs on the machine do not count."""

import time
from collections.abc import Callable
from typing import Any


def seconds_of(work: Callable[[], Any], *, at_least_seconds: float = 0.3, repeats: int = 5) -> float:
    """Return the processor seconds of one call: the best of several runs of the work, after one that is not counted.

    Each run repeats the work until it has taken its share of `at_least_seconds`. The best run is the one that
    other programs on the machine disturbed least (the advice of the standard library's `timeit`).
    """
    once = _time(work, 1)
    count = max(1, int(at_least_seconds / repeats / max(once, 1e-9)))
    return min(_time(work, count) for _ in range(repeats)) / count


def _time(work: Callable[[], Any], count: int) -> float:
    begin = time.thread_time()
    for _ in range(count):
        work()
    return time.thread_time() - begin
