"""Nonlinear conjugate gradients for many starts at once.

Conventions
-----------
g0, g = gradient before and after the last step, d = the direction of that step, y = g - g0
d_new = -g + beta d
Polak-Ribière+ (Polak & Ribière 1969, Gilbert & Nocedal 1992):
    beta = max(0, g · y / g0 · g0); it leads down if steps are nearly exact
Hager-Zhang (2005, SIAM J. Optim. 16, eq. 1.3-1.6):
    beta = max((y - 2 d (y · y) / (d · y)) · g / (d · y), eta_k)
    eta_k = -1 / (|d| min(eta, |g0|)), eta = 0.01; it leads down whatever the step
A beta that is not finite counts as 0: steepest descent.
"""

from __future__ import annotations

from collections.abc import Callable

from symbreak.arrays import Array, chosen, dots, namespace, quiet
from symbreak.optimize.per_start import Mask, PerStart, where
from symbreak.optimize.protocols import Point

ETA = 0.01


@quiet
def polak_ribiere(g0: Array, g: Array, d: Array) -> Array:  # noqa: ARG001 - one signature
    """Return beta (starts,) of Polak-Ribière+ from vectors (starts, n)."""
    xp = namespace(g)
    return xp.maximum(dots(g, g - g0) / dots(g0, g0), 0.0)


@quiet
def hager_zhang(g0: Array, g: Array, d: Array) -> Array:
    """Return beta (starts,) of Hager and Zhang from vectors (starts, n)."""
    xp = namespace(g)
    norm = xp.linalg.vector_norm
    y, size = g - g0, norm(g0, axis=1)
    dy = dots(d, y)
    # The quotient of equal powers first: no square of a square that could underflow.
    beta = (dots(y, g) - 2.0 * (dots(y, y) / dy) * dots(d, g)) / dy
    least = -1.0 / (norm(d, axis=1) * chosen(size < ETA, size, ETA))
    return xp.maximum(beta, least)


BETAS: dict[str, Callable[[Array, Array, Array], Array]] = {
    "hager-zhang": hager_zhang,
    "polak-ribiere": polak_ribiere,
}


class ConjugateGradient(PerStart):
    """The direction -g + beta d, with d the last direction of each start."""

    per_start = ("_last",)
    has_scale = False

    def __init__(self, beta: str) -> None:
        self._beta = BETAS[beta]

    def start(self, here: Point) -> Array:
        """Return steepest descent."""
        self._last = -here.gradient
        return self._last

    @quiet
    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Return -g + beta d."""
        beta = self._beta(before.gradient, here.gradient, self._last)
        beta = chosen(namespace(beta).isfinite(beta), beta, 0.0)
        along = self._last * beta[:, None]
        along -= here.gradient
        self._last = where(active, along, self._last)
        return self._last

    def restart(self, active: Mask, here: Point) -> Array:
        """Return steepest descent."""
        self._last = where(active, -here.gradient, self._last)
        return self._last
