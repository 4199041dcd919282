"""When a start has arrived.

Conventions
-----------
g = the largest |entry| of the gradient, g0 = that of the start
converged:  g <= max(gradient_atol, gradient_rtol min(g0, 1), 10 eps |J|)
The middle term follows the start's own scale downwards, so that J multiplied by 1e-50 is not done
at once, but not upwards: a start on a cliff would else call its foot a minimum. The last term is
what rounding leaves of a zero gradient. stationary start: g0 <= 10 eps |J| at the start itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from symbreak.errors import InvalidInput
from symbreak.optimize.parts import Floats, Mask

ROUNDING = 10.0


@dataclass(frozen=True)
class GradientTest:
    """The convergence test of all starts."""

    rtol: float
    atol: float
    eps: float

    def __post_init__(self) -> None:
        for name, number in (("gradient_rtol", self.rtol), ("gradient_atol", self.atol)):
            if not (math.isfinite(number) and number >= 0):
                raise InvalidInput(f"{name} must be zero or a positive number. Got {number!r}.")

    def holds(self, gradient_norm: Floats, value: Floats, start_norm: Floats) -> Mask:
        """Whether each start has converged."""
        limit = np.maximum(self.atol, self.rtol * np.minimum(start_norm, 1.0))
        return np.asarray(gradient_norm <= np.maximum(limit, self.floor(value)))

    def floor(self, value: Floats) -> Floats:
        """Return what rounding leaves of a gradient that is zero."""
        return ROUNDING * self.eps * np.abs(value)
