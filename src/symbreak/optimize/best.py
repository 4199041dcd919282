"""The best point that each start has fully evaluated.

A point counts when J and its whole gradient are finite. Best is the lowest J; within 10 eps |J| of
the lowest, where rounding decides, it is the smallest gradient.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from symbreak.optimize.parts import Floats, Mask

TIES = 10.0


class BestPoints:
    """Best theta, J and gradient norm of the running starts."""

    def __init__(self, theta: Tensor) -> None:
        self.theta = theta.clone()
        self.value: Floats = np.full(len(theta), np.inf)
        self.gradient_norm: Floats = np.full(len(theta), np.inf)
        self._lowest: Floats = np.full(len(theta), np.inf)
        self._eps = float(torch.finfo(theta.dtype).eps)

    def offer(self, theta: Tensor, value: Floats, gradient_norm: Floats) -> None:
        """Take the points that are better than what was seen."""
        counts = np.isfinite(value) & np.isfinite(gradient_norm)
        self._lowest = np.where(counts, np.minimum(self._lowest, value), self._lowest)
        limit = self._lowest + TIES * self._eps * np.abs(self._lowest)
        with np.errstate(invalid="ignore"):
            better = counts & (value <= limit)
            better &= ~(self.value <= limit) | (gradient_norm < self.gradient_norm)
        if better.any():
            rows = torch.from_numpy(better).to(theta.device)
            self.theta = torch.where(rows[:, None], theta, self.theta)
            self.value = np.where(better, value, self.value)
            self.gradient_norm = np.where(better, gradient_norm, self.gradient_norm)

    def keep(self, rows: Mask) -> None:
        """Drop all but `rows`."""
        self.theta = self.theta[torch.from_numpy(rows).to(self.theta.device)]
        self.value, self._lowest = self.value[rows], self._lowest[rows]
        self.gradient_norm = self.gradient_norm[rows]
