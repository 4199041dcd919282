"""The same data without a hidden layer: what a network has to be better than.

J is convex then, so that one start, at zero, finds its minimum. The penalty is the one of `ALPHAS`
with the lowest loss over five folds; all of them are searched as one stack.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy
from symbreak.losses import Loss
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import minimize

ALPHAS = tuple(10.0**power for power in range(-3, 4))
FOLDS, MAX_ITER = 5, 200
MOST_ROWS = 5000  # for the choice of the penalty


def linear_model(
    X: NDArray[Any], y: NDArray[Any], loss: str | Loss, n_outputs: int, *, seed: int = 0
) -> tuple[Network, NDArray[Any]]:
    """Return the network without a hidden layer and its theta (1, n), trained on these rows.

    Parameters
    ----------
    X, y : (m, features), (m,), as the network takes them.
    seed : of the folds.
    """
    network = Network((X.shape[1], n_outputs), (), loss)
    alpha = _chosen(network, X, y, seed)
    return network, _trained(NetworkCost(network, X, y, alpha=alpha), 1)


def _chosen(network: Network, X: NDArray[Any], y: NDArray[Any], seed: int) -> float:
    order = np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS]
    folds = min(FOLDS, len(order))
    if folds < 2:
        return 1.0
    losses = np.zeros(len(ALPHAS))
    for part in np.array_split(order, folds):
        rest = np.setdiff1d(order, part)
        cost = NetworkCost(network, X[rest], y[rest], alpha=np.array(ALPHAS))
        theta = _trained(cost, len(ALPHAS))
        losses += len(part) * as_numpy(NetworkCost(network, X[part], y[part]).value(theta))
    # The larger one of equals.
    return ALPHAS[len(ALPHAS) - 1 - int(losses[::-1].argmin())]


def _trained(cost: NetworkCost, starts: int) -> NDArray[Any]:
    zeros = np.zeros((starts, cost.network.n_parameters))
    outcome = minimize(cost, zeros, method="l-bfgs", max_iter=MAX_ITER)
    return np.asarray(outcome.theta)
