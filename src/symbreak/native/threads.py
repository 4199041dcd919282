"""How many threads the compiled core takes."""

from __future__ import annotations

import multiprocessing
import os
from functools import cache


@cache
def n_threads() -> int:
    """Return OMP_NUM_THREADS, or else the number of processors that this process may use.

    One in the worker processes of joblib and multiprocessing, which share the processors already.
    It is found once in each process.
    """
    if multiprocessing.current_process().name != "MainProcess":
        return 1
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if told.isdigit() and int(told) > 0:
        return int(told)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=n_threads.cache_clear)
