"""How many threads the compiled core takes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from functools import cache


class _Mine(threading.local):
    callers = 1


_mine = _Mine()


def n_threads() -> int:
    """Return OMP_NUM_THREADS, or else the number of processors that this process may use.

    A thread that shares them with other callers of the core has its part of it, and one at least.
    In the worker processes of joblib and multiprocessing, which share the processors already, it
    is one.
    """
    return max(1, _of_process() // _mine.callers)


def share(callers: int) -> None:
    """Let this thread be one of so many that call the core side by side."""
    _mine.callers = callers


@cache
def _of_process() -> int:
    if multiprocessing.current_process().name != "MainProcess":
        return 1
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if told.isdigit() and int(told) > 0:
        return int(told)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_of_process.cache_clear)
