"""Problems 13 to 16 of Moré, Garbow and Hillstrom (1981): four parameters.

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
from tests.optimize.problems.mgh_data import KOWALIK_U, KOWALIK_Y
from tests.optimize.problems.mgh_minimisers import AT


def powell_singular(x):
    """x1 + 10 x2, √5 (x3 - x4), (x2 - 2 x3)², √10 (x1 - x4)²."""
    x1, x2, x3, x4 = np.moveaxis(x, -1, 0)
    return vector(
        x,
        x1 + 10 * x2,
        math.sqrt(5) * (x3 - x4),
        (x2 - 2 * x3) ** 2,
        math.sqrt(10) * (x1 - x4) ** 2,
    )


def powell_singular_jacobian(x):
    x1, x2, x3, x4 = np.moveaxis(x, -1, 0)
    third, fourth = 2 * (x2 - 2 * x3), 2 * math.sqrt(10) * (x1 - x4)
    return matrix(
        x,
        (1.0, 10.0, 0.0, 0.0),
        (0.0, 0.0, math.sqrt(5), -math.sqrt(5)),
        (0.0, third, -2 * third, 0.0),
        (fourth, 0.0, 0.0, -fourth),
    )


def wood(x):
    """10 (x2 - x1²), 1 - x1, √90 (x4 - x3²), 1 - x3, √10 (x2 + x4 - 2), (x2 - x4) / √10."""
    x1, x2, x3, x4 = np.moveaxis(x, -1, 0)
    return vector(
        x,
        10 * (x2 - x1**2),
        1 - x1,
        math.sqrt(90) * (x4 - x3**2),
        1 - x3,
        math.sqrt(10) * (x2 + x4 - 2),
        (x2 - x4) / math.sqrt(10),
    )


def wood_jacobian(x):
    x1, x3 = x[..., 0], x[..., 2]
    return matrix(
        x,
        (-20 * x1, 10.0, 0.0, 0.0),
        (-1.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, -2 * math.sqrt(90) * x3, math.sqrt(90)),
        (0.0, 0.0, -1.0, 0.0),
        (0.0, math.sqrt(10), 0.0, math.sqrt(10)),
        (0.0, 1 / math.sqrt(10), 0.0, -1 / math.sqrt(10)),
    )


def kowalik_osborne(x):
    """y_i - x1 (u² + u x2) / (u² + u x3 + x4)."""
    x1, x2, x3, x4 = parts(x)
    u = np.array(KOWALIK_U, x.dtype)
    return np.array(KOWALIK_Y, x.dtype) - x1 * (u**2 + u * x2) / (u**2 + u * x3 + x4)


def kowalik_osborne_jacobian(x):
    x1, x2, x3, x4 = parts(x)
    u = np.array(KOWALIK_U, x.dtype)
    above, below = u**2 + u * x2, u**2 + u * x3 + x4
    slope = x1 * above / below**2
    return columns(-above / below, -x1 * u / below, slope * u, slope)


def _brown_dennis_parts(x, m):
    x1, x2, x3, x4 = parts(x)
    t = count(x, m) / 5
    return t, x1 + t * x2 - np.exp(t), x3 + x4 * np.sin(t) - np.cos(t)


def brown_dennis(x, m=20):
    """(x1 + t x2 - eᵗ)² + (x3 + x4 sin t - cos t)², t = i / 5."""
    _, a, b = _brown_dennis_parts(x, m)
    return a**2 + b**2


def brown_dennis_jacobian(x, m=20):
    t, a, b = _brown_dennis_parts(x, m)
    return columns(2 * a, 2 * a * t, 2 * b, 2 * b * np.sin(t))


PROBLEMS = (
    least_squares(
        "mgh13_powell_singular",
        powell_singular,
        powell_singular_jacobian,
        (3, -1, 0, 1),
        Minimum(0, at=(0, 0, 0, 0)),
    ),
    least_squares("mgh14_wood", wood, wood_jacobian, (-3, -1, -3, -1), Minimum(0, at=(1, 1, 1, 1))),
    least_squares(
        "mgh15_kowalik_osborne",
        kowalik_osborne,
        kowalik_osborne_jacobian,
        (0.25, 0.39, 0.415, 0.39),
        Minimum(3.075056038492e-4, at=AT["kowalik_osborne"], printed=3.07505e-4),
        # Towards x1 = infinity, x3 = x4 = -infinity, x2 = -14.07...
        Minimum(1.027343048695e-3, printed=1.02734e-3),
    ),
    least_squares(
        "mgh16_brown_dennis",
        brown_dennis,
        brown_dennis_jacobian,
        (25, 5, -5, -1),
        Minimum(85822.20162636, at=AT["brown_dennis"], printed=85822.2),
    ),
)
