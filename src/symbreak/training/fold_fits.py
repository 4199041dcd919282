"""One network on every fold: trained with several penalties at once, and scored.

    fold -> J, a few starts -> starts x penalties as one stack -> scores

Conventions
-----------
score : higher is better, minus infinity where a fold ends without a finite prediction
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, as_numpy, cuts, itemsize, namespace
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, minimize
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.methods import find_method
from symbreak.optimize.status import Status
from symbreak.training.combine import usable_starts
from symbreak.training.selection import Scores

SCREENING_STARTS = 4
NOTHING = "Ctrl-C came before a network and a penalty were chosen; nothing was trained."
# Nearly exact functions gain by many iterations, which cost little on few rows: at most so many
# passes over a row, but no fewer iterations.
MOST_PASSES, LEAST_ITERATIONS = 150_000, 300
# Bytes for what searches keep, and the numbers of it for each entry of theta, roughly.
_MEMORY, _VECTORS = 2**30, 16
_TINY = float(np.finfo(np.float64).eps)


class OutOfTime(Exception):
    """The time for comparing is spent; what was being compared has no scores."""


class Fold(NamedTuple):
    """A network on the rows of a fold.

    Attributes
    ----------
    cost : J on the rows to train on.
    theta : the starts, (starts, n).
    score : that of what became of them, on the other rows.
    """

    cost: NetworkCost
    theta: Array
    score: Callable[[Outcome], float]


class FoldFits:
    """A network on every fold.

    Parameters
    ----------
    arguments : of `minimize`; on folds of many rows fewer iterations are made.
    until : when the time is spent, of `time.perf_counter`; None for never.
    """

    def __init__(
        self, folds: Sequence[Fold], arguments: Mapping[str, Any], until: float | None = None
    ) -> None:
        self._folds, self._arguments, self._until = folds, arguments, until

    @property
    def n_parameters(self) -> int:
        """Of the network; of the largest where folds have other features."""
        return max(int(fold.cost.network.n_parameters) for fold in self._folds)

    def scores(self, alphas: Sequence[float]) -> Scores:
        """Return the scores of penalties, (penalties, folds).

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C.
        OutOfTime
            The time was spent before all of them had scores.
        """
        return np.column_stack([self._of_fold(fold, alphas) for fold in self._folds])

    def _of_fold(self, fold: Fold, alphas: Sequence[float]) -> list[float]:
        outcomes = on_fold(fold, alphas, self._arguments, self._until)
        return [_score(fold, outcome) for outcome in outcomes]


def on_fold(
    fold: Fold, alphas: Sequence[float], arguments: Mapping[str, Any], until: float | None = None
) -> Iterator[Outcome]:
    """Yield what becomes of the starts of a fold with each of the penalties; see `outcomes_of`.

    Parameters
    ----------
    arguments : of `minimize`; on folds of many rows fewer iterations are made.
    """
    most = max(LEAST_ITERATIONS, MOST_PASSES // fold.cost.n_examples)
    arguments = {**arguments, "max_iter": min(arguments["max_iter"], most)}
    return outcomes_of(fold.cost, fold.theta, alphas, arguments, until)


def _score(fold: Fold, outcome: Outcome) -> float:
    if not usable_starts(as_numpy(outcome.value), as_numpy(outcome.theta)).any():
        return -math.inf
    score = fold.score(outcome)
    return score if math.isfinite(score) else -math.inf


def mean_loss(
    network: Network, prediction: Any, y: Any, weight: NDArray[Any] | None = None
) -> float:
    """Return the mean over rows of the loss of J, without the penalty.

    Parameters
    ----------
    prediction : (m, outputs), after the link; a probability counts as at least 2.2e-16.
    y : the targets as `NetworkCost` takes them.
    weight : (m,) or None.
    """
    loss, outputs = network.loss, network.n_outputs
    prediction = np.asarray(prediction, dtype=np.float64)
    if loss.is_classification:
        prediction = np.clip(prediction, _TINY, 1.0 - _TINY)
    elif not loss.fits_any_number:
        prediction = np.maximum(prediction, np.finfo(np.float64).tiny)
    target = loss.outputs_of(loss.prepare(np.asarray(y), outputs), outputs)
    losses = loss.from_prediction(prediction.T[None].copy(), target)[0][0]
    return float(np.average(np.asarray(losses), weights=weight))


def outcomes_of(
    cost: NetworkCost,
    theta: Array,
    alphas: Sequence[float],
    arguments: Mapping[str, Any],
    until: float | None = None,
) -> Iterator[Outcome]:
    """Yield what becomes of the same starts with each of the penalties.

    Parameters
    ----------
    arguments : of `minimize`.
    until : when the time is spent, of `time.perf_counter`; None for never.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C.
    OutOfTime
        The time was spent before the end.
    """
    starts, n = theta.shape
    vectors = _VECTORS + find_method(arguments["method"]).extra_vectors(n, arguments)
    at_once = max(1, _MEMORY // (starts * n * vectors * itemsize(theta)))
    for places in cuts(len(alphas), at_once):
        some = alphas[places]
        with DeferredInterrupt() as interrupt:
            outcome = minimize(
                cost.with_alpha(np.repeat(some, starts)),
                namespace(theta).concat([theta] * len(some)),
                **{**arguments, **_time_left(until)},
            )
        if interrupt.is_requested or outcome.is_interrupted:
            raise KeyboardInterrupt(NOTHING)
        if Status.MAX_SECONDS in outcome.status:
            raise OutOfTime
        yield from (_part(outcome, rows) for rows in cuts(len(outcome.theta), starts))


def _time_left(until: float | None) -> dict[str, float]:
    if until is None:
        return {}
    left = until - time.perf_counter()
    if left <= 0.0:
        raise OutOfTime
    return {"max_seconds": left}


def _part(outcome: Outcome, rows: slice) -> Outcome:
    """Return the outcome of some starts; it cannot be gone on from."""
    names = ("theta", "value", "gradient_norm", "status", "n_iterations", "n_evaluations",
             "best_iteration")  # fmt: skip
    parts = {name: getattr(outcome, name)[rows] for name in names}
    return replace(outcome, **parts, history=outcome.history[:, rows], search=None)
