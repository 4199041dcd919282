"""The products of the first layer with rows of X, dense or sparse.

Sparse rows are a CSR matrix of SciPy, (m, 1 + features) with the column of ones in front; their
products take time and memory by the numbers that are not zero.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from symbreak.arrays import Array, into, namespace


def is_sparse(rows: object) -> TypeGuard[Any]:
    """Whether rows are sparse, of SciPy, which is not imported for that."""
    return hasattr(rows, "toarray")


def weighted_inputs(theta: Array, rows_T: Any, out: Array) -> None:
    """Write Theta rows^T into `out`, (units, m); theta is (units, 1 + features)."""
    if is_sparse(rows_T):
        out[...] = (rows_T.T @ theta.T).T
    else:
        into(out, namespace(rows_T).matmul, theta, rows_T)


def slopes(delta: Array, rows: Any, out: Array, *, accumulate: bool) -> None:
    """Write delta rows into `out`, (units, 1 + features), or add it; delta is (units, m)."""
    if is_sparse(rows):
        found = (rows.T @ delta.T).T
    elif accumulate:
        found = namespace(rows).matmul(delta, rows)
    else:
        into(out, namespace(rows).matmul, delta, rows)
        return
    if accumulate:
        out += found
    else:
        out[...] = found
