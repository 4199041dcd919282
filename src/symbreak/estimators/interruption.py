"""Ctrl-C in a fit: a fit by itself keeps the best so far and says so; one of many ends them all.

Whoever calls `fit` reads the warning and may use what was found. A search, a cross-validation or an
ensemble would score the cut fit and go on to the next, so there KeyboardInterrupt is raised. Nobody
tells a fit who called it; the frames that wait for it do. One of many is a fit that waits inside
    a method of another estimator, other than a pipeline, which has one fit of each step
    a package that runs functions many times: joblib (and so scikit-learn's searches, in their
    worker processes too), optuna and the like
A loop in the user's own program cannot be told from two fits in a row: there each Ctrl-C ends one
fit, and a second one before that fit has ended is raised.
`StackedSearchCV` keeps the fits that were trained: there a cut fit, and every one that comes after
the Ctrl-C, is an error of that fit alone, and the search says what became of it.
"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import FrameType
from typing import Any, Protocol

import numpy as np
from sklearn.pipeline import Pipeline

from symbreak.errors import InterruptedWarning
from symbreak.optimize import Outcome
from symbreak.text import pluralize

# Packages whose functions call others with one setting after the other.
RUN_MANY = frozenset(
    {
        "ax", "bayes_opt", "dask", "distributed", "flaml", "hyperopt", "joblib", "nevergrad",
        "optuna", "pymoo", "ray", "scipy", "skopt", "smac",
    }
)  # fmt: skip
NOTHING = "The fit was interrupted before its first iteration; nothing was trained."
NEVER_TRAINED = "The search was interrupted before this fit was trained."


class SearchInterrupted(RuntimeError):
    """The search was interrupted before this fit was trained."""


class SearchOfFits(Protocol):
    """A search that ends by itself after an interruption."""

    is_interrupted: bool


_SEARCH: ContextVar[SearchOfFits | None] = ContextVar("the search of a fit", default=None)


@contextmanager
def fits_of(search: SearchOfFits) -> Iterator[None]:
    """A context in which fits are those of a search."""
    token = _SEARCH.set(search)
    try:
        yield
    finally:
        _SEARCH.reset(token)


def is_of_search() -> bool:
    """Tell whether this fit is one of a `StackedSearchCV`, which compares it with others."""
    return _SEARCH.get() is not None


def check_goes_on() -> None:
    """Raise SearchInterrupted in a fit of a search that was interrupted before it."""
    search = _SEARCH.get()
    if search is not None and search.is_interrupted:
        raise SearchInterrupted(NEVER_TRAINED)


def check_trained(outcome: Outcome, *, spent: int) -> None:
    """Check that a fit in which Ctrl-C was pressed has something to keep.

    Parameters
    ----------
    spent : the iterations that were made before this fit.

    Raises
    ------
    KeyboardInterrupt
        It has nothing.
    SearchInterrupted
        It was cut, and is of a search.
    """
    search = _SEARCH.get()
    if search is not None:
        if outcome.is_interrupted:
            search.is_interrupted = True
            raise SearchInterrupted(NEVER_TRAINED)
        return
    made = int(outcome.n_iterations.max()) - spent
    if (outcome.is_interrupted and not made) or not np.isfinite(outcome.value).any():
        raise KeyboardInterrupt(NOTHING)


def tell_interrupted(estimator: Any, outcome: Outcome, *, spent: int) -> None:
    """Warn that Ctrl-C was pressed in a fit whose attributes are set.

    Raises
    ------
    KeyboardInterrupt
        The fit is one of many.
    """
    if _SEARCH.get() is not None:  # which has it, and says so
        return
    made = pluralize(int(outcome.n_iterations.max()) - spent, "iteration")
    many = is_one_of_many(estimator)
    words = f"The fit was interrupted after {made}; the best point so far was kept."
    if many:
        words = f"The fit was interrupted after {made}; the search or ensemble it is of ends too."
    if not outcome.is_interrupted:
        words = f"Ctrl-C came when the fit had ended by itself, after {made}."
    try:
        warn_interrupted(words)
    finally:
        # Also where warnings are errors: a search takes an error for one candidate's alone.
        if many:
            raise KeyboardInterrupt(words)


def is_one_of_many(estimator: Any) -> bool:
    """Tell whether the fit of an estimator that now runs was called by a search or the like."""
    return any(_runs_many(frame, estimator) for frame in _frames())


def warn_interrupted(words: str) -> None:
    """Warn at the line that called `fit`, however often it was said there before."""
    warn_at_caller(words, InterruptedWarning)


def warn_at_caller(words: str, kind: type[Warning]) -> None:
    """Warn at the line outside this package and scikit-learn from which all this was called."""
    caller = next(frame for frame in _frames() if _package(frame) not in ("symbreak", "sklearn"))
    place = caller.f_code.co_filename, caller.f_lineno, caller.f_globals.get("__name__")
    warnings.warn_explicit(words, kind, *place)


def _frames() -> Iterator[FrameType]:
    frame = inspect.currentframe()
    while frame is not None:
        yield frame
        frame = frame.f_back


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).split(".")[0]


def _runs_many(frame: FrameType, estimator: Any) -> bool:
    # scikit-learn's functions that are no methods: permutation_test_score and the like.
    module = str(frame.f_globals.get("__name__"))
    if _package(frame) in RUN_MANY or module.startswith("sklearn.model_selection"):
        return True
    other = frame.f_locals.get("self", estimator)
    is_estimator = hasattr(type(other), "fit") and hasattr(type(other), "get_params")
    return is_estimator and other is not estimator and not isinstance(other, Pipeline)
