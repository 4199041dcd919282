"""How exact an analytic gradient can be, by its dtype and by what it was computed from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from symbreak.gradient_check.probes import EPS, EPS32, Array


@dataclass(frozen=True)
class Precision:
    """What can be expected of the analytic gradient of a dtype.

    Attributes
    ----------
    eps : the rounding of the dtype.
    tolerance : the relative error that is still right.
    kink_steps : how many of the finer steps may be the one that shows theta on a kink.
    """

    eps: float
    tolerance: float
    kink_steps: int


# By the word of the dtype.
PRECISIONS = {
    # Central differences with step eps^(1/3) are exact to about eps^(2/3) = 4e-11; four digits are
    # left for curvature and for a J larger than its gradient.
    "float64": Precision(EPS, 1e-6, 1),
    # The analytic gradient itself is rounded: eps = 1.2e-7, and sums over examples that cancel
    # lose up to four digits more. A kink within 1e-7 of theta is on either side of it for float32.
    "float32": Precision(EPS32, 1e-3, 2),
}


@dataclass(frozen=True)
class Standard:
    """What a group is held against besides its own scale.

    Attributes
    ----------
    largest : the largest |a| of the whole gradient.
    rounding : below which size entries of the gradient are rounding of larger ones.
    """

    precision: Precision
    largest: float
    rounding: float

    @staticmethod
    def of(gradient: Array, theta: Array, precision: Precision) -> Standard:
        """Return the standard for the groups of one gradient at theta, (n,) both."""
        rounding = 4.0 * rounding_unit(gradient, theta, precision.eps)
        return Standard(precision, largest_of(gradient), rounding)

    def measured(self, rounding: float) -> Standard:
        """Return the standard with the rounding that was measured, where that is larger."""
        return replace(self, rounding=max(self.rounding, rounding))


def rounding_unit(gradient: Array, theta: Array, eps: float) -> float:
    """Return the size below which entries of a gradient at theta, (n,) both, may be rounding.

    Back-propagation multiplies larger derivatives by small factors such as 1 - a², which have an
    absolute error of eps: in float32 those of a saturated unit are 0 or noise.
    """
    return eps * largest_of(gradient) * max(1.0, float(np.abs(theta).max()))


def largest_of(gradient: Array) -> float:
    """Return the largest |entry| that is finite."""
    return float(np.abs(gradient[np.isfinite(gradient)]).max(initial=0.0))
