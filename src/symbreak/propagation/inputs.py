"""X and y in the form that a pass needs, checked at the door."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from symbreak.arrays import as_tensor
from symbreak.errors import InvalidInput
from symbreak.network import Network


def with_ones(X: Any, network: Network, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return (m, 1 + features): X behind a column of ones.

    Raises
    ------
    InvalidInput
        X is not two-dimensional, empty, of other width, or holds NaN or infinity.
    """
    X = as_tensor(X, "X")
    if X.dim() != 2 or X.shape[1] != network.n_features:
        raise InvalidInput(
            f"X of this network must be of shape (examples, {network.n_features}). "
            f"Got {tuple(X.shape)}."
        )
    if X.shape[0] == 0:
        raise InvalidInput("X must hold at least one example. Got 0 rows.")
    rows = torch.empty((X.shape[0], 1 + X.shape[1]), dtype=dtype, device=device)
    rows[:, 0] = 1.0
    rows[:, 1:] = X
    # A sum is finite only if every number is, and needs no mask as large as X.
    if not bool(torch.isfinite(rows.sum())) and not bool(torch.isfinite(rows).all()):
        row, column = torch.nonzero(~torch.isfinite(rows))[0].tolist()
        raise InvalidInput(
            f"X must be finite in {str(dtype).removeprefix('torch.')}. "
            f"Got {X[row, column - 1].item()!r} in row {row}, column {column - 1}."
        )
    return rows


def prepared_target(y: Any, network: Network, rows: Tensor) -> Tensor:
    """Return the target of the loss of `network`: floating in the dtype of `rows`, or indices.

    Raises
    ------
    InvalidInput
        Not finite, another number of examples, values outside the range of the loss.
    """
    # A copy: what the user does to y later must not change the cost.
    y = as_tensor(y, "y").to(rows.device, copy=True)
    if y.is_floating_point() and not bool(torch.isfinite(y).all()):
        raise InvalidInput("y must be finite. Got NaN or infinity.")
    if y.dim() == 0 or len(y) != len(rows):
        raise InvalidInput(
            f"X and y must have equally many examples. Got {len(rows)} rows of X and "
            f"y of shape {tuple(y.shape)}."
        )
    target = network.loss.prepare(y, network.n_outputs)
    return target if network.loss.target_is_index else target.to(rows.dtype)
