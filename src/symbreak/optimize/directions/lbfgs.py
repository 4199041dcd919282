"""The limited-memory BFGS direction -H g for many starts at once.

Conventions (Byrd, Nocedal & Schnabel 1994, theorem 2.2)
-----------
s_i = theta moves, y_i = gradient changes, i = the last `memory` accepted steps of a start
D = diag(s_i · y_i),  R_ij = s_i · y_j for i not younger than j, else 0
gamma = s · y / y · y of the latest pair
p = R^-1 S^T g,   q = R^-T (D p + gamma Y^T Y p - gamma Y^T g)
H g = gamma g + S q - gamma Y p

All products with vectors of length n are two batched matrix products a step; the small systems are
solved on the host in float64. Slots of the memory are reused in a ring and need no sorting: R is
triangular up to a permutation. An empty slot has R_ii = 1 and no other entry.
A pair with s · y <= eps |s| |y| carries no curvature and is not stored.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from symbreak.objectives.contract import Objective
from symbreak.optimize.directions.curvature import has_curvature
from symbreak.optimize.parts import Point
from symbreak.optimize.rows import Floats, Mask, PerStart, Starts, host


class LBFGS(PerStart):
    """The direction -H g from the last `memory` pairs of each start."""

    per_start = ("_pairs", "_sy", "_yy", "_born", "_gamma", "_clock")
    has_scale = True

    def __init__(self, memory: int) -> None:
        self.memory = memory

    def start(self, here: Point, objective: Objective) -> Tensor:  # noqa: ARG002 - the gradient do
        """Return steepest descent, with an empty memory."""
        gradient = here.gradient
        rows, n = gradient.shape
        m = self.memory
        self._pairs = gradient.new_zeros(rows, 2 * m, n)  # m rows of s, then m rows of y
        self._sy = np.zeros((rows, m, m))  # s_i · y_j
        self._yy = np.zeros((rows, m, m))
        self._born = np.full((rows, m), -1)  # when a slot was filled; -1 is empty
        self._gamma = np.ones(rows)
        self._clock = np.zeros(rows, dtype=np.int64)
        return gradient.neg()

    def update(self, rows: Mask, before: Point, here: Point, objective: Objective) -> Tensor:  # noqa: ARG002
        """Store the pairs of `rows` and return -H g."""
        move, change = here.theta - before.theta, here.gradient - before.gradient
        stored = rows & has_curvature(move, change)
        slot = self._clock % self.memory
        self._store(stored, slot, move, change)
        columns = torch.stack([move, change, here.gradient], dim=2)  # (rows, n, 3)
        dots = host(torch.bmm(self._pairs, columns))
        self._remember(stored, slot, dots)
        return self._direction(dots[:, : self.memory, 2], dots[:, self.memory :, 2], here.gradient)

    def restart(self, rows: Mask, here: Point) -> Tensor:
        """Empty the memory of `rows`."""
        self._born[rows] = -1
        self._sy[rows] = 0.0
        self._yy[rows] = 0.0
        self._gamma[rows] = 1.0
        self._pairs[torch.from_numpy(rows).to(here.gradient.device)] = 0.0
        return here.gradient.neg()

    def _store(self, stored: Mask, slot: Starts, move: Tensor, change: Tensor) -> None:
        rows = torch.from_numpy(np.flatnonzero(stored)).to(move.device)
        place = torch.from_numpy(slot[stored]).to(move.device)
        self._pairs[rows, place] = move[rows]
        self._pairs[rows, place + self.memory] = change[rows]
        self._born[stored, slot[stored]] = self._clock[stored]
        self._clock[stored] += 1

    def _remember(self, stored: Mask, slot: Starts, dots: Floats) -> None:
        """Put the products with the new pair into S^T Y and Y^T Y."""
        rows, place = np.flatnonzero(stored), slot[stored]
        m = self.memory
        self._sy[rows, place, :] = dots[rows, m:, 0]
        self._sy[rows, :, place] = dots[rows, :m, 1]
        self._yy[rows, place, :] = self._yy[rows, :, place] = dots[rows, m:, 1]
        self._gamma[rows] = self._sy[rows, place, place] / self._yy[rows, place, place]

    def _direction(self, sg: Floats, yg: Floats, gradient: Tensor) -> Tensor:
        empty = self._born < 0
        older = (self._born[:, :, None] <= self._born[:, None, :]) & ~empty[:, :, None]
        slots = np.arange(self.memory)
        upper = np.where(older, self._sy, 0.0)
        curvature = upper[:, slots, slots].copy()
        upper[:, slots, slots] += empty
        sg, yg = np.where(empty, 0.0, sg), np.where(empty, 0.0, yg)
        gamma = self._gamma[:, None]
        p = np.linalg.solve(upper, sg[..., None])[..., 0]
        inner = curvature * p + gamma * (np.einsum("rij,rj->ri", self._yy, p) - yg)
        q = np.linalg.solve(upper.swapaxes(1, 2), inner[..., None])[..., 0]
        weights = np.concatenate([-q, gamma * p], axis=1)[:, None, :]
        coefficients = torch.from_numpy(weights).to(dtype=gradient.dtype, device=gradient.device)
        scale = torch.from_numpy(-gamma).to(dtype=gradient.dtype, device=gradient.device)
        return torch.bmm(coefficients, self._pairs)[:, 0].addcmul_(gradient, scale)
