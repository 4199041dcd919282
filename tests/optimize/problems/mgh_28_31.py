"""Problems 28 to 31 of Moré, Garbow and Hillstrom (1981): systems of equations.

Conventions: x (..., n); f = Σ r² as in the paper; a `Minimum` states f, J = f / 2 (core.py).
i, j count from 1; x_0 = x_{n+1} = 0; h = 1 / (n + 1), t_i = i h.
"""

from __future__ import annotations

import numpy as np

from tests.optimize.problems.core import Minimum, count, diagonal, identity, least_squares
from tests.optimize.problems.mgh_minimisers import AT


def boundary_value(x):
    """2 x_i - x_{i-1} - x_{i+1} + h² (x_i + t_i + 1)³ / 2."""
    h, t = _grid(x)
    return 2 * x - _before(x) - _after(x) + h**2 * (x + t + 1) ** 3 / 2


def boundary_value_jacobian(x):
    h, t = _grid(x)
    return diagonal(2 + 1.5 * h**2 * (x + t + 1) ** 2) - _shift(x, -1) - _shift(x, 1)


def integral_equation(x):
    """x_i + h/2 [(1 - t_i) Σ_{j<=i} t_j c_j + t_i Σ_{j>i} (1 - t_j) c_j], c = (x + t + 1)³."""
    _, t = _grid(x)
    return x + (x + t + 1) ** 3 @ _kernel(x).T


def integral_equation_jacobian(x):
    _, t = _grid(x)
    return identity(x) + _kernel(x) * 3 * ((x + t + 1) ** 2)[..., None, :]


def broyden_tridiagonal(x):
    """(3 - 2 x_i) x_i - x_{i-1} - 2 x_{i+1} + 1."""
    return (3 - 2 * x) * x - _before(x) - 2 * _after(x) + 1


def broyden_tridiagonal_jacobian(x):
    return diagonal(3 - 4 * x) - _shift(x, -1) - 2 * _shift(x, 1)


def broyden_banded(x):
    """x_i (2 + 5 x_i²) + 1 - Σ x_j (1 + x_j) over j != i, i - 5 <= j <= i + 1."""
    return x * (2 + 5 * x**2) + 1 - (x * (1 + x)) @ _band(x).T


def broyden_banded_jacobian(x):
    return diagonal(2 + 15 * x**2) - _band(x) * (1 + 2 * x)[..., None, :]


def _grid(x):
    h = 1 / (x.shape[-1] + 1)
    return h, count(x, x.shape[-1]) * h


def _kernel(x):
    """Return h/2 min(t_i, t_j) (1 - max(t_i, t_j)), (n, n)."""
    h, t = _grid(x)
    return h / 2 * np.minimum(t[:, None], t) * (1 - np.maximum(t[:, None], t))


def _band(x):
    i = count(x, x.shape[-1])
    ahead = i - i[:, None]
    return ((ahead >= -5) & (ahead <= 1) & (ahead != 0)).astype(x.dtype)


def _before(x):
    return x @ _shift(x, 1)


def _after(x):
    return x @ _shift(x, -1)


def _shift(x, offset):
    return np.eye(x.shape[-1], k=offset, dtype=x.dtype)


N = 10
GRID = np.arange(1, N + 1) / (N + 1)

PROBLEMS = (
    least_squares(
        "mgh28_boundary_value_10",
        boundary_value,
        boundary_value_jacobian,
        GRID * (GRID - 1),
        Minimum(0, at=AT["boundary_value"]),
    ),
    least_squares(
        "mgh29_integral_equation_10",
        integral_equation,
        integral_equation_jacobian,
        GRID * (GRID - 1),
        Minimum(0, at=AT["boundary_value"]),  # the same boundary value problem, integrated
    ),
    least_squares(
        "mgh30_broyden_tridiagonal_10",
        broyden_tridiagonal,
        broyden_tridiagonal_jacobian,
        np.full(N, -1.0),
        Minimum(0, at=AT["broyden_tridiagonal"]),
    ),
    least_squares(
        "mgh31_broyden_banded_10",
        broyden_banded,
        broyden_banded_jacobian,
        np.full(N, -1.0),
        Minimum(0, at=AT["broyden_banded"]),
    ),
)
