"""What the loop knows of the starts that are still running, one row for each, and what it notes.

A point counts as seen when J and its whole gradient are finite. Best is the lowest J; within
10 eps |J| of the lowest, where rounding decides, it is the smallest gradient.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array, copied
from symbreak.optimize.early_stopping import Stalling, Validation
from symbreak.optimize.per_start import Floats, Mask, PerStart, Starts, limits_of, where
from symbreak.optimize.protocols import Point, Stepper

TIES = 10.0


class BestPoints(PerStart):
    """Best theta, J and gradient norm of the running starts, and in which step they were seen."""

    per_start = ("theta", "value", "gradient_norm", "iteration", "_lowest")

    def __init__(self, theta: Array) -> None:
        self.theta = copied(theta)
        self.value: Floats = np.full(len(theta), np.inf)
        self.gradient_norm: Floats = np.full(len(theta), np.inf)
        self.iteration: NDArray[np.int64] = np.zeros(len(theta), dtype=np.int64)
        self._lowest: Floats = np.full(len(theta), np.inf)
        self._eps = float(limits_of(theta).eps)

    def offer(self, point: Point, iteration: Starts) -> None:
        """Take the points that are better than what was seen, in these steps of their starts."""
        counts = point.is_finite
        self._lowest = np.where(counts, np.minimum(self._lowest, point.value), self._lowest)
        limit = self._lowest + TIES * self._eps * np.abs(self._lowest)
        with np.errstate(invalid="ignore"):
            better = counts & (point.value <= limit)
            better &= ~(self.value <= limit) | (point.norm < self.gradient_norm)
        if better.all():  # as in most steps; copies, as callers may write into what is held here
            self.theta, self.value = point.theta, point.value.copy()
            self.gradient_norm, self.iteration = point.norm.copy(), np.array(iteration)
        elif better.any():
            self.theta = where(better, point.theta, self.theta)
            self.value = np.where(better, point.value, self.value)
            self.gradient_norm = np.where(better, point.norm, self.gradient_norm)
            self.iteration = np.where(better, iteration, self.iteration)


class History:
    """A table (iterations, starts) that grows by doubling; NaN where a start has no entry."""

    def __init__(self, n_starts: int) -> None:
        self._table = np.full((16, n_starts), np.nan)
        self._length = 0

    def record(self, iteration: Starts, start: Starts, value: Floats) -> None:
        """Note J of some starts, each at its own iteration (integer arrays of one length)."""
        if len(iteration) == 0:
            return
        self._length = max(self._length, int(iteration.max()) + 1)
        while self._length > len(self._table):
            self._table = np.concatenate([self._table, np.full_like(self._table, np.nan)])
        self._table[iteration, start] = value

    def at(self, iteration: int, start: int) -> float:
        """Return the entry of a start at one of its iterations; NaN where it has none."""
        return float(self._table[iteration, start]) if iteration < self._length else math.nan

    def copy(self) -> History:
        """Return a history that grows on its own."""
        other = History(0)
        other._table, other._length = self._table.copy(), self._length
        return other

    def table(self) -> Floats:
        """Return (iterations + 1, starts)."""
        return self._table[: self._length].copy()


class Running(PerStart):
    """The running starts.

    Attributes
    ----------
    starts : (running,), their indices among all starts.
    here, before : the last accepted point, and the one that it was reached from.
    is_new : (running,), whether the stepper has not yet been told of `here`.
    start_norm, start_value : (running,), the largest |entry| of the gradient and J at the start.
    best, validation : the best point evaluated; the best point validated, or None.
    stalling : how long J has not fallen, or None.
    """

    per_start = (
        "starts", "here", "before", "is_new", "start_norm", "start_value",
        "best", "validation", "stalling", "stepper",
    )  # fmt: skip

    def __init__(
        self,
        starts: Starts,
        here: Point,
        stepper: Stepper,
        validation: Validation | None,
        stalling: Stalling | None = None,
    ) -> None:
        self.starts = starts
        self.here = self.before = here
        self.is_new: Mask = np.zeros(len(starts), dtype=bool)
        self.start_norm, self.start_value = here.norm, here.value
        self.best = BestPoints(here.theta)
        self.validation, self.stalling = validation, stalling
        self.stepper = stepper

    def __len__(self) -> int:
        return len(self.starts)

    def own_memory(self) -> None:
        """Give every array memory of its own, so that it may be written in place."""
        self.keep(np.arange(len(self)))

    def move(self, accepted: Mask, trial: Point) -> None:
        """Take the accepted trials as the points that the next step begins from."""
        self.before, self.here = self.here, self.here.moved(accepted, trial)
        self.is_new = accepted

    @property
    def kept_theta(self) -> Array:
        """The points to return, (running, n)."""
        return self.best.theta if self.validation is None else self.validation.theta

    @property
    def kept_iteration(self) -> Starts:
        """The steps in which the points to return were seen, (running,)."""
        return self.best.iteration if self.validation is None else self.validation.iteration
