"""One network on every fold: trained with several penalties at once, and scored.

    rows of a fold -> its own standardisation -> J -> starts x penalties as one stack -> scores

A score is that of the average of the starts on the rows that they were not trained on, weighted
like the training. Of an estimator that is scored by a scorer of scikit-learn, the fold has a fitted
copy, as a cross-validation would have.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from symbreak.arrays import as_numpy
from symbreak.estimators.early_stopping import Examples
from symbreak.estimators.problem import Array, Problem, Scale
from symbreak.estimators.scorers import scorer_of, takes_weights
from symbreak.estimators.selection import Scores
from symbreak.estimators.solvers import method_of_solver, search_options
from symbreak.estimators.starting import Seeds, starts_of
from symbreak.objectives import NetworkCost
from symbreak.training.choosing import outcomes_of
from symbreak.training.combine import NonFinitePrediction, usable_starts

# Nearly exact functions gain by many iterations, which cost little on few rows: at most so many
# passes over a row, but no fewer iterations.
MOST_PASSES, LEAST_ITERATIONS = 150_000, 300
_TINY = float(np.finfo(np.float64).eps)
# (fitted estimator, examples) -> score, higher is better
Judge = Callable[[Any, Examples], float]


class _Fold(NamedTuple):
    view: Any
    problem: Problem
    cost: NetworkCost
    theta: Any
    held: Examples


class FoldFits:
    """An estimator's network on every fold.

    Parameters
    ----------
    estimator : its parameters are read, and its network is the one that it says it has.
    examples : validated.
    folds : (rows to train on, rows to score on) of each.
    judge : see `judge_of`.
    """

    def __init__(
        self,
        estimator: Any,
        examples: Examples,
        folds: Sequence[tuple[Array, Array]],
        judge: Judge,
        seeds: Seeds,
    ) -> None:
        self._estimator, self._judge = estimator, judge
        self._folds = [_fold(estimator, examples, *rows, seeds) for rows in folds]

    @property
    def n_parameters(self) -> int:
        """Of the network."""
        return int(self._folds[0].problem.network.n_parameters)

    def scores(self, alphas: Sequence[float]) -> Scores:
        """Return the scores of penalties, (penalties, folds).

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C.
        """
        return np.column_stack([self._of_fold(fold, alphas) for fold in self._folds])

    def _of_fold(self, fold: _Fold, alphas: Sequence[float]) -> list[float]:
        most = max(LEAST_ITERATIONS, MOST_PASSES // fold.cost.n_examples)
        arguments = {
            **search_options(self._estimator),
            "method": method_of_solver(self._estimator.solver),
            "max_iter": min(self._estimator.max_iter, most),
        }
        found = []
        for outcome in outcomes_of(fold.cost, fold.theta, alphas, arguments):
            if not usable_starts(as_numpy(outcome.value), as_numpy(outcome.theta)).any():
                found.append(-math.inf)
                continue
            fold.view._set_fitted(fold.problem, outcome)
            score = self._judge(fold.view, fold.held)
            found.append(score if math.isfinite(score) else -math.inf)
        return found


def judge_of(estimator: Any, examples: Examples) -> Judge:
    """Return how an estimator is scored: by its `scoring`, else minus the mean loss.

    The loss is that of J without the penalty, of y standardised by all rows where the loss fits
    any number: the shares of the outputs, and the numbers of all folds, are then on one scale.
    """
    if estimator.scoring is not None:
        return _by_scorer(estimator.scoring)
    y = np.asarray(estimator._encoded(examples.y), dtype=np.float64)
    scale = Scale.of(y, examples.sample_weight)

    def judge(fitted: Any, held: Examples) -> float:
        network, scaling = fitted._network, fitted._scaling
        prediction = np.asarray(fitted._predicted(held.X), dtype=np.float64)
        known = fitted._encoded(held.y)
        if scaling.y_scale is not None:
            prediction, known = scale.apply(scaling.undo(prediction)), scale.apply(known)
        return -float(np.average(_losses(network, prediction, known), weights=held.sample_weight))

    return judge


def _by_scorer(scoring: Any) -> Judge:
    scorer = scorer_of(scoring)
    weighs = takes_weights(scorer)

    def judge(fitted: Any, held: Examples) -> float:
        has_weight = weighs and held.sample_weight is not None
        weight = {"sample_weight": held.sample_weight} if has_weight else {}
        try:
            return float(scorer(fitted, held.X, held.y, **weight))
        except NonFinitePrediction:
            return math.nan

    return judge


def _losses(network: Any, prediction: Array, y: Array) -> Array:
    """Return the loss of every row, (m,), of predictions (m, outputs) after the link."""
    loss = network.loss
    if loss.is_classification:
        prediction = np.clip(prediction, _TINY, 1.0 - _TINY)
    elif not loss.fits_any_number:
        prediction = np.maximum(prediction, np.finfo(np.float64).tiny)
    outputs = network.n_outputs
    target = loss.outputs_of(loss.prepare(np.asarray(y), outputs), outputs)
    return np.asarray(loss.from_prediction(prediction.T[None].copy(), target)[0][0])


def _fold(estimator: Any, examples: Examples, train: Array, test: Array, seeds: Seeds) -> _Fold:
    problem = estimator._problem(examples.take(train))
    cost = problem.cost()
    one = copy.copy(estimator)
    # Without hidden layers J has one minimum.
    one.n_starts = estimator.screening_starts if problem.network.n_hidden else 1
    theta = starts_of(one, cost, seeds)
    return _Fold(estimator._view(problem), problem, cost, theta, examples.take(test))
