"""The fitted attributes, set from thetas and how their searches ended.

A search over many settings may train one stack elsewhere and put its thetas into estimators with
`set_fitted`; `fit` does nothing else.

combine      kept starts                       predict
average      all that are usable               the mean after the link
best         the best validation score, and    that start
             among equals the lowest loss
lowest-cost  the lowest J                      that start
all          all that are usable               the start with the lowest J
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from symbreak.arrays import as_numpy
from symbreak.estimators.interruption import warn_at_caller
from symbreak.estimators.problem import NON_FINITE, Array, Problem
from symbreak.estimators.solvers import is_stochastic
from symbreak.estimators.starting import matrices_of
from symbreak.optimize import Outcome
from symbreak.optimize.status import Status
from symbreak.text import pluralize
from symbreak.training import COMBINES as WAYS
from symbreak.training.combine import kept_starts, usable_starts
from symbreak.training.scores import Scores

COMBINES = (*WAYS, "all")
WITHOUT_VALIDATION = (
    "combine='best' means the best validation score, and this fit has none: the start with the "
    "lowest J was taken. Say combine='lowest-cost' for that, or fit with early_stopping=True or "
    "X_val and y_val; 'best' without a validation will be an error."
)


def set_fitted(estimator: Any, problem: Problem, outcome: Outcome, *, spent: int = 0) -> None:
    """Set all fitted attributes of an estimator.

    Parameters
    ----------
    outcome : of `minimize` on the problem's cost, theta (starts, n).
    spent : iterations before this fit, where a search was gone on with.

    Raises
    ------
    ValueError
        No start ended with finite weights.
    """
    theta = as_numpy(outcome.theta).astype(problem.dtype, copy=False)
    kept = _kept(estimator.combine, outcome, theta)
    lead = kept[0]
    network = problem.network
    estimator.thetas_ = theta[list(kept)]
    estimator.coefs_, estimator.intercepts_ = matrices_of(network, theta[lead])
    estimator.n_layers_ = len(network.layers)
    estimator.n_outputs_ = network.n_outputs
    estimator.out_activation_ = network.loss.sklearn_link
    estimator.n_iter_ = int(outcome.n_iterations[lead]) - spent
    estimator.loss_ = float(outcome.value[lead])
    seen = estimator.n_iter_ * len(problem.X) if is_stochastic(estimator.solver) else 0
    estimator.t_ = seen + (estimator.t_ if spent else 0)
    estimator.outcome_ = replace(outcome, theta=theta)
    estimator.kept_ = np.array(kept)
    # The training data stay outside: they are the user's, and files would grow by them.
    none = slice(0, 0)
    estimator._problem = replace(problem, X=problem.X[none], y=problem.y[none], sample_weight=None)
    _set_curves(estimator, outcome, lead)


def starts_table(outcome: Outcome, kept: Array) -> dict[str, Array]:
    """Return what each start became, columns (starts,) by name."""
    table = {
        "start": np.arange(len(outcome.value)),
        "loss": outcome.value,
        "gradient_norm": outcome.gradient_norm,
        "n_iter": outcome.n_iterations,
        "n_evaluations": outcome.n_evaluations,
        "status": np.array([status.word for status in outcome.status]),
        "kept": np.isin(np.arange(len(outcome.value)), kept),
    }
    if outcome.validation is not None:
        table["validation_score"] = -outcome.validation
    return table


def warn_if_unfinished(estimator: Any) -> None:
    """Warn, as scikit-learn does, where a kept start was stopped by a limit, or diverged."""
    outcome = estimator.outcome_
    limits = {Status.MAX_ITERATIONS, Status.MAX_EVALUATIONS}
    stopped = [int(start) for start in estimator.kept_ if outcome.status[start] in limits]
    if stopped:
        warnings.warn(
            f"Maximum iterations ({estimator.max_iter}) or evaluations ({estimator.max_fun}) "
            f"reached and the optimization of {len(stopped)} of {len(estimator.kept_)} kept starts "
            "has not converged yet; raise max_iter or scale the data.",
            ConvergenceWarning,
            stacklevel=3,
        )
    diverged = [start for start in estimator.kept_ if outcome.status[start] is Status.DIVERGED]
    if diverged:
        after = pluralize(int(outcome.n_iterations[diverged].min()), "iteration")
        rate = "lower learning_rate_init or " if is_stochastic(estimator.solver) else ""
        warnings.warn(
            f"J diverged after {after} in {len(diverged)} of {len(estimator.kept_)} kept starts "
            f"and the best point before was kept; {rate}standardise the data.",
            ConvergenceWarning,
            stacklevel=3,
        )


def _kept(combine: str, outcome: Outcome, theta: Array) -> tuple[int, ...]:
    """Return the starts that predictions come from, the one that leads first."""
    J = outcome.value
    usable = usable_starts(J, theta)
    if not usable.any():
        raise ValueError(NON_FINITE)
    way = {"all": "average"}.get(combine, combine)
    scores: list[Scores] = []
    if combine == "best" and outcome.validation is None:
        warn_at_caller(WITHOUT_VALIDATION, DeprecationWarning)
        way = "lowest-cost"
    elif outcome.validation is not None:
        # What was minimised is minus the score; of equal ones the lower loss is better.
        score, loss = np.nan_to_num([outcome.validation, outcome.validation_loss], nan=math.inf)
        scores = [Scores(("score", "loss"), *pair) for pair in zip(-score, loss, strict=True)]
    return tuple(sorted(kept_starts(way, J, usable, scores), key=lambda start: float(J[start])))


def _set_curves(estimator: Any, outcome: Outcome, lead: int) -> None:
    count = int(outcome.n_iterations[lead])
    estimator.loss_curve_ = outcome.history[1 : count + 1, lead].tolist()
    estimator.validation_scores_ = estimator.best_validation_score_ = None
    estimator.best_loss_ = float(outcome.value[lead])
    if outcome.validation_history is not None and outcome.validation is not None:
        scores = -outcome.validation_history[1 : count + 1, lead]
        estimator.validation_scores_ = scores.tolist()
        score = float(outcome.validation[lead])
        estimator.best_validation_score_ = -score if math.isfinite(score) else math.nan
        estimator.best_loss_ = None
    if is_stochastic(estimator.solver):
        estimator._no_improvement_count = _without_improvement(estimator)


def _without_improvement(estimator: Any) -> int:
    """Return how many epochs at the end of training did not improve by tol."""
    scores = estimator.validation_scores_
    falling = estimator.loss_curve_ if scores is None else [-score for score in scores]
    best, count = math.inf, 0
    for value in falling:
        count = 0 if value <= best - estimator.tol else count + 1
        best = min(best, value)
    return count
