"""Fits that pause where they would minimise, so that many of them can train as one stack.

    fit 1  --- minimize? ---.                    .--- outcome --- rest of fit 1
    fit 2  --- minimize? ----> stacks of all ----+--- outcome --- rest of fit 2
    fit 3  --- minimize? ---'                    '--- outcome --- rest of fit 3

Each fit runs in a thread of its own, but only one of them at a time, and the caller waits
meanwhile: threads are places to pause here, not a way to compute in parallel. An estimator's own
`fit` runs unchanged, with all that it does before and after the training.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any

from symbreak.optimize import Outcome
from symbreak.training.joint_training import MinimizeCall, gathered_by

NEVER_TRAINED = "The search was interrupted before this fit was trained."


class SearchInterrupted(RuntimeError):
    """The search was interrupted before this fit was trained."""


class Fit:
    """A task that may call `minimize`, paused at every call.

    Parameters
    ----------
    task : what to run; it takes nothing.

    Attributes
    ----------
    search : the call that waits for its outcome, None before and after.
    is_done : whether the task has ended, with a result or an error.
    seconds_of_others : the time that it waited, less that of its own training.
    """

    def __init__(self, task: Callable[[], Any]) -> None:
        self._task = task
        self._to_fit: SimpleQueue[Outcome | BaseException] = SimpleQueue()
        self._from_fit: SimpleQueue[None] = SimpleQueue()
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.search: MinimizeCall | None = None
        self.is_done = False
        self.seconds_of_others = 0.0

    def begin(self) -> None:
        """Run until the first call of `minimize`, or the end."""
        self._thread.start()
        self._wait()

    def go_on(self, answer: Outcome | BaseException) -> None:
        """Run until the next call of `minimize`, or the end.

        Parameters
        ----------
        answer : the outcome of the search that waits, or an error to raise there.
        """
        self.search = None
        self._to_fit.put(answer)
        self._wait()

    def result(self) -> Any:
        """Return what the task returned, or raise what it raised."""
        if self._error is not None:
            raise self._error
        return self._result

    def _wait(self) -> None:
        self._from_fit.get()
        if self.is_done:  # a thread that is still ending when Python exits aborts the process
            self._thread.join()

    def _run(self) -> None:
        try:
            with gathered_by(self._pause):
                self._result = self._task()
        except BaseException as error:  # handed on by `result`
            self._error = error
        self.is_done = True
        self._from_fit.put(None)

    def _pause(self, objective: Any, theta: Any, arguments: Mapping[str, Any]) -> Outcome:
        began = time.perf_counter()
        self.search = MinimizeCall(objective, theta, arguments)
        self._from_fit.put(None)
        answer = self._to_fit.get()
        self.seconds_of_others += time.perf_counter() - began
        if isinstance(answer, BaseException):
            raise answer
        self.seconds_of_others -= answer.seconds
        return answer
