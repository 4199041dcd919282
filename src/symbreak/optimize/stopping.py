"""When a start has arrived, and when it has had enough.

Conventions
-----------
g = the largest |entry| of the gradient, g0 = that of the start
converged:  g <= max(gradient_atol, gradient_rtol min(g0, 1), 10 eps |J|)
The middle term follows the start's own scale downwards, so that J multiplied by 1e-50 is not done
at once, but not upwards: a start on a cliff would else call its foot a minimum. The last term is
what rounding leaves of a zero gradient. stationary start: g0 <= 10 eps |J| at the start itself.

small change:  J_before - J <= max(value_atol, value_rtol max(|J_before|, |J|))   (both 0: never
               asked)
small step:    max |theta - theta_before| <= step_rtol max |theta|     (0: never asked)
Both end a start; neither is called convergence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from symbreak.checks import check_count, check_finite, check_not_negative
from symbreak.optimize.per_start import Floats, Mask, host, largest
from symbreak.optimize.protocols import Point
from symbreak.optimize.status import Status

ROUNDING = 10.0


@dataclass(frozen=True)
class GradientTest:
    """The convergence test of all starts."""

    rtol: float
    atol: float
    eps: float

    def __post_init__(self) -> None:
        for name, number in (("gradient_rtol", self.rtol), ("gradient_atol", self.atol)):
            check_not_negative(name, number)

    @property
    def is_asked(self) -> bool:
        """Whether a gradient other than zero can meet it."""
        return self.rtol > 0 or self.atol > 0

    def holds(self, gradient_norm: Floats, value: Floats, start_norm: Floats) -> Mask:
        """Whether each start has converged."""
        limit = np.maximum(self.atol, self.rtol * np.minimum(start_norm, 1.0))
        return np.asarray(gradient_norm <= np.maximum(limit, self.floor(value)))

    def holds_later(
        self, gradient_norm: Floats, value: Floats, start_norm: Floats, start_value: Floats
    ) -> Mask:
        """Whether each start has converged after steps from a J of `start_value`."""
        # A diverged J must not raise the floor of rounding above its gradient.
        scale = np.minimum(np.abs(value), np.abs(start_value))
        return self.holds(gradient_norm, scale, start_norm)

    def floor(self, value: Floats) -> Floats:
        """Return what rounding leaves of a gradient that is zero."""
        return ROUNDING * self.eps * np.abs(value)


@dataclass(frozen=True)
class Limits:
    """What ends a start that has not converged.

    max_iter, max_evaluations : for each start, in total; None is no limit.
    max_seconds : of one call of `minimize`, for all starts.
    target_value : a start whose J is at most this is done.
    value_rtol, value_atol, step_rtol : see above.
    """

    max_iter: int = 400
    max_evaluations: int | None = None
    max_seconds: float | None = None
    target_value: float | None = None
    value_rtol: float = 0.0
    step_rtol: float = 0.0
    value_atol: float = 0.0

    def __post_init__(self) -> None:
        check_count("max_iter", self.max_iter)
        if self.max_evaluations is not None:
            check_count("max_evaluations", self.max_evaluations)
        if self.max_seconds is not None:
            check_not_negative("max_seconds", self.max_seconds)
        if self.target_value is not None:
            check_finite("target_value", self.target_value)
        for name in ("value_rtol", "value_atol", "step_rtol"):
            check_not_negative(name, getattr(self, name))

    def endings(
        self, accepted: Mask, before: Point, here: Point, iterations: Any, evaluations: Any
    ) -> list[tuple[Mask, Status]]:
        """Return which starts have had enough, and why, in the order of preference."""
        endings: list[tuple[Mask, Status]] = []
        if self.target_value is not None:
            endings.append((here.value <= self.target_value, Status.TARGET_REACHED))
        if self.value_rtol > 0 or self.value_atol > 0:
            endings.append((accepted & self._is_small_change(before, here), Status.VALUE_TOLERANCE))
        if self.step_rtol > 0:
            endings.append((accepted & self._is_small_step(before, here), Status.STEP_TOLERANCE))
        endings.append((iterations >= self.max_iter, Status.MAX_ITERATIONS))
        if self.max_evaluations is not None:
            endings.append((evaluations >= self.max_evaluations, Status.MAX_EVALUATIONS))
        return endings

    def _is_small_change(self, before: Point, here: Point) -> Mask:
        with np.errstate(all="ignore"):  # starts that are not finite, which end for that
            scale = np.maximum(np.abs(before.value), np.abs(here.value))
            limit = np.maximum(self.value_rtol * scale, self.value_atol)
            return np.asarray(before.value - here.value <= limit)

    def _is_small_step(self, before: Point, here: Point) -> Mask:
        step = host(largest(here.theta - before.theta))
        return np.asarray(step <= self.step_rtol * host(largest(here.theta)))
