"""What is told of a running fit: printed lines, the user's function, scikit-learn's callbacks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from symbreak.optimize import Progress

try:  # since scikit-learn 1.9
    from sklearn.callback import CallbackSupportMixin as CallbackSupportMixin
    from sklearn.callback import with_callbacks as with_callbacks
except ImportError:  # pragma: no cover - older scikit-learn

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands where scikit-learn has no callbacks yet."""

    def with_callbacks(method: Any) -> Any:
        """Return the method as it is."""
        return method


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
                sys.stdout.write(
                    f"Iteration {progress.iteration}, loss = {progress.best_value:.8f}\n"
                )
            if self._context is not None:
                task = self._context.subcontext(task_name="iteration")
                task.call_on_fit_task_begin(estimator=self._estimator)
                stop = bool(task.call_on_fit_task_end(estimator=self._estimator))
        if self._estimator.callback is not None:
            stop = bool(self._estimator.callback(progress)) or stop
        return stop

    def close(self, progress: Progress, *, is_cut: bool) -> None:
        """Tell of the last iteration, after which no tick is looked at, and of the end.

        Of a fit that Ctrl-C has cut only the end is told: nobody is called who could go on.
        """
        if progress.iteration > self._told and not is_cut:
            self(progress)
        if self._context is not None:
            self._context.call_on_fit_task_end(estimator=self._estimator)
