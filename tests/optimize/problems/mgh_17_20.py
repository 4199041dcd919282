"""Problems 17 to 20 of Moré, Garbow and Hillstrom (1981): five to twelve parameters.

Conventions: x (..., n); f = Σ r² as in the paper; a `Minimum` states f, J = f / 2 (core.py).
"""

from __future__ import annotations

import numpy as np

from tests.optimize.problems.core import Minimum, columns, count, least_squares, matrix, parts
from tests.optimize.problems.mgh_data import OSBORNE_1, OSBORNE_2
from tests.optimize.problems.mgh_minimisers import AT


def osborne_1(x):
    """y_i - (x1 + x2 exp(-t x4) + x3 exp(-t x5)), t = 10 (i - 1)."""
    x1, x2, x3, x4, x5 = parts(x)
    t = 10 * (count(x, 33) - 1)
    return np.array(OSBORNE_1, x.dtype) - (x1 + x2 * np.exp(-t * x4) + x3 * np.exp(-t * x5))


def osborne_1_jacobian(x):
    _, x2, x3, x4, x5 = parts(x)
    t = 10 * (count(x, 33) - 1)
    e4, e5 = np.exp(-t * x4), np.exp(-t * x5)
    return columns(-np.ones_like(t), -e4, -e5, x2 * t * e4, x3 * t * e5)


def biggs(x, m=13):
    """x3 exp(-t x1) - x4 exp(-t x2) + x6 exp(-t x5) - y, t = i / 10, y such that f is 0."""
    x1, x2, x3, x4, x5, x6 = parts(x)
    t = count(x, m) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x3 * np.exp(-t * x1) - x4 * np.exp(-t * x2) + x6 * np.exp(-t * x5) - y


def biggs_jacobian(x, m=13):
    x1, x2, x3, x4, x5, x6 = parts(x)
    t = count(x, m) / 10
    e1, e2, e5 = np.exp(-t * x1), np.exp(-t * x2), np.exp(-t * x5)
    return columns(-t * x3 * e1, t * x4 * e2, e1, -e2, -t * x6 * e5, e5)


def _osborne_2_parts(x):
    """Return t (65,), t - x9..11 (..., 3, 65) and the four exponentials (..., 4, 65)."""
    t = (count(x, 65) - 1) / 10
    d = t - x[..., 8:11, None]
    first = np.exp(-t * x[..., 4:5, None])
    return t, d, np.concatenate([first, np.exp(-(d**2) * x[..., 5:8, None])], -2)


def osborne_2(x):
    """y_i - (x1 exp(-t x5) + Σ_{k=2,3,4} x_k exp(-(t - x_{k+7})² x_{k+4})), t = (i - 1) / 10."""
    _, _, e = _osborne_2_parts(x)
    return np.array(OSBORNE_2, x.dtype) - (x[..., :4, None] * e).sum(-2)


def osborne_2_jacobian(x):
    t, d, e = _osborne_2_parts(x)
    weighted = x[..., :4, None] * e
    by_width = weighted[..., 1:, :] * d**2
    by_centre = -2 * weighted[..., 1:, :] * x[..., 5:8, None] * d
    return np.concatenate([-e, weighted[..., :1, :] * t, by_width, by_centre], -2).mT


def _watson_matrices(x):
    """Return t^(j-1) and its derivative (j-1) t^(j-2), both (29, n), t = i / 29."""
    t, j = count(x, 29)[:, None] / 29, count(x, x.shape[-1])
    return t ** (j - 1), (j - 1) * t ** (j - 2)


def watson(x):
    """dp/dt - p² - 1 for p(t) = Σ x_j t^(j-1), t = i / 29; then x1, x2 - x1² - 1."""
    powers, slopes = _watson_matrices(x)
    x1, x2 = x[..., :1], x[..., 1:2]
    return np.concatenate([x @ slopes.T - (x @ powers.T) ** 2 - 1, x1, x2 - x1**2 - 1], -1)


def watson_jacobian(x):
    powers, slopes = _watson_matrices(x)
    n = x.shape[-1]
    most = slopes - 2 * (x @ powers.T)[..., None] * powers
    last = matrix(x, (1.0, *[0.0] * (n - 1)), (-2 * x[..., 0], 1.0, *[0.0] * (n - 2)))
    return np.concatenate([most, last], -2)


def _watson(n, f, printed):
    minimum = Minimum(f, at=AT["watson"][n], printed=printed)
    return least_squares(f"mgh20_watson_{n}", watson, watson_jacobian, np.zeros(n), minimum)


PROBLEMS = (
    least_squares(
        "mgh17_osborne_1",
        osborne_1,
        osborne_1_jacobian,
        (0.5, 1.5, -1, 0.01, 0.02),
        Minimum(5.464894697483e-5, at=AT["osborne_1"], printed=5.46489e-5),
    ),
    least_squares(
        "mgh18_biggs",
        biggs,
        biggs_jacobian,
        (1, 2, 1, 1, 1, 1),
        Minimum(0, at=(1, 10, 1, 5, 4, 3)),
        Minimum(5.6556499255e-3, at=AT["biggs_local"], printed=5.65565e-3),
    ),
    least_squares(
        "mgh19_osborne_2",
        osborne_2,
        osborne_2_jacobian,
        (1.3, 0.65, 0.65, 0.7, 0.6, 3, 5, 7, 2, 4.5, 5.5),
        Minimum(4.013773629355e-2, at=AT["osborne_2"], printed=4.01377e-2),
    ),
    _watson(6, 2.287670053552e-3, printed=2.28767e-3),
)
VARIANTS = (
    _watson(9, 1.399760138099e-6, printed=1.39976e-6),
    _watson(12, 4.722381105892e-10, printed=4.72238e-10),
)
