"""An estimator's network on every fold, and how it is scored there.

    rows of a fold -> its own standardisation -> J, starts -> `symbreak.training.fold_fits`

A score is that of the average of the starts on the rows that they were not trained on, weighted
like the training. Of an estimator that is scored by a scorer of scikit-learn, the fold has a fitted
copy, as a cross-validation would have.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from sklearn.metrics import get_scorer

from symbreak.estimators.early_stopping import Examples, takes_weights
from symbreak.estimators.problem import Array, Scale
from symbreak.estimators.solvers import method_of_solver, search_options
from symbreak.estimators.starting import starts_of
from symbreak.optimize import Outcome
from symbreak.training.fold_fits import Fold, FoldFits, mean_loss
from symbreak.training.seeds import Seeds

# (fitted estimator, examples) -> score, higher is better
Judge = Callable[[Any, Examples], float]


def fits_of(
    estimator: Any,
    examples: Examples,
    folds: Sequence[tuple[Array, Array]],
    judge: Judge,
    seeds: Seeds,
) -> FoldFits:
    """Return an estimator's network on every fold.

    Parameters
    ----------
    estimator : its parameters are read, and its network is the one that it says it has.
    examples : validated.
    folds : (rows to train on, rows to score on) of each.
    judge : see `judge_of`.
    """
    arguments = {**search_options(estimator), "method": method_of_solver(estimator.solver)}
    return FoldFits([_fold(estimator, examples, *rows, judge, seeds) for rows in folds], arguments)


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
        scaling = fitted._scaling
        prediction = np.asarray(fitted._predicted(held.X), dtype=np.float64)
        known = fitted._encoded(held.y)
        if scaling.y_scale is not None:
            prediction, known = scale.apply(scaling.undo(prediction)), scale.apply(known)
        return -mean_loss(fitted._network, prediction, known, held.sample_weight)

    return judge


def _by_scorer(scoring: Any) -> Judge:
    scorer = get_scorer(scoring)
    weighs = takes_weights(scorer)

    def judge(fitted: Any, held: Examples) -> float:
        has_weight = weighs and held.sample_weight is not None
        weight = {"sample_weight": held.sample_weight} if has_weight else {}
        return float(scorer(fitted, held.X, held.y, **weight))

    return judge


def _fold(
    estimator: Any, examples: Examples, train: Array, test: Array, judge: Judge, seeds: Seeds
) -> Fold:
    problem = estimator._problem(examples.take(train))
    cost = problem.cost()
    one = copy.copy(estimator)
    # Without hidden layers J has one minimum.
    one.n_starts = estimator.screening_starts if problem.network.n_hidden else 1
    view, held = estimator._view(problem), examples.take(test)

    def score(outcome: Outcome) -> float:
        view._set_fitted(problem, outcome)
        return judge(view, held)

    return Fold(cost, starts_of(one, cost, seeds), score)
