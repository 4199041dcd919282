"""`partial_fit`: one epoch at a time on whatever data come, the state of the optimiser kept."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from symbreak.estimators.fitted import set_fitted
from symbreak.estimators.problem import Problem
from symbreak.estimators.progress import Teller
from symbreak.estimators.solvers import method_of_solver, method_options
from symbreak.estimators.starting import Seeds, starts_of
from symbreak.estimators.training import old_weights
from symbreak.optimize import Progress
from symbreak.optimize.epochs import Epochs
from symbreak.optimize.interrupt import DeferredInterrupt

ENDED_WHOLE = "Ctrl-C: the epoch was made to its end, and the estimator holds what it learnt."


def one_epoch(estimator: Any, problem: Problem, seeds: Seeds, *, anew: bool) -> None:
    """Train for one epoch on a problem and set the fitted attributes.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C; where it was pressed once, after the epoch.
    """
    with DeferredInterrupt() as interrupt:
        _epoch(estimator, problem, seeds, anew=anew)
    # The calls stand in a loop of the user's, which ends here.
    if interrupt.is_requested:
        raise KeyboardInterrupt(ENDED_WHOLE)


def _epoch(estimator: Any, problem: Problem, seeds: Seeds, *, anew: bool) -> None:
    cost = problem.cost(estimator.n_starts)
    if anew or not hasattr(estimator, "_epochs"):
        theta = starts_of(estimator, cost, seeds) if anew else old_weights(estimator, problem)
        options = method_options(estimator, len(problem.X), seeds.order)
        estimator._epochs = Epochs(method_of_solver(estimator.solver), options)
    else:
        theta = old_weights(estimator, problem)
    outcome = estimator._epochs.run(cost, torch.as_tensor(theta, device=cost.device))
    curve, seen = ([], 0) if anew else (estimator.loss_curve_, estimator.t_)
    set_fitted(estimator, problem, outcome)
    estimator.loss_curve_ = [*curve, estimator.loss_]
    estimator.best_loss_ = min(estimator.loss_curve_)
    estimator.t_ = seen + len(problem.X)
    tell = Teller.of(estimator)
    if tell is not None:
        n = len(estimator.loss_curve_)
        median = float(np.median(outcome.value))
        tell(Progress(n, estimator.loss_, median, 0, len(outcome.value), outcome.seconds))
