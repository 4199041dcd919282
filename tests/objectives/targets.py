"""Targets for tests."""

from __future__ import annotations

import numpy as np


def targets(loss, rng, m, outputs):
    """Random targets that the loss accepts."""
    if loss == "cross_entropy":
        return rng.integers(0, outputs, m)
    if loss == "binary_cross_entropy":
        return rng.integers(0, 2, (m, outputs)).astype(float)
    return np.abs(rng.normal(size=(m, outputs)))
