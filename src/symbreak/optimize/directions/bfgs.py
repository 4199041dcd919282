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
import torch
from torch import Tensor

from symbreak.errors import InvalidInput
from symbreak.optimize.directions.curvature_pairs import scaled_pair
from symbreak.optimize.per_start import Mask, PerStart
from symbreak.optimize.protocols import Point


class BFGS(PerStart):
    """The direction -H g; `memory_budget` is how many bytes H may take."""

    per_start = ("_H", "_is_fresh")
    has_scale = True

    def __init__(self, memory_budget: int) -> None:
        self.memory_budget = memory_budget

    def start(self, here: Point) -> Tensor:
        """Return steepest descent, with H = I.

        Raises
        ------
        InvalidInput
            H would take more than `memory_budget` bytes.
        """
        n_running, n = here.gradient.shape
        self._check_room(n_running, n, here.gradient.element_size())
        self._H = here.gradient.new_zeros(n_running, n, n)
        self._H.diagonal(dim1=1, dim2=2).fill_(1.0)
        self._is_fresh: Mask = np.full(n_running, True)  # H = I, no pair stored
        return here.gradient.neg()

    def update(self, active: Mask, before: Point, here: Point) -> Tensor:
        """Take the pairs of `active` into H and return -H g."""
        g = here.gradient
        pair, stored = scaled_pair(active, here.theta - before.theta, g - before.gradient)
        s, y = pair.unbind(1)
        self._scale(stored & self._is_fresh, s, y)
        self._is_fresh &= ~stored
        # As H is symmetric, rows times H, which is several times faster than H times columns.
        Hy, Hg = torch.bmm(torch.stack([y, g], dim=1), self._H).unbind(1)
        # Zeros leave H as it is in the starts without a new pair.
        kept = torch.from_numpy(stored).to(g.device)[:, None]
        s, w = torch.where(kept, s, 0.0), torch.where(kept, _partner(s, y, Hy), 0.0)
        self._H.baddbmm_(torch.stack([s, w], dim=2), torch.stack([w, s], dim=1))
        return Hg.addcmul(s, _dot(w, g)).addcmul_(w, _dot(s, g)).neg_()

    def restart(self, active: Mask, here: Point) -> Tensor:
        """Put H = I in `active`."""
        places = torch.from_numpy(np.flatnonzero(active)).to(here.gradient.device)
        self._H[places] = 0.0
        self._H.diagonal(dim1=1, dim2=2)[places] = 1.0
        self._is_fresh[active] = True
        return here.gradient.neg()

    def _check_room(self, n_running: int, n: int, bytes_each: int) -> None:
        needed = n_running * n * n * bytes_each
        if needed > self.memory_budget:
            raise InvalidInput(
                f"memory_budget of bfgs must be at least {needed} bytes for {n_running} starts of "
                f"n = {n} parameters. Got {self.memory_budget}. Use method='l-bfgs'."
            )

    def _scale(self, active: Mask, s: Tensor, y: Tensor) -> None:
        if not active.any():
            return
        places = torch.from_numpy(np.flatnonzero(active)).to(s.device)
        gamma = _dot(s[places], y[places]) / _dot(y[places], y[places])
        self._H.diagonal(dim1=1, dim2=2)[places] = gamma.expand(-1, s.shape[1])


def _partner(s: Tensor, y: Tensor, Hy: Tensor) -> Tensor:
    """Return w of the update H + s wᵀ + w sᵀ, (starts, n)."""
    rho = 1.0 / _dot(s, y)
    return (0.5 * rho * (1.0 + rho * _dot(y, Hy))) * s - rho * Hy


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Return the dot products as a column, (starts, 1)."""
    dots: Tensor = torch.linalg.vecdot(one, other)
    return dots[:, None]
