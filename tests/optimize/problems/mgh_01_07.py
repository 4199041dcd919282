"""Problems 1 to 7 of Moré, Garbow and Hillstrom (1981): two and three parameters, no data.

Conventions: x (..., n); f = Σ r² as in the paper; a `Minimum` states f, J = f / 2 (core.py).
"""

from __future__ import annotations

import math

import numpy as np

from tests.optimize.problems.core import (
    Minimum,
    columns,
    count,
    least_squares,
    matrix,
    parts,
    vector,
)


def rosenbrock(x):
    """10 (x2 - x1²), 1 - x1."""
    x1, x2 = np.moveaxis(x, -1, 0)
    return vector(x, 10 * (x2 - x1**2), 1 - x1)


def rosenbrock_jacobian(x):
    x1 = x[..., 0]
    return matrix(x, (-20 * x1, 10.0), (-1.0, 0.0))


def freudenstein_roth(x):
    """-13 + x1 + ((5 - x2) x2 - 2) x2, -29 + x1 + ((x2 + 1) x2 - 14) x2."""
    x1, x2 = np.moveaxis(x, -1, 0)
    return vector(x, -13 + x1 + ((5 - x2) * x2 - 2) * x2, -29 + x1 + ((x2 + 1) * x2 - 14) * x2)


def freudenstein_roth_jacobian(x):
    x2 = x[..., 1]
    return matrix(x, (1.0, (10 - 3 * x2) * x2 - 2), (1.0, (3 * x2 + 2) * x2 - 14))


def powell_badly_scaled(x):
    """10⁴ x1 x2 - 1, exp(-x1) + exp(-x2) - 1.0001."""
    x1, x2 = np.moveaxis(x, -1, 0)
    return vector(x, 1e4 * x1 * x2 - 1, np.exp(-x1) + np.exp(-x2) - 1.0001)


def powell_badly_scaled_jacobian(x):
    x1, x2 = np.moveaxis(x, -1, 0)
    return matrix(x, (1e4 * x2, 1e4 * x1), (-np.exp(-x1), -np.exp(-x2)))


def brown_badly_scaled(x):
    """x1 - 10⁶, x2 - 2·10⁻⁶, x1 x2 - 2."""
    x1, x2 = np.moveaxis(x, -1, 0)
    return vector(x, x1 - 1e6, x2 - 2e-6, x1 * x2 - 2)


def brown_badly_scaled_jacobian(x):
    x1, x2 = np.moveaxis(x, -1, 0)
    return matrix(x, (1.0, 0.0), (0.0, 1.0), (x2, x1))


def beale(x):
    """y_i - x1 (1 - x2^i), y = 1.5, 2.25, 2.625."""
    x1, x2 = np.moveaxis(x, -1, 0)
    return vector(x, *(y - x1 * (1 - x2**i) for i, y in ((1, 1.5), (2, 2.25), (3, 2.625))))


def beale_jacobian(x):
    x1, x2 = np.moveaxis(x, -1, 0)
    return matrix(x, *((x2**i - 1, i * x1 * x2 ** (i - 1)) for i in (1, 2, 3)))


def jennrich_sampson(x, m=10):
    """2 + 2 i - (exp(i x1) + exp(i x2))."""
    x1, x2 = parts(x)
    i = count(x, m)
    return 2 + 2 * i - (np.exp(i * x1) + np.exp(i * x2))


def jennrich_sampson_jacobian(x, m=10):
    x1, x2 = parts(x)
    i = count(x, m)
    return columns(-i * np.exp(i * x1), -i * np.exp(i * x2))


def helical_valley(x):
    """10 (x3 - 10 θ), 10 (|(x1, x2)| - 1), x3; θ in (-1/4, 3/4), the turns of (x1, x2)."""
    x1, x2, x3 = np.moveaxis(x, -1, 0)
    turns = np.arctan(x2 / x1) / (2 * math.pi)
    turns = np.where(x1 < 0, turns + 0.5, turns)
    return vector(x, 10 * (x3 - 10 * turns), 10 * (np.sqrt(x1**2 + x2**2) - 1), x3)


def helical_valley_jacobian(x):
    x1, x2, _ = np.moveaxis(x, -1, 0)
    rho = np.sqrt(x1**2 + x2**2)
    around = 100 / (2 * math.pi * rho**2)
    return matrix(
        x, (around * x2, -around * x1, 10.0), (10 * x1 / rho, 10 * x2 / rho, 0.0), (0.0, 0.0, 1.0)
    )


PROBLEMS = (
    least_squares(
        "mgh01_rosenbrock", rosenbrock, rosenbrock_jacobian, (-1.2, 1), Minimum(0, at=(1, 1))
    ),
    least_squares(
        "mgh02_freudenstein_roth",
        freudenstein_roth,
        freudenstein_roth_jacobian,
        (0.5, -2),
        Minimum(0, at=(5, 4)),
        Minimum(48.98425367924, at=(11.4127789869021, -0.8968052532744764), printed=48.9842),
    ),
    least_squares(
        "mgh03_powell_badly_scaled",
        powell_badly_scaled,
        powell_badly_scaled_jacobian,
        (0, 1),
        Minimum(0, at=(1.098159329699798e-5, 9.106146739866686)),
        Minimum(1.040294003962, at=(-0.009948091925800946, -0.009948091925800946)),
    ),
    least_squares(
        "mgh04_brown_badly_scaled",
        brown_badly_scaled,
        brown_badly_scaled_jacobian,
        (1, 1),
        Minimum(0, at=(1e6, 2e-6)),
    ),
    least_squares("mgh05_beale", beale, beale_jacobian, (1, 1), Minimum(0, at=(3, 0.5))),
    least_squares(
        "mgh06_jennrich_sampson",
        jennrich_sampson,
        jennrich_sampson_jacobian,
        (0.3, 0.4),
        Minimum(124.3621823556, at=(0.2578252136703642, 0.2578252136703642), printed=124.362),
        Minimum(259.5801901343),  # towards x1 = -infinity, x2 = 0.33148...
    ),
    least_squares(
        "mgh07_helical_valley",
        helical_valley,
        helical_valley_jacobian,
        (-1, 0, 0),
        Minimum(0, at=(1, 0, 0)),
    ),
)
