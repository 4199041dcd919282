"""The BFGS direction -H g with a dense inverse Hessian for each start.

Conventions (Nocedal & Wright 2006, eq. 6.17)
-----------
s = theta move, y = gradient change, rho = 1 / s · y
H_new = (I - rho s yᵀ) H (I - rho y sᵀ) + rho s sᵀ
      = H + s wᵀ + w sᵀ,   w = ½ rho (1 + rho y · H y) s - rho H y
H_new g = H g + (w · g) s + (s · g) w
H : (starts, n, n), symmetric up to rounding; I at the start and after a restart, and then, before
its first pair, (s · y / y · y) I (eq. 6.20).

One step reads H once, for H y and H g together, and reads and writes it once, in place: the time of
a step is the time to move these numbers.
A pair with s · y <= eps |s| |y| carries no curvature and is not stored.
"""

from __future__ import annotations

import numpy as np

from symbreak.arrays import (
    Array,
    add_matrix_products_,
    add_product_,
    dots,
    empty_like,
    itemsize,
    namespace,
    quiet,
)
from symbreak.errors import InvalidInput
from symbreak.optimize.directions.curvature_pairs import scaled_pair
from symbreak.optimize.per_start import Mask, PerStart, put_rows, rows, where
from symbreak.optimize.protocols import Point


class BFGS(PerStart):
    """The direction -H g; `memory_budget` is how many bytes H may take."""

    per_start = ("_H", "_is_fresh")
    has_scale = True

    def __init__(self, memory_budget: int) -> None:
        self.memory_budget = memory_budget

    def start(self, here: Point) -> Array:
        """Return steepest descent, with H = I.

        Raises
        ------
        InvalidInput
            H would take more than `memory_budget` bytes.
        """
        n_running, n = here.gradient.shape
        self._check_room(n_running, n, itemsize(here.gradient))
        self._H = empty_like(here.gradient, (n_running, n, n))
        self._H[...] = 0.0
        self._diagonal[...] = 1.0
        self._is_fresh: Mask = np.full(n_running, True)  # H = I, no pair stored
        return -here.gradient

    @quiet
    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Take the pairs of `active` into H and return -H g."""
        g, xp = here.gradient, namespace(here.gradient)
        pair, stored = scaled_pair(active, here.theta - before.theta, g - before.gradient)
        s, y = pair[:, 0, :], pair[:, 1, :]
        self._scale(stored & self._is_fresh, s, y)
        self._is_fresh &= ~stored
        # As H is symmetric, rows times H, which is several times faster than H times columns.
        products = xp.stack([y, g], axis=1) @ self._H
        Hy, Hg = products[:, 0, :], products[:, 1, :]
        # Zeros leave H as it is in the starts without a new pair.
        nothing = xp.zeros_like(s)
        s, w = where(stored, s, nothing), where(stored, _partner(s, y, Hy), nothing)
        add_matrix_products_(self._H, xp.stack([s, w], axis=2), xp.stack([w, s], axis=1))
        add_product_(Hg, s, _dot(w, g))
        add_product_(Hg, w, _dot(s, g))
        return -Hg

    def restart(self, active: Mask, here: Point) -> Array:
        """Put H = I in `active`."""
        put_rows(self._H, active, 0.0)
        put_rows(self._diagonal, active, 1.0)
        self._is_fresh[active] = True
        return -here.gradient

    @property
    def _diagonal(self) -> Array:
        """The diagonal of H, (starts, n), a view."""
        starts, n, _ = self._H.shape
        return namespace(self._H).reshape(self._H, (starts, n * n))[:, :: n + 1]

    def _check_room(self, n_running: int, n: int, bytes_each: int) -> None:
        needed = n_running * n * n * bytes_each
        if needed > self.memory_budget:
            raise InvalidInput(
                f"memory_budget of bfgs must be at least {needed} bytes for {n_running} starts of "
                f"n = {n} parameters. Got {self.memory_budget}. Use method='l-bfgs'."
            )

    def _scale(self, active: Mask, s: Array, y: Array) -> None:
        if not active.any():
            return
        s, y = rows(s, active), rows(y, active)
        put_rows(self._diagonal, active, _dot(s, y) / _dot(y, y))


def _partner(s: Array, y: Array, Hy: Array) -> Array:
    """Return w of the update H + s wᵀ + w sᵀ, (starts, n)."""
    rho = 1.0 / _dot(s, y)
    return (0.5 * rho * (1.0 + rho * _dot(y, Hy))) * s - rho * Hy


def _dot(one: Array, other: Array) -> Array:
    """Return the dot products as a column, (starts, 1)."""
    return dots(one, other)[:, None]
