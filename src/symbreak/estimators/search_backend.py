"""A backend of joblib that runs the fits of a search in order, a few of them at a time.

scikit-learn's searches hand every fit to joblib. One fit at a time runs where the search was
called, several run on threads of this process: the compiled core computes without the lock of
Python, and no data are copied. After Ctrl-C the fits that run are cut, and those that wait raise
before they train.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from functools import partial
from typing import Any

from joblib.parallel import ParallelBackendBase

from symbreak.estimators.interruption import fits_of
from symbreak.estimators.search_progress import SearchProgress
from symbreak.native.threads import share
from symbreak.native.turns import join, turn
from symbreak.optimize.interrupt import DeferredInterrupt

# A wait without an end lets no Ctrl-C through on Windows.
_SECONDS = 0.1
Task = tuple[Callable[[], Any], Callable[[Any], None]]


class SearchBackend(ParallelBackendBase):  # type: ignore[misc]
    """Runs submitted fits.

    Parameters
    ----------
    outer : joblib's backend and number of jobs for what the fits run in parallel themselves.
    n_jobs : fits at a time.
    progress : told what is done.
    takes_turns : the fits, and what scores them, are ours; see `symbreak.native.turns`.
    """

    supports_sharedmem = True
    uses_threads = True

    def __init__(
        self, outer: tuple[Any, Any], n_jobs: int, progress: SearchProgress, *, takes_turns: bool
    ) -> None:
        super().__init__(nesting_level=0)
        self._takes_turns = takes_turns
        self._outer, self._n_jobs, self._progress = outer, n_jobs, progress
        self._interrupt = DeferredInterrupt()
        self._pool: ThreadPoolExecutor | None = None
        self._submitted = 0
        self._is_cut = False

    @property
    def is_interrupted(self) -> bool:
        """Whether Ctrl-C was pressed, or a fit was cut in another way."""
        return self._is_cut or self._interrupt.is_requested

    @is_interrupted.setter
    def is_interrupted(self, is_cut: bool) -> None:
        self._is_cut = is_cut

    @contextmanager
    def running(self) -> Iterator[None]:
        """A context in which tasks are fits of the search, and Ctrl-C ends those alone."""
        with self._interrupt, fits_of(self), self._progress.shown():
            if self._n_jobs > 1:
                self._pool = self._threads()
            try:
                yield
            finally:
                if self._pool is not None:
                    self._pool.shutdown(cancel_futures=True)
                self._pool = None

    def effective_n_jobs(self, n_jobs: int) -> int:  # noqa: ARG002 - joblib's interface
        """Return how many fits run at a time, at least 2: joblib runs tasks itself if it is 1."""
        return max(2, self._n_jobs)

    def submit(self, func: Callable[[], Any], callback: Callable[[Any], None]) -> Task:
        """Take a task; without threads it runs when its result is asked for."""
        self._progress.fit_comes()
        if self._pool is None:
            return func, callback
        self._submitted += 1
        return partial(
            _waited_for, self._pool.submit(copy_context().run, self._run, func)
        ), callback

    def retrieve_result(self, out: Task, timeout: float | None = None) -> Any:  # noqa: ARG002
        """Return the result of a task."""
        run, callback = out
        result = run()
        callback(None)  # joblib counts what is done by these calls
        self._progress.fit_done()
        return result

    def _threads(self) -> ThreadPoolExecutor:
        lock = threading.Lock() if self._takes_turns else None
        return ThreadPoolExecutor(self._n_jobs, initializer=join, initargs=(lock,))

    def _run(self, func: Callable[[], Any]) -> Any:
        share(min(self._n_jobs, self._submitted))
        with turn():
            return func()

    def get_nested_backend(self) -> tuple[Any, Any]:
        """Return the backend for what the fits run in parallel themselves."""
        return self._outer if self._pool is None else super().get_nested_backend()


def _waited_for(future: Future[Any]) -> Any:
    while not wait([future], _SECONDS).done:
        pass
    return future.result()
