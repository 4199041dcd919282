"""The best point that each start has fully evaluated.

A point counts when J and its whole gradient are finite. Best is the lowest J; within 10 eps |J| of
the lowest, where rounding decides, it is the smallest gradient.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from symbreak.optimize.per_start import Floats, PerStart, Starts, where
from symbreak.optimize.protocols import Point

TIES = 10.0


class BestPoints(PerStart):
    """Best theta, J and gradient norm of the running starts, and in which step they were seen."""

    per_start = ("theta", "value", "gradient_norm", "iteration", "_lowest")

    def __init__(self, theta: Tensor) -> None:
        self.theta = theta.clone()
        self.value: Floats = np.full(len(theta), np.inf)
        self.gradient_norm: Floats = np.full(len(theta), np.inf)
        self.iteration: NDArray[np.int64] = np.zeros(len(theta), dtype=np.int64)
        self._lowest: Floats = np.full(len(theta), np.inf)
        self._eps = float(torch.finfo(theta.dtype).eps)

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
