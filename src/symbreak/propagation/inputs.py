"""X and y in the form that a pass needs, checked at the door."""

from __future__ import annotations

from typing import Any

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


@quiet
def with_ones(X: Any, network: Network, like: Array) -> Array:
    """Return (m, 1 + features), of the kind, dtype and device of `like`: X behind a column of ones.

    Raises
    ------
    InvalidInput
        X is not two-dimensional, empty, of other width, or holds NaN or infinity.
    """
    X = as_array(X, "X")
    if X.ndim != 2 or X.shape[1] != network.n_features:
        raise InvalidInput(
            f"X of this network must be of shape (examples, {network.n_features}). "
            f"Got {tuple(X.shape)}."
        )
    if X.shape[0] == 0:
        raise InvalidInput("X must hold at least one example. Got 0 rows.")
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


def prepared_target(y: Any, network: Network, rows: Array) -> Array:
    """Return the target of the loss of `network`: floating in the dtype of `rows`, or indices.

    Raises
    ------
    InvalidInput
        Not finite, another number of examples, values outside the range of the loss.
    """
    # A copy: what the user does to y later must not change the cost.
    y, xp = copied(alike(as_array(y, "y"), rows)), namespace(rows)
    if xp.isdtype(y.dtype, "real floating") and not bool(xp.all(xp.isfinite(y))):
        raise InvalidInput("y must be finite. Got NaN or infinity.")
    if y.ndim == 0 or y.shape[0] != rows.shape[0]:
        raise InvalidInput(
            f"X and y must have equally many examples. Got {rows.shape[0]} rows of X and "
            f"y of shape {tuple(y.shape)}."
        )
    target = network.loss.prepare(y, network.n_outputs)
    return target if network.loss.target_is_index else cast(target, word_of(rows.dtype))
