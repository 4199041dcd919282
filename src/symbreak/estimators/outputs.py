"""What comes out of a fitted network: predictions, their logarithms, hidden activations.

Predictions are made block of rows by block of rows, so that sparse rows are dense only a block at a
time. With one kept start they are computed from `coefs_` and `intercepts_`; with several from
`thetas_`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from symbreak.estimators.problem import Array
from symbreak.estimators.starting import theta_of

ROWS_AT_ONCE = 8192


def dense(X: Any) -> Array:
    """Return rows as a dense array."""
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)


def by_blocks(estimator: Any, X: Any, of: Callable[[Any], Any]) -> Array:
    """Return `of` of the network's inputs, rows (axis -2) put together, for validated X."""
    parts = []
    for begin in range(0, X.shape[0], ROWS_AT_ONCE):
        rows = estimator._problem.inputs(dense(X[begin : begin + ROWS_AT_ONCE]))
        parts.append(of(rows).cpu().numpy())
    return np.concatenate(parts, axis=-2)


def thetas(estimator: Any) -> Any:
    """Return the starts that predict, a tensor (kept, n)."""
    if len(estimator.thetas_) == 1 or estimator.combine == "all":
        stack = theta_of(estimator.coefs_, estimator.intercepts_)[None]
    else:
        stack = estimator.thetas_
    return torch.as_tensor(stack, device=estimator._problem.device)


def prediction(estimator: Any, X: Any) -> Array:
    """Return the mean prediction after the link, (m, outputs)."""
    network, stack = estimator._problem.network, thetas(estimator)
    return by_blocks(estimator, X, lambda rows: network.predict(stack, rows).mean(0))


def predictions_of_starts(estimator: Any, X: Any) -> Array:
    """Return the predictions of all kept starts, (kept, m, outputs)."""
    network = estimator._problem.network
    stack = torch.as_tensor(estimator.thetas_, device=estimator._problem.device)
    return by_blocks(estimator, X, lambda rows: network.predict(stack, rows))


def hidden(estimator: Any, X: Any, layer: int) -> Array:
    """Return the activations of a hidden layer of the leading start, (m, units)."""
    network = estimator._problem.network
    theta = torch.as_tensor(
        theta_of(estimator.coefs_, estimator.intercepts_), device=estimator._problem.device
    )
    return by_blocks(estimator, X, lambda rows: network.hidden(theta, rows, layer))


def log_probabilities(estimator: Any, X: Any) -> Array:
    """Return log probabilities without a detour over probabilities that may be 0.

    (m, outputs) for soft-max; for sigmoids (2, m, outputs): of "no" and of "yes".
    """
    network, stack = estimator._problem.network, thetas(estimator)
    is_softmax = network.loss.target_is_index

    def of(rows: Any) -> Any:
        raw = _raw(network, stack, rows)
        logs = torch.log_softmax(raw, -1) if is_softmax else torch.stack(
            [torch.nn.functional.logsigmoid(-raw), torch.nn.functional.logsigmoid(raw)]
        )  # fmt: skip
        starts = 0 if is_softmax else 1
        count = torch.tensor(float(len(stack)), dtype=raw.dtype)
        return torch.logsumexp(logs, starts) - torch.log(count).to(raw.device)

    return by_blocks(estimator, X, of)


def _raw(network: Any, stack: Any, rows: Any) -> Any:
    """Return the output layer before the link, (starts, m, outputs)."""
    Theta = network.thetas(stack)[-1]
    if network.n_hidden:
        below = network.hidden(stack, rows, network.n_hidden)
    else:
        below = rows.expand(len(stack), *rows.shape)
    return below @ Theta[:, :, 1:].transpose(1, 2) + Theta[:, None, :, 0]
