"""No mistake: g' taken from the right side of a kink, where ours is that of the left."""

from __future__ import annotations

import numpy as np

from symbreak.backpropagation_check.problem import Array
from symbreak.backpropagation_check.stages import Pass, slope_at


def right_sided(run: Pass, layer: int) -> Array:
    """Return delta(layer) of a hidden layer with g' just above every kink."""
    z, activation = run.z(layer), run.activation(layer)
    beside = np.where(np.isin(z, activation.kinks), np.nextafter(z, np.inf), z)
    W = run.problem.thetas[layer - 1][:, 1:]
    return W.T @ run.delta(layer + 1) * slope_at(activation, beside)
