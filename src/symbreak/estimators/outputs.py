"""What comes out of a network with some thetas: predictions, their logarithms, hidden activations.

Computed block of rows by block of rows, so that sparse rows are dense only a block at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from symbreak.estimators.problem import Array, Scaling
from symbreak.network import Network
from symbreak.training.combine import by_blocks


def dense(X: Any) -> Array:
    """Return rows as a dense array."""
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X)


class Inputs:
    """Rows of X (m, features), which become the network's as they are taken.

    Parameters
    ----------
    X : validated, dense or sparse.
    """

    def __init__(self, X: Any, scaling: Scaling) -> None:
        self._X, self._scaling = X, scaling

    def __len__(self) -> int:
        return int(self._X.shape[0])

    def __getitem__(self, rows: slice) -> Tensor:
        return self._scaling.inputs(dense(self._X[rows]))


def log_probabilities(network: Network, theta: Tensor, X: Inputs) -> Array:
    """Return log mean probabilities without a detour over probabilities that may be 0.

    (m, outputs) for soft-max; for sigmoids (2, m, outputs): of "no" and of "yes".
    """
    is_softmax = network.loss.target_is_index

    def of(rows: Tensor) -> Tensor:
        raw = _raw(network, theta, rows)
        logs = torch.log_softmax(raw, -1) if is_softmax else torch.stack(
            [torch.nn.functional.logsigmoid(-raw), torch.nn.functional.logsigmoid(raw)]
        )  # fmt: skip
        starts = 0 if is_softmax else 1
        count = torch.tensor(float(len(theta)), dtype=raw.dtype)
        return torch.logsumexp(logs, starts) - torch.log(count).to(raw.device)

    return by_blocks(X, of)


def _raw(network: Network, theta: Tensor, rows: Tensor) -> Tensor:
    """Return the output layer before the link, (starts, m, outputs)."""
    Theta = network.thetas(theta)[-1]
    if network.n_hidden:
        below = network.hidden(theta, rows, network.n_hidden)
    else:
        below = rows.expand(len(theta), *rows.shape)
    raw: Tensor = below @ Theta[:, :, 1:].transpose(1, 2) + Theta[:, None, :, 0]
    return raw
