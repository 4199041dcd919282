"""What is told of a running fit: printed lines, the user's function, scikit-learn's callbacks."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from symbreak.optimize import Outcome, Progress, Status

try:  # since scikit-learn 1.9
    from sklearn.callback import CallbackSupportMixin as CallbackSupportMixin
    from sklearn.callback import with_callbacks as with_callbacks
except ImportError:  # pragma: no cover - older scikit-learn

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn has no callbacks yet."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


# How a start ended, in the words of an estimator's parameters.
WHY = {
    Status.CONVERGED: "no entry of the gradient is above tol",
    Status.VALUE_TOLERANCE: "J fell by no more than a share of 2.2e-9",
    Status.STALLED: "J has not fallen by tol for n_iter_no_change iterations",
    Status.SMALL_RATE: "J has not fallen by tol at a learning rate of 1e-6",
    Status.NO_IMPROVEMENT: "neither the validation score nor its loss has improved for "
    "n_iter_no_change iterations",
    Status.MAX_ITERATIONS: "max_iter iterations were made",
    Status.MAX_EVALUATIONS: "max_fun evaluations were made",
    Status.PRECISION_LIMIT: "no lower J can be told apart in this dtype",
    Status.DIVERGED: "J is not finite any more, and the best point before was kept",
    Status.NON_FINITE_START: "J was not finite at the start",
    Status.STATIONARY_START: "the gradient was zero at the start",
    Status.STOPPED: "the callback stopped it",
    Status.INTERRUPTED: "Ctrl-C",
}


class Teller:
    """Tells of every new iteration; returns True where the fit is to stop."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self._told = 0
        self._context: Any = None
        if hasattr(estimator, "_skl_callbacks"):
            self._context = estimator._init_callback_context(max_subtasks=estimator.max_iter)
            self._context.call_on_fit_task_begin(estimator=estimator)

    @classmethod
    def of(cls, estimator: Any) -> Callable[[Progress], bool] | None:
        """Return what to call after every tick; None where nobody listens."""
        listens = estimator.verbose or estimator.callback or hasattr(estimator, "_skl_callbacks")
        return cls(estimator) if listens else None

    def __call__(self, progress: Progress) -> bool:
        """Tell of one tick."""
        stop = False
        if progress.iteration > self._told:
            self._told = progress.iteration
            if self._estimator.verbose:
                sys.stdout.write(_line(progress))
            if self._context is not None:
                task = self._context.subcontext(task_name="iteration")
                task.call_on_fit_task_begin(estimator=self._estimator)
                stop = bool(task.call_on_fit_task_end(estimator=self._estimator))
        if self._estimator.callback is not None:
            stop = bool(self._estimator.callback(progress)) or stop
        return stop

    def close(self, outcome: Outcome, *, is_cut: bool) -> None:
        """Tell of the last iteration, after which no tick is looked at, and of the end.

        Of a fit that Ctrl-C has cut only the end is told: nobody is called who could go on.
        """
        progress = _last(outcome)
        if progress.iteration > self._told and not is_cut:
            self(progress)
        if self._estimator.verbose:
            sys.stdout.writelines(_endings(outcome))
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator)


def _line(progress: Progress) -> str:
    """Return what is printed of an iteration: J now of the start that leads, and the best."""
    parts = [
        f"Iteration {progress.iteration}, loss = {progress.lead_value:.8f}",
        f"best = {progress.best_value:.8f}",
    ]
    if not math.isnan(progress.lead_score):
        parts.append(f"validation score = {-progress.lead_score:.6f}")
    if progress.n_starts > 1:
        parts.append(f"{progress.n_running} of {progress.n_starts} starts running")
    return ", ".join(parts) + "\n"


def _endings(outcome: Outcome) -> Iterator[str]:
    """Yield why the starts ended, a line for each reason."""
    n = len(outcome.status)
    for status, count in Counter(outcome.status).most_common():
        which = "Ended" if n == 1 else f"{count} of {n} starts ended"
        yield f"{which}: {WHY.get(status, status.word)}.\n"


def _last(outcome: Outcome) -> Progress:
    """Return where a search stands that has ended."""
    # Of a search with validation the points that are returned need not be the lowest.
    lowest = np.fmin(outcome.value, np.fmin.reduce(outcome.history, axis=0))
    lead = int(lowest.argmin())
    at, scores = int(outcome.n_iterations[lead]), outcome.validation_history
    return Progress(
        iteration=int(outcome.n_iterations.max()),
        best_value=float(lowest[lead]),
        median_value=float(np.median(lowest)),
        n_running=0,
        n_starts=len(lowest),
        seconds=outcome.seconds,
        lead_value=float(outcome.history[at, lead]),
        lead_score=math.nan if scores is None else float(scores[at, lead]),
    )
