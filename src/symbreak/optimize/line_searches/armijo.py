"""Backtracking to a sufficient decrease, one per start.

Conventions
-----------
phi(t) = J(theta + t direction), phi'(t) its slope; f0 = phi(0), d0 = phi'(0) < 0
sufficient decrease (Armijo 1966):  phi(t) <= f0 + c1 t d0,  and phi(t) < f0 as numbers
A step t too long is followed by the minimiser of the parabola through f0, d0 and phi(t), later of
the cubic that also passes through the trial before (Dennis & Schnabel 1983, section 6.3.2), kept
within [0.1 t, 0.5 t].
"""

from __future__ import annotations

import numpy as np

from symbreak.optimize.line_searches.bounded import SHRINK_LEAST, SHRINK_MOST, BoundedSearch
from symbreak.optimize.per_start import Floats, Mask


class Armijo(BoundedSearch):
    """Backtracking by interpolation until J has decreased enough; c1 in (0, 1/2)."""

    per_start = (*BoundedSearch.per_start, "_before")

    def __init__(self, c1: float = 1e-4) -> None:
        self._c1 = c1

    def start(self, n_running: int, eps: float) -> None:
        """Make room for `n_running` searches."""
        super().start(n_running, eps)
        self._before: Floats = np.zeros((n_running, 2))  # t and phi of the trial before

    def begin(self, active: Mask, value: Floats, slope: Floats, first: Floats) -> None:
        """Begin new searches on `active`."""
        super().begin(active, value, slope, first)
        self._before[active] = np.nan

    def _is_good(self, value: Floats, slope: Floats) -> Mask:
        f0, d0 = self._origin.T
        # Without the second condition a step too short to change J would pass.
        return np.asarray((value <= f0 + self._c1 * self.step_sizes * d0) & (value < f0))

    def _next_trial(self, value: Floats, slope: Floats) -> Floats:
        t, d0 = self.step_sizes, self._origin[:, 1]
        above = self._above_tangent(t, value)
        t2, value2 = self._before.T
        cubic = _cubic(t, above, t2, self._above_tangent(t2, value2), d0)
        trial = np.where(np.isfinite(cubic), cubic, _parabola(t, above, d0))
        trial = np.where(np.isfinite(value), trial, self._shrink() * t)
        trial = np.where(np.isnan(trial), SHRINK_LEAST * t, trial)
        self._before = np.stack([t, value], axis=1)
        trial = np.clip(trial, SHRINK_MOST * t, SHRINK_LEAST * t)
        return np.where((trial > 0.0) & (trial < t), trial, np.nan)

    def _above_tangent(self, t: Floats, value: Floats) -> Floats:
        """Return phi(t) - f0 - d0 t, how far phi has risen above its tangent at 0."""
        return np.asarray(value - self._origin[:, 0] - self._origin[:, 1] * t)


def _parabola(t: Floats, above: Floats, d0: Floats) -> Floats:
    """Return the minimiser of f0 + d0 s + (above / t²) s²."""
    return np.asarray(-0.5 * d0 * t / (above / t))


def _cubic(t: Floats, above: Floats, t2: Floats, above2: Floats, d0: Floats) -> Floats:
    """Return the minimiser of f0 + d0 s + b s² + a s³ through both points, t < t2.

    The points give a t + b = above / t² and the same at t2; 3 a s² + 2 b s + d0 = 0 is solved in
    the form without cancellation for b > 0.
    """
    bend, bend2 = above / t / t, above2 / t2 / t2
    a = (bend - bend2) / (t - t2)
    b = bend - a * t
    root = np.sqrt(b * b - 3.0 * a * d0)
    return np.asarray(np.where(b > 0.0, -d0 / (b + root), (root - b) / (3.0 * a)))
