"""X and y in the form that a pass needs, checked at the door."""

from __future__ import annotations

from typing import Any

import numpy as np

from symbreak.arrays import (
    Array,
    alike,
    as_array,
    cast,
    copied,
    empty_like,
    namespace,
    plain_number,
    quiet,
    word_of,
)
from symbreak.errors import InvalidInput
from symbreak.network import Network


def sparse_with_ones(X: Any, network: Network, word: str) -> Any:
    """Return the same of sparse X, a CSR matrix of SciPy in that dtype; see `with_ones`."""
    from scipy import sparse

    _check_shape(X, network)
    ones = sparse.csr_array(np.ones((X.shape[0], 1), word))
    rows = sparse.hstack([ones, sparse.csr_array(X, dtype=word)], format="csr")
    if not np.isfinite(rows.data).all():
        raise InvalidInput(f"X must be finite in {word}. Got NaN or infinity.")
    return rows


@quiet
def with_ones(X: Any, network: Network, like: Array) -> Array:
    """Return (m, 1 + features), of the kind, dtype and device of `like`: X behind a column of ones.

    Raises
    ------
    InvalidInput
        X is not two-dimensional, empty, of other width, or holds NaN or infinity.
    """
    X = as_array(X, "X")
    _check_shape(X, network)
    rows, xp = empty_like(like, (X.shape[0], 1 + X.shape[1])), namespace(like)
    rows[:, 0] = 1.0
    rows[:, 1:] = alike(X, rows)
    # A sum is finite only if every number is, and needs no mask as large as X.
    if not bool(xp.isfinite(xp.sum(rows))) and not bool(xp.all(xp.isfinite(rows))):
        row, column = (int(places[0]) for places in xp.nonzero(~xp.isfinite(rows)))
        raise InvalidInput(
            f"X must be finite in {word_of(rows.dtype)}. "
            f"Got {plain_number(X[row, column - 1])!r} in X[{row}, {column - 1}]."
        )
    return rows


def _check_shape(X: Any, network: Network) -> None:
    if X.ndim != 2 or X.shape[1] != network.n_features:
        raise InvalidInput(
            f"X of this network must be of shape (examples, {network.n_features}). "
            f"Got {tuple(X.shape)}."
        )
    if X.shape[0] == 0:
        raise InvalidInput("X must hold at least one example. Got 0 rows.")


def prepared_target(y: Any, network: Network, like: Array, m: int) -> Array:
    """Return the target of the loss of `network`: floating in the dtype of `like`, or indices.

    Parameters
    ----------
    like : an array of the kind, dtype and device of the rows.
    m : how many rows there are.

    Raises
    ------
    InvalidInput
        Not finite, another number of examples, values outside the range of the loss.
    """
    # A copy: what the user does to y later must not change the cost.
    y, xp = copied(alike(as_array(y, "y"), like)), namespace(like)
    if xp.isdtype(y.dtype, "real floating") and not bool(xp.all(xp.isfinite(y))):
        raise InvalidInput("y must be finite. Got NaN or infinity.")
    if y.ndim == 0 or y.shape[0] != m:
        raise InvalidInput(
            f"X and y must have equally many examples. Got {m} rows of X and "
            f"y of shape {tuple(y.shape)}."
        )
    target = network.loss.prepare(y, network.n_outputs)
    return target if network.loss.target_is_index else cast(target, word_of(like.dtype))
