"""The limited-memory BFGS direction -H g for many starts at once.

Conventions (Byrd, Nocedal & Schnabel 1994, theorem 2.2)
-----------
s_i = theta moves, y_i = gradient changes, i = the last `memory` accepted steps of a start
D = diag(s_i · y_i),  R_ij = s_i · y_j for i not younger than j, else 0
gamma = s · y / y · y of the latest pair
p = R^-1 S^T g,   q = R^-T (D p + gamma Y^T Y p - gamma Y^T g)
H g = gamma g + S q - gamma Y p

All products with vectors of length n are three batched matrix products a step; the small ones are
taken on the host in float64. R^-1 itself is kept, its rows and columns in the slots of a ring, in
no order: a pair that goes takes its row and column with it, and a new one adds
    its column -R^-1 (s_i · y) / s · y,  and 1 / s · y on the diagonal,
so that nothing is solved that could fail. An empty slot holds zeros.
A pair with s · y <= eps |s| |y| carries no curvature and is not stored. A memory so ill-conditioned
that its direction is not finite is restarted by the stepper, in that start alone.
"""

from __future__ import annotations

import numpy as np

from symbreak.arrays import Array, add_product_, alike, empty_like, namespace, quiet
from symbreak.optimize.directions.curvature_pairs import scaled_pair
from symbreak.optimize.per_start import (
    Floats,
    Mask,
    PerStart,
    Starts,
    device_like,
    host,
    put_rows,
)
from symbreak.optimize.protocols import Point


class LBFGS(PerStart):
    """The direction -H g from the last `memory` pairs of each start."""

    per_start = ("_pairs", "_inverse", "_curvature", "_yy", "_gamma", "_clock")
    has_scale = True

    def __init__(self, memory: int) -> None:
        self.memory = memory

    def start(self, here: Point) -> Array:
        """Return steepest descent, with an empty memory."""
        gradient = here.gradient
        n_running, n = gradient.shape
        m = self.memory
        self._pairs = empty_like(gradient, (n_running, 2 * m, n))  # m rows of s, then m of y
        self._pairs[...] = 0.0
        self._inverse = np.zeros((n_running, m, m))  # of R
        self._curvature = np.zeros((n_running, m))  # s_i · y_i
        self._yy = np.zeros((n_running, m, m))
        self._gamma = np.ones(n_running)
        self._clock = np.zeros(n_running, dtype=np.int64)  # pairs stored so far
        return -gradient

    @quiet  # what is not finite restarts its start
    def update(self, active: Mask, before: Point, here: Point) -> Array:
        """Store the pairs of `active` and return -H g."""
        move, change = here.theta - before.theta, here.gradient - before.gradient
        pair, stored = scaled_pair(active, move, change)
        slot = self._clock % self.memory
        self._store(stored, slot, pair)
        rows = namespace(pair).concat([pair, here.gradient[:, None, :]], axis=1)  # (starts, 3, n)
        dots = host(self._pairs @ rows.mT)
        self._remember(stored, slot, dots)
        return self._direction(dots[:, : self.memory, 2], dots[:, self.memory :, 2], here.gradient)

    def restart(self, active: Mask, here: Point) -> Array:
        """Empty the memory of `active`."""
        for held in (self._inverse, self._curvature, self._yy):
            held[active] = 0.0
        self._gamma[active] = 1.0
        put_rows(self._pairs, active, 0.0)
        return -here.gradient

    def _store(self, stored: Mask, slot: Starts, pair: Array) -> None:
        at, place = alike(np.flatnonzero(stored), pair), alike(slot[stored], pair)
        self._by_kind[at, :, place, :] = pair[at]
        self._clock[stored] += 1

    @property
    def _by_kind(self) -> Array:
        """The pairs, s and y apart, (starts, 2, memory, n), a view."""
        starts, m, n = self._pairs.shape
        return namespace(self._pairs).reshape(self._pairs, (starts, 2, m // 2, n))

    def _remember(self, stored: Mask, slot: Starts, dots: Floats) -> None:
        """Put the products with the new pair into R^-1 and Y^T Y."""
        at, m = np.flatnonzero(stored), self.memory
        place, each = slot[at], np.arange(len(at))
        sy = dots[at, :m, 1]
        curvature = sy[each, place]
        inverse = self._inverse[at]
        inverse[each, place] = inverse[each, :, place] = 0.0
        column = _times(inverse, sy) / -curvature[:, None]
        column[each, place] = 1.0 / curvature
        inverse[each, :, place] = column
        self._inverse[at] = inverse
        self._curvature[at, place] = curvature
        self._yy[at, place] = self._yy[at, :, place] = dots[at, m:, 1]
        self._gamma[at] = curvature / dots[at, m + place, 1]

    def _direction(self, sg: Floats, yg: Floats, gradient: Array) -> Array:
        gamma = self._gamma[:, None]
        p = _times(self._inverse, sg)
        inner = self._curvature * p + gamma * (_times(self._yy, p) - yg)
        q = _times(self._inverse.swapaxes(1, 2), inner)
        weights = np.concatenate([-q, gamma * p], axis=1)
        along = (device_like(weights, gradient)[:, None, :] @ self._pairs)[:, 0, :]
        add_product_(along, gradient, device_like(-gamma, gradient))
        return along


def _times(matrices: Floats, vectors: Floats) -> Floats:
    """Return the products (starts, m) of (starts, m, m) and (starts, m)."""
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])
