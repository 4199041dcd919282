"""Lines through theta within some entries: where the directional derivatives are taken.

Conventions
-----------
u : a direction, |u| = 1, zero outside the entries of the line
spherical : Gaussian entries, scaled; no direction is preferred (Muller 1959)
signs     : +-1 / sqrt(entries), so that every entry weighs alike and none is nearly left out
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """A unit vector: `weights` at the entries `indices` of theta, zero elsewhere."""

    indices: Indices
    weights: Array

    def along(self, gradient: Array) -> float:
        """Return the derivative that a gradient (n,) gives along the line."""
        return float(gradient[self.indices] @ self.weights)


def size(numbers: Array) -> float:
    """Return the Euclidean norm; numbers of 1e200 do not overflow."""
    largest = float(np.abs(numbers).max(initial=0.0))
    return largest * float(np.linalg.norm(numbers / largest)) if largest > 0.0 else 0.0


def spherical(indices: Indices, stream: np.random.Generator) -> Line:
    """Return a line in a random direction."""
    weights = stream.standard_normal(len(indices))
    return Line(indices, weights / np.linalg.norm(weights))


def signs(indices: Indices, stream: np.random.Generator) -> Line:
    """Return a line along which every entry weighs alike."""
    weights = np.where(stream.random(len(indices)) < 0.5, -1.0, 1.0)
    return Line(indices, weights / np.sqrt(len(indices)))


def single(index: int) -> Line:
    """Return the line along one entry."""
    return Line(np.array([index], dtype=np.int64), np.ones(1))
