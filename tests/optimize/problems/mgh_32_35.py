"""Problems 32 to 35 of Moré, Garbow and Hillstrom (1981): linear functions, Chebyquad.

Conventions: x (..., n); f = Σ r² as in the paper; a `Minimum` states f, J = f / 2 (core.py).
i, j count from 1.
"""

from __future__ import annotations

import numpy as np

from tests.optimize.problems.core import Minimum, constant, count, least_squares
from tests.optimize.problems.mgh_minimisers import AT


def linear_full_rank(x, m=15):
    """x_i - 2/m Σ x_j - 1 for i <= n, -2/m Σ x_j - 1 for the others."""
    own = x @ np.eye(x.shape[-1], m, dtype=x.dtype)
    return own - 2 / m * x.sum(-1, keepdims=True) - 1


def linear_full_rank_jacobian(x, m=15):
    return constant(np.eye(m, x.shape[-1], dtype=x.dtype) - 2 / m, x)


def linear_rank_1(x, m=15):
    """i Σ j x_j - 1."""
    return count(x, m) * (count(x, x.shape[-1]) * x).sum(-1, keepdims=True) - 1


def linear_rank_1_jacobian(x, m=15):
    return constant(count(x, m)[:, None] * count(x, x.shape[-1]), x)


def _inner(x, m):
    """Return 0, 1, ..., m - 2, 0 and 0, 2, 3, ..., n - 1, 0."""
    left, right = count(x, m) - 1, count(x, x.shape[-1])
    left[-1], right[0], right[-1] = 0, 0, 0
    return left, right


def linear_rank_1_zeros(x, m=15):
    """-1, (i - 1) Σ_{1<j<n} j x_j - 1 for 1 < i < m, -1."""
    left, right = _inner(x, m)
    return left * (right * x).sum(-1, keepdims=True) - 1


def linear_rank_1_zeros_jacobian(x, m=15):
    left, right = _inner(x, m)
    return constant(left[:, None] * right, x)


def _chebyshev(x):
    """Return T_i(2 x - 1) and its derivative by x for i = 1, ..., n: (..., n, n) each."""
    y = 2 * x - 1
    values, slopes = [np.ones_like(x), y], [np.zeros_like(x), np.full_like(x, 2.0)]
    for _ in range(x.shape[-1] - 1):
        slopes.append(4 * values[-1] + 2 * y * slopes[-1] - slopes[-2])
        values.append(2 * y * values[-1] - values[-2])
    return np.stack(values[1:], -2), np.stack(slopes[1:], -2)


def chebyquad(x):
    """Mean over j of T_i(2 x_j - 1) - its mean over [0, 1]: 0, or -1 / (i² - 1) for even i."""
    i = count(x, x.shape[-1])
    exact = np.zeros_like(i)
    exact[1::2] = -1 / (i[1::2] ** 2 - 1)
    return _chebyshev(x)[0].mean(-1) - exact


def chebyquad_jacobian(x):
    return _chebyshev(x)[1] / x.shape[-1]


N, M = 10, 15


def _shortest(weights, total):
    """Return the shortest x with weights · x = total."""
    return total * weights / (weights @ weights)


def _chebyquad(n, *minima):
    start = np.arange(1, n + 1) / (n + 1)
    return least_squares(f"mgh35_chebyquad_{n}", chebyquad, chebyquad_jacobian, start, *minima)


PROBLEMS = (
    least_squares(
        "mgh32_linear_full_rank_10",
        linear_full_rank,
        linear_full_rank_jacobian,
        np.ones(N),
        Minimum(M - N, at=np.full(N, -1.0)),
    ),
    least_squares(
        "mgh33_linear_rank_1_10",
        linear_rank_1,
        linear_rank_1_jacobian,
        np.ones(N),
        Minimum(
            M * (M - 1) / (2 * (2 * M + 1)),
            at=_shortest(np.arange(1.0, N + 1), 3 / (2 * M + 1)),
        ),
    ),
    least_squares(
        "mgh34_linear_rank_1_zeros_10",
        linear_rank_1_zeros,
        linear_rank_1_zeros_jacobian,
        np.ones(N),
        Minimum(
            (M**2 + 3 * M - 6) / (2 * (2 * M - 3)),
            at=_shortest(np.array([0.0, *range(2, N), 0.0]), 3 / (2 * M - 3)),
        ),
    ),
    _chebyquad(8, Minimum(3.516873725678e-3, at=AT["chebyquad_8"], printed=3.51687e-3)),
)
VARIANTS = (
    _chebyquad(9, Minimum(0, at=AT["chebyquad_9"])),
    _chebyquad(
        10,
        Minimum(4.772713696375e-3, at=AT["chebyquad_10_global"]),
        # The paper prints this one, which methods reach from the standard start.
        Minimum(6.503954800882e-3, at=AT["chebyquad_10_printed"], printed=6.50395e-3),
        Minimum(9.500628850222e-3, at=AT["chebyquad_10_third"]),
    ),
)
