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
Examples = tuple[NDArray[Any], ...]  # X, y, weights
MOST_ROWS = 5000  # for the choice of the penalty


def linear_model(
    X: NDArray[Any],
    y: NDArray[Any],
    loss: str | Loss,
    n_outputs: int,
    *,
    weight: Any = None,
    seed: int = 0,
) -> tuple[Network, NDArray[Any]]:
    """Return the network without a hidden layer and its theta (1, n), trained on these rows.

    Parameters
    ----------
    X, y : (m, features), (m,), as the network takes them.
    weight : (m,) or None.
    seed : of the folds.
    """
    network = Network((X.shape[1], n_outputs), (), loss)
    rows = (X, y, np.ones(len(y)) if weight is None else weight)
    alpha = _chosen(network, rows, seed)
    return network, _trained(_cost(network, rows, alpha=alpha), 1)


def _chosen(network: Network, rows: Examples, seed: int) -> float:
    y = rows[1]
    order = np.random.default_rng(seed).permutation(len(y))[:MOST_ROWS]
    folds = min(FOLDS, len(order))
    if folds < 2:
        return 1.0
    losses = np.zeros(len(ALPHAS))
    for part in np.array_split(order, folds):
        rest = np.setdiff1d(order, part)
        on_rest, on_part = (tuple(one[some] for one in rows) for some in (rest, part))
        if on_rest[2].any() and on_part[2].any():
            theta = _trained(_cost(network, on_rest, alpha=np.array(ALPHAS)), len(ALPHAS))
            losses += on_part[2].sum() * as_numpy(_cost(network, on_part).value(theta))
    # The larger one of equals.
    return ALPHAS[len(ALPHAS) - 1 - int(losses[::-1].argmin())]


def _cost(network: Network, rows: Examples, alpha: Any = 0.0) -> NetworkCost:
    X, y, weight = rows
    return NetworkCost(network, X, y, alpha=alpha, sample_weight=weight)


def _trained(cost: NetworkCost, starts: int) -> NDArray[Any]:
    zeros = np.zeros((starts, cost.network.n_parameters))
    outcome = minimize(cost, zeros, method="l-bfgs", max_iter=MAX_ITER)
    return np.asarray(outcome.theta)
