"""Problems 21 to 27 of Moré, Garbow and Hillstrom (1981): any number of parameters.

Conventions: x (..., n); f = Σ r² as in the paper; a `Minimum` states f, J = f / 2 (core.py).
i, j count from 1.
"""

from __future__ import annotations

import math

import numpy as np

from tests.optimize.problems.core import (
    Minimum,
    constant,
    count,
    diagonal,
    identity,
    least_squares,
)
from tests.optimize.problems.mgh_01_07 import rosenbrock, rosenbrock_jacobian
from tests.optimize.problems.mgh_13_16 import powell_singular, powell_singular_jacobian
from tests.optimize.problems.mgh_minimisers import AT

ROOT_A = math.sqrt(1e-5)  # √a of both penalty functions


def chain(residuals, jacobian, size):
    """Return residuals and jacobian of groups of `size` parameters, one after another."""

    def all_residuals(x):
        groups = x.reshape(*x.shape[:-1], -1, size)
        return residuals(groups).reshape(*x.shape[:-1], -1)

    def all_jacobian(x):
        blocks = jacobian(x.reshape(*x.shape[:-1], -1, size))
        groups, rows = blocks.shape[-3], blocks.shape[-2]
        full = np.zeros((*x.shape[:-1], groups, rows, groups, size), x.dtype)
        for group in range(groups):
            full[..., group, :, group, :] = blocks[..., group, :, :]
        return full.reshape(*x.shape[:-1], groups * rows, x.shape[-1])

    return all_residuals, all_jacobian


def penalty_1(x):
    """√a (x_i - 1), then Σ x² - 1/4."""
    return np.concatenate([ROOT_A * (x - 1), (x**2).sum(-1, keepdims=True) - 0.25], -1)


def penalty_1_jacobian(x):
    return np.concatenate([constant(ROOT_A * identity(x), x), 2 * x[..., None, :]], -2)


def penalty_2(x):
    """x1 - 0.2; √a (E_i + E_{i-1} - y_i); √a (E_i - exp(-1/10)); Σ (n - j + 1) x_j² - 1.

    E_i = exp(x_i / 10), y_i = exp(i / 10) + exp((i - 1) / 10), i = 2, ..., n in both.
    """
    n = x.shape[-1]
    e, at = np.exp(x / 10), np.exp(count(x, n) / 10)
    pairs = ROOT_A * (e[..., 1:] + e[..., :-1] - at[1:] - at[:-1])
    singles = ROOT_A * (e[..., 1:] - math.exp(-0.1))
    ball = (count(x, n)[::-1] * x**2).sum(-1, keepdims=True) - 1
    return np.concatenate([x[..., :1] - 0.2, pairs, singles, ball], -1)


def penalty_2_jacobian(x):
    n = x.shape[-1]
    slopes = diagonal(ROOT_A / 10 * np.exp(x / 10))
    first = constant(identity(x)[:1], x)
    ball = (2 * count(x, n)[::-1] * x)[..., None, :]
    return np.concatenate(
        [first, slopes[..., 1:, :] + slopes[..., :-1, :], slopes[..., 1:, :], ball], -2
    )


def variably_dimensioned(x):
    """x_i - 1, s, s² with s = Σ j (x_j - 1)."""
    s = (count(x, x.shape[-1]) * (x - 1)).sum(-1, keepdims=True)
    return np.concatenate([x - 1, s, s**2], -1)


def variably_dimensioned_jacobian(x):
    j = count(x, x.shape[-1])
    s = (j * (x - 1)).sum(-1)[..., None, None]
    rows = constant(np.concatenate([identity(x), j[None]]), x)
    return np.concatenate([rows, 2 * s * j], -2)


def trigonometric(x):
    """n - Σ cos x_j + i (1 - cos x_i) - sin x_i."""
    n, c = x.shape[-1], np.cos(x)
    return n - c.sum(-1, keepdims=True) + count(x, n) * (1 - c) - np.sin(x)


def trigonometric_jacobian(x):
    own = count(x, x.shape[-1]) * np.sin(x) - np.cos(x)
    return np.sin(x)[..., None, :] + diagonal(own)


def brown_almost_linear(x):
    """x_i + Σ x_j - (n + 1) for i < n, Π x_j - 1."""
    n = x.shape[-1]
    most = x[..., :-1] + x.sum(-1, keepdims=True) - (n + 1)
    return np.concatenate([most, x.prod(-1, keepdims=True) - 1], -1)


def brown_almost_linear_jacobian(x):
    most = constant((identity(x) + 1)[:-1], x)
    # Π over the others, without dividing by x_j, which may be 0.
    others = np.where(identity(x) == 1, 1.0, x[..., None, :])
    return np.concatenate([most, others.prod(-1)[..., None, :]], -2)


def _penalty_1(n, f, printed):
    minimum = Minimum(f, at=np.full(n, AT["penalty_1"][n]), printed=printed)
    start = np.arange(1, n + 1)
    return least_squares(f"mgh23_penalty_1_{n}", penalty_1, penalty_1_jacobian, start, minimum)


def _penalty_2(n, f, printed):
    minimum = Minimum(f, at=AT["penalty_2"][n], printed=printed)
    start = np.full(n, 0.5)
    return least_squares(f"mgh24_penalty_2_{n}", penalty_2, penalty_2_jacobian, start, minimum)


N = 10
PROBLEMS = (
    least_squares(
        "mgh21_extended_rosenbrock_10",
        *chain(rosenbrock, rosenbrock_jacobian, 2),
        np.tile([-1.2, 1.0], 5),
        Minimum(0, at=np.ones(N)),
    ),
    least_squares(
        "mgh22_extended_powell_singular_12",
        *chain(powell_singular, powell_singular_jacobian, 4),
        np.tile([3.0, -1.0, 0.0, 1.0], 3),
        Minimum(0, at=np.zeros(12)),
    ),
    _penalty_1(4, 2.2499775009e-5, printed=2.24997e-5),
    _penalty_2(4, 9.376293007355e-6, printed=9.37629e-6),
    least_squares(
        "mgh25_variably_dimensioned_10",
        variably_dimensioned,
        variably_dimensioned_jacobian,
        1 - np.arange(1, N + 1) / N,
        Minimum(0, at=np.ones(N)),
    ),
    least_squares(
        "mgh26_trigonometric_10",
        trigonometric,
        trigonometric_jacobian,
        np.full(N, 1 / N),
        Minimum(0, at=np.zeros(N)),
        Minimum(2.795056121878e-5, at=AT["trigonometric_1"], printed=2.79506e-5),
        Minimum(4.218633887922e-5, at=AT["trigonometric_2"]),
        Minimum(8.788225218219e-4, at=AT["trigonometric_3"]),
    ),
    least_squares(
        "mgh27_brown_almost_linear_10",
        brown_almost_linear,
        brown_almost_linear_jacobian,
        np.full(N, 0.5),
        Minimum(0, at=np.ones(N)),
        Minimum(1, at=[*np.zeros(N - 1), N + 1], printed=1),
    ),
)
VARIANTS = (
    _penalty_1(10, 7.08765146709e-5, printed=7.08765e-5),
    _penalty_2(10, 2.936605374567e-4, printed=2.93660e-4),
)
