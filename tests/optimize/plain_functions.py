"""Smooth problems with known minima, as functions theta -> (J, gradient) over stacks of starts."""

from __future__ import annotations

import numpy as np
from scipy.optimize import rosen, rosen_der


def rosenbrock(theta):
    """Minimum 0 at (1, ..., 1)."""
    rows = np.atleast_2d(theta).astype(np.float64)
    value, gradient = np.array([rosen(row) for row in rows]), np.array([rosen_der(r) for r in rows])
    return (value[0], gradient[0]) if np.ndim(theta) == 1 else (value, gradient)


def cliff(theta):
    """Σ(eˣ - x), minimum n at 0; from (20, -800) one side is a cliff and the other a plain."""
    return np.sum(np.exp(theta) - theta, axis=-1), np.exp(theta) - 1.0


def quadratic(theta, curvatures=(1.0, 10.0, 100.0), offset=0.0):
    """½ Σ c x² + offset, minimum `offset` at 0."""
    c = np.asarray(curvatures)
    return 0.5 * np.sum(c * theta**2, axis=-1) + offset, c * theta


def walled(theta):
    """½ |x|² where every x < 1.5, NaN beyond; minimum 0 at 0."""
    value = 0.5 * np.sum(theta**2, axis=-1)
    return np.where(np.any(theta > 1.5, axis=-1), np.nan, value), theta


PROBLEMS = {
    "rosenbrock": (rosenbrock, np.array([-1.2, 1.0, -1.2, 1.0]), 0.0, 1.0),
    "cliff": (cliff, np.array([2.0, -3.0]), 2.0, 0.0),
    "quadratic": (quadratic, np.array([3.0, -2.0, 1.0]), 0.0, 0.0),
    "walled": (walled, np.array([1.4, -8.0]), 0.0, 0.0),
}
