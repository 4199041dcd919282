"""One fit: from a problem to an outcome, anew, from old weights, or on from an old search.

Warm start: with the same data and the same starts a search that was stopped by a limit goes on,
its memory kept (moments, curvature pairs, rates, the order of epochs). Otherwise a new search
begins from the old weights.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from symbreak.estimators.fitted import set_fitted, warn_if_unfinished
from symbreak.estimators.interruption import check_trained, tell_interrupted
from symbreak.estimators.problem import Problem
from symbreak.estimators.progress import Teller
from symbreak.estimators.solvers import (
    is_stochastic,
    method_of_solver,
    method_options,
    search_options,
)
from symbreak.estimators.starting import Seeds, starts_of, theta_of
from symbreak.estimators.threads import threads_for
from symbreak.objectives import NetworkCost
from symbreak.optimize import Outcome, Progress
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.status import PAUSES, Status
from symbreak.training.joint_training import minimize


def train(
    estimator: Any, problem: Problem, seeds: Seeds, *, validation: Any = None, anew: bool = True
) -> None:
    """Train an estimator on a problem and set its fitted attributes.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C came before the first iteration, or twice, or in a fit that is one of many.
    """
    cost = problem.cost(estimator.n_starts)
    print_of = fingerprint(problem)
    spent = 0 if anew else _spent(estimator, print_of, validation)
    tell = Teller.of(estimator)
    work = estimator.n_starts * len(problem.X) * problem.network.n_parameters
    with threads_for(work), DeferredInterrupt() as interrupt:
        if spent:
            outcome = minimize(
                cost,
                estimator.outcome_,
                max_iter=estimator.max_iter + spent,
                max_evaluations=None if is_stochastic(estimator.solver) else estimator.max_fun,
                callback=tell,
            )
        else:
            outcome = _searched(estimator, problem, cost, seeds, validation, tell, anew)
        pressed = outcome.is_interrupted or interrupt.is_requested
        if pressed:
            check_trained(outcome, spent=spent)
        if isinstance(tell, Teller):
            tell.close(_end(outcome), is_cut=pressed)
        set_fitted(estimator, problem, outcome, spent=spent)
        estimator._fingerprint = print_of
        estimator.__dict__.pop("_epochs", None)
    if pressed or interrupt.is_requested:
        tell_interrupted(estimator, outcome, spent=spent)
    warn_if_unfinished(estimator)


def fingerprint(problem: Problem) -> str:
    """Return a digest of what is minimised, which tells the same data again."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(repr((problem.network.to_settings(), problem.alpha, problem.dtype)).encode())
    for array in (problem.X, problem.y, problem.sample_weight):
        if array is not None:
            digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _searched(
    estimator: Any,
    problem: Problem,
    cost: NetworkCost,
    seeds: Seeds,
    validation: Any,
    tell: Any,
    anew: bool,
) -> Outcome:
    theta = starts_of(estimator, cost, seeds) if anew else old_weights(estimator, problem)
    return minimize(
        cost,
        theta,
        method=method_of_solver(estimator.solver),
        callback=tell,
        **search_options(estimator, validation),
        **method_options(estimator, len(problem.X), seeds.order),
    )


def old_weights(estimator: Any, problem: Problem) -> Any:
    """Return where the last fit ended, (n_starts, n), the first start as `coefs_` stand.

    Raises
    ------
    ValueError
        The architecture or the number of starts is another.
    """
    theta = np.array(estimator.outcome_.theta, dtype=problem.dtype)
    if theta.shape != (estimator.n_starts, problem.network.n_parameters):
        raise ValueError(
            "warm_start must go on with the same layers and n_starts. Got others; "
            "fit with warm_start=False."
        )
    theta[estimator.kept_[0]] = theta_of(estimator.coefs_, estimator.intercepts_)
    return theta


def _end(outcome: Outcome) -> Progress:
    iteration, values = int(outcome.n_iterations.max()), outcome.value
    best, median = float(values.min()), float(np.median(values))
    return Progress(iteration, best, median, 0, len(values), outcome.seconds)


def _spent(estimator: Any, print_of: str, validation: Any) -> int:
    """Return the iterations of the search to go on with; 0 where a new one must begin."""
    outcome = estimator.outcome_
    same = getattr(estimator, "_fingerprint", None) == print_of and validation is None
    paused = all(status in PAUSES and status is not Status.INTERRUPTED for status in outcome.status)
    settings = estimator._settings_of_search()
    if not same or outcome.search is None or not paused or _edited(estimator):
        return 0
    if getattr(estimator, "_searched_with", None) != settings:
        return 0
    return int(outcome.n_iterations.max())


def _edited(estimator: Any) -> bool:
    """Tell whether `coefs_` or `intercepts_` were changed after the fit."""
    now = theta_of(estimator.coefs_, estimator.intercepts_)
    return not np.array_equal(now, estimator.outcome_.theta[estimator.kept_[0]])
