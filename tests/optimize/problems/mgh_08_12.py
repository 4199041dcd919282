"""Problems 8 to 12 of Moré, Garbow and Hillstrom (1981): three parameters, fits to data.

Conventions: x (..., n); f = Σ r² as in the paper; a `Minimum` states f, J = f / 2 (core.py).
"""

from __future__ import annotations

import numpy as np

from tests.optimize.problems.core import Minimum, columns, count, least_squares, parts
from tests.optimize.problems.mgh_minimisers import AT

BARD = (0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39)
GAUSSIAN = (0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989)
MEYER = (
    *(34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744),
    *(8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872),
)


def _bard_data(x):
    u = count(x, 15)
    v = 16 - u
    return u, v, np.minimum(u, v)


def bard(x):
    """y_i - (x1 + u / (v x2 + w x3)), u = i, v = 16 - i, w = min(u, v)."""
    x1, x2, x3 = parts(x)
    u, v, w = _bard_data(x)
    return np.array(BARD, x.dtype) - (x1 + u / (v * x2 + w * x3))


def bard_jacobian(x):
    _, x2, x3 = parts(x)
    u, v, w = _bard_data(x)
    slope = u / (v * x2 + w * x3) ** 2
    return columns(-np.ones_like(u), slope * v, slope * w)


def _bell(x):
    """Return t - x3 and exp(-x2 (t - x3)² / 2) for t = (8 - i) / 2."""
    _, x2, x3 = parts(x)
    d = (8 - count(x, 15)) / 2 - x3
    return d, np.exp(-x2 * d**2 / 2)


def gaussian(x):
    """x1 exp(-x2 (t - x3)² / 2) - y_i."""
    _, bell = _bell(x)
    return x[..., :1] * bell - np.array((*GAUSSIAN, *GAUSSIAN[-2::-1]), x.dtype)


def gaussian_jacobian(x):
    x1, x2, _ = parts(x)
    d, bell = _bell(x)
    return columns(bell, -x1 * d**2 / 2 * bell, x1 * x2 * d * bell)


def meyer(x):
    """x1 exp(x2 / (t + x3)) - y_i, t = 45 + 5 i."""
    x1, x2, x3 = parts(x)
    return x1 * np.exp(x2 / (45 + 5 * count(x, 16) + x3)) - np.array(MEYER, x.dtype)


def meyer_jacobian(x):
    x1, x2, x3 = parts(x)
    s = 45 + 5 * count(x, 16) + x3
    e = np.exp(x2 / s)
    return columns(e, x1 * e / s, -x1 * x2 * e / s**2)


def _gulf_parts(x, m):
    x1, x2, x3 = parts(x)
    t = count(x, m) / 100
    d = 25 + (-50 * np.log(t)) ** (2 / 3) - x2
    distance = d * np.sign(d.real)  # |d|, along complex steps too
    power = distance**x3 / x1
    return t, d, power, np.exp(-power)


def gulf(x, m=99):
    """exp(-|y_i - x2|^x3 / x1) - t_i, t = i / 100, y = 25 + (-50 ln t)^(2/3).

    The paper prints "y_i m i x2" for y_i - x2, a misprint: only so is its minimum a minimum.
    """
    t, _, _, e = _gulf_parts(x, m)
    return e - t


def gulf_jacobian(x, m=99):
    x1, _, x3 = parts(x)
    _, d, power, e = _gulf_parts(x, m)
    return columns(e * power / x1, e * power * x3 / d, -e * power * np.log(np.abs(d)))


def box(x, m=10):
    """exp(-t x1) - exp(-t x2) - x3 (exp(-t) - exp(-10 t)), t = i / 10."""
    x1, x2, x3 = parts(x)
    t = count(x, m) / 10
    return np.exp(-t * x1) - np.exp(-t * x2) - x3 * (np.exp(-t) - np.exp(-10 * t))


def box_jacobian(x, m=10):
    x1, x2, _ = parts(x)
    t = count(x, m) / 10
    return columns(-t * np.exp(-t * x1), t * np.exp(-t * x2), np.exp(-10 * t) - np.exp(-t))


PROBLEMS = (
    least_squares(
        "mgh08_bard",
        bard,
        bard_jacobian,
        (1, 1, 1),
        Minimum(8.214877306579e-3, at=AT["bard"], printed=8.21487e-3),
        # Towards x2 = x3 = -infinity, x1 the mean of y.
        Minimum(17.42869333333, printed=17.4286),
    ),
    least_squares(
        "mgh09_gaussian",
        gaussian,
        gaussian_jacobian,
        (0.4, 1, 0),
        Minimum(1.127932769619e-8, at=AT["gaussian"], printed=1.12793e-8),
    ),
    least_squares(
        "mgh10_meyer",
        meyer,
        meyer_jacobian,
        (0.02, 4000, 250),
        Minimum(87.94585517069, at=AT["meyer"], printed=87.9458),
    ),
    least_squares("mgh11_gulf", gulf, gulf_jacobian, (5, 2.5, 0.15), Minimum(0, at=(50, 25, 1.5))),
    # Also 0 at (10, 1, -1) and wherever x1 = x2 and x3 = 0.
    least_squares("mgh12_box", box, box_jacobian, (0, 10, 20), Minimum(0, at=(1, 10, 1))),
)
