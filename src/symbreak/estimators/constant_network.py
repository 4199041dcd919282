"""A fit that ends at the best constant is no success, however well it converged.

Raw columns far from 0, or orders of magnitude apart, drive hidden units into saturation before they
tell rows apart: the gradient vanishes there, and the test of convergence holds. The loss of the
start that leads is held against that of the best constant, row by row; where it is not surely
lower, or a penalty shrank the network towards the constant, a warning says so.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from symbreak.arrays import as_numpy
from symbreak.estimators.problem import Array, Problem
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import minimize
from symbreak.optimize.status import Status
from symbreak.training.advice_on_fit import NOTHING_HOLDS, idle_units
from symbreak.training.checks import spread_rows
from symbreak.training.comparison import learnt_nothing
from symbreak.training.facts import constant_units
from symbreak.training.remedies import ESTIMATOR, remedy_words

SOME, NARROW, UNEVEN, _MAX_ITER = 256, 0.1, 10.0, 100
_CUT = (
    Status.MAX_ITERATIONS, Status.MAX_EVALUATIONS, Status.INTERRUPTED, Status.STOPPED,
    Status.DIVERGED,
)  # fmt: skip


def warn_if_constant_network(estimator: Any, problem: Problem) -> None:
    """Warn where the start that leads predicts no better than the best constant; note it.

    A start that was cut, or diverged, has its own warning, and so has early stopping.
    """
    training, network = estimator.training_, problem.network
    if training.outcome.status[training.lead] in _CUT or not _is_narrow(estimator, problem):
        return
    lead, X = estimator._lead[None], estimator._placed(problem.X)
    z, constant_losses = _best_constant(problem)
    doubled = _losses(network, _twice_as_far(network, lead, z), X, problem.y)
    own = _losses(network, lead, X, problem.y)
    if not learnt_nothing(constant_losses, own, doubled, problem.sample_weight):
        return
    constant, hidden = constant_units(network, lead, X)
    estimator.training_ = replace(training, trivial=(constant, hidden))
    best = "the class shares" if network.loss.is_classification else "the best constant"
    words = (
        "The network predicts nearly the same for every row: its loss is about that of "
        f"{best}{idle_units(constant, hidden)}.{_remedy(estimator)}"
    )
    warnings.warn(words, ConvergenceWarning, stacklevel=4)


def _remedy(estimator: Any) -> str:
    """Return what may help, as far as it is not done yet, or that nothing does."""
    if not estimator.standardize and estimator.training_.spread_of_inputs > UNEVEN:
        return f" {remedy_words('scale_inputs', ESTIMATOR)}."
    if not hasattr(estimator, "alphas_"):
        return f" {remedy_words('weaker_penalty', ESTIMATOR)}."
    if estimator.alpha_ > min(estimator.alphas_):
        return f" {NOTHING_HOLDS}"
    return " Compare smaller penalties: `alphas`."


def _is_narrow(estimator: Any, problem: Problem) -> bool:
    """Tell from some rows whether predictions lie so close that they may be a constant's."""
    X, y = problem.X, np.asarray(problem.y)
    if X.shape[0] < 2 or not (y != y[0]).any():
        return False
    some = estimator._placed(X[spread_rows(X.shape[0], SOME)])
    predicted = as_numpy(problem.network.predict(estimator._lead[None], some))[0]
    if not np.isfinite(predicted).all():
        return False
    widths, is_class = np.ptp(predicted, axis=0), problem.network.loss.is_classification
    return bool((widths <= (NARROW if is_class else NARROW * y.std(axis=0))).all())


def _best_constant(problem: Problem) -> tuple[Array, Array]:
    """Return the outputs before the link, and the loss of each row, of biases alone, trained."""
    network = Network((1, problem.network.n_outputs), (), problem.network.loss)
    nothing = np.zeros((problem.X.shape[0], 1), dtype=problem.X.dtype)
    cost = NetworkCost(network, nothing, problem.y, sample_weight=problem.sample_weight)
    theta = np.zeros((1, network.n_parameters), dtype=problem.X.dtype)
    theta = minimize(cost, theta, max_iter=_MAX_ITER).theta
    z = as_numpy(network.thetas(theta)[0])[0, :, 0]
    return z, _losses(network, theta, nothing, problem.y)


def _twice_as_far(network: Network, theta: Array, z: Array) -> Array:
    """Return theta (1, n) whose outputs, before the link, are twice as far from z (outputs,)."""
    thetas = [np.array(one) for one in network.thetas(theta)]
    thetas[-1] *= 2.0
    thetas[-1][..., 0] -= z
    return np.asarray(network.unroll(thetas))


def _losses(network: Network, theta: Any, X: Any, y: Array) -> Array:
    """Return the loss of each row, (m,)."""
    loss = network.loss
    prediction = as_numpy(network.predict(theta, X)).swapaxes(1, 2).astype(np.float64)
    target = loss.prepare(np.asarray(y), network.n_outputs)
    with np.errstate(divide="ignore"):
        losses, _ = loss.from_prediction(prediction, loss.outputs_of(target, network.n_outputs))
    return np.asarray(losses[0])
