"""Steps in place of what is large or taken often: fused where a kind of array has them fused."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.linalg import get_lapack_funcs

from symbreak.arrays.kinds import Array, is_tensor, namespace
from symbreak.arrays.tensors import imported_torch


def add_scaled_(total: Array, array: Array, scale: float) -> None:
    """Add scale · array to `total`."""
    if is_tensor(total):
        total.add_(array, alpha=scale)
    else:
        total += array * scale


def add_product_(total: Array, one: Array, other: Array, scale: float = 1.0) -> None:
    """Add scale · one · other, entry by entry, to `total`."""
    if is_tensor(total):
        total.addcmul_(one, other, value=scale)
        return
    product = one * other
    if scale != 1.0:
        product *= scale
    total += product


def add_quotient_(total: Array, above: Array, below: Array, scale: float) -> None:
    """Add scale · above / below, entry by entry, to `total`."""
    if is_tensor(total):
        total.addcdiv_(above, below, value=scale)
        return
    quotient = above / below
    quotient *= scale
    total += quotient


def add_matrix_products_(total: Array, left: Array, right: Array) -> None:
    """Add left @ right to `total` (s, n, k), from (s, n, r) and (s, r, k)."""
    if is_tensor(total):
        total.baddbmm_(left, right)
        return
    # One after the other, so that what is held beside is one matrix.
    for number in range(total.shape[0]):
        matrix = total[number, ...]
        matrix += left[number, ...] @ right[number, ...]


def dots(one: Array, other: Array) -> Array:
    """Return the dot product of each row with its other, (s,) from (s, n)."""
    if is_tensor(one):
        return imported_torch("dots").linalg.vecdot(one, other)
    return namespace(one).linalg.vecdot(one, other)


def chosen(which: Array, new: Array, old: Array) -> Array:
    """Return `new` where `which` is true and `old` elsewhere."""
    return new.where(which, old) if is_tensor(new) else namespace(new).where(which, new, old)


def solve_positive(matrices: Array, vectors: Array) -> tuple[Array, Array]:
    """Return the x of `matrices` x = `vectors` by Cholesky factors, and which matrices had one.

    Parameters
    ----------
    matrices : (s, n, n), symmetric.
    vectors : (s, n).
    """
    if is_tensor(matrices):
        torch = namespace(matrices)
        factor, info = torch.linalg.cholesky_ex(matrices)
        return torch.cholesky_solve(vectors[:, :, None], factor)[:, :, 0], info == 0
    posv: Any = get_lapack_funcs("posv", (matrices, vectors))
    solved = [posv(*pair)[1:] for pair in zip(matrices, vectors, strict=True)]
    return np.stack([x for x, _ in solved]), np.array([info == 0 for _, info in solved])
