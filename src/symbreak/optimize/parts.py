"""What a direction and a step rule must offer the loop.

Conventions
-----------
rows : the running starts, in the loop's order; masks are boolean arrays over them.
Vectors (theta, gradient, direction) are torch tensors (rows, n) on the objective's device;
decisions are made on the host in float64 NumPy arrays (rows,): J, the slope (gradient · direction)
and steps.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Starts = NDArray[np.integer[Any]]  # indices


class Direction(Protocol):
    """Where to: a direction for every running start."""

    def start(self, gradient: Tensor) -> Tensor:
        """Return the first directions, (rows, n)."""

    def update(self, accepted: Mask, move: Tensor, change: Tensor, gradient: Tensor) -> Tensor:
        """Return new directions; only rows of `accepted` count.

        `move` is theta_new - theta_old, `change` gradient_new - gradient_old.
        """

    def restart(self, rows: Mask, gradient: Tensor) -> Tensor:
        """Forget the past of `rows` and return their steepest descent; other rows do not count."""

    def keep(self, rows: Mask) -> None:
        """Drop all but `rows`."""


class StepRule(Protocol):
    """How far: one trial step for every running start at a time."""

    steps: Floats

    def start(self, n_rows: int, eps: float) -> None:
        """Make room for `n_rows` searches; `eps` is the rounding unit of the values."""

    def begin(self, rows: Mask, value: Floats, slope: Floats, is_first: Mask) -> None:
        """Begin new searches on `rows`; `is_first`: the direction has no scale of its own yet."""

    def judge(self, value: Floats, slope: Floats) -> tuple[Mask, Mask]:
        """Take the trial's J and slope; return which are accepted and which have failed.

        For the rest, `steps` holds the next trial.
        """

    def keep(self, rows: Mask) -> None:
        """Drop all but `rows`."""
