"""J in float64 beside one theta, and the differences that estimate its derivative.

Conventions
-----------
central  = (J(theta + h e_i) - J(theta - h e_i)) / 2h       error O(h²) + noise
forward  = (J(theta + h e_i) - J(theta)) / h                error O(h)  + 2 noise
backward = (J(theta) - J(theta - h e_i)) / h                error O(h)  + 2 noise
noise    = rounding of J / h, what a difference cannot resolve
h is half the distance between the two points as they are stored, so that rounding of theta + h
does not count as an error of the derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import Array as AnyArray
from symbreak.arrays import alike, as_array, as_numpy, copied, cuts, namespace
from symbreak.errors import InvalidInput
from symbreak.gradient_check.lines import Line
from symbreak.objectives import Objective

Array = NDArray[np.float64]

EPS = float(np.finfo(np.float64).eps)
EPS32 = float(np.finfo(np.float32).eps)
# A mean over examples is summed with an error of a few units in the last place: over random nets of
# all losses, 20 to 20000 examples, the largest error of J was under 4 units.
ULPS_OF_J = 4.0
ULPS_OF_UNIT = 2.0  # of what large terms leave of each other
STACK_NUMBERS = 2**20  # numbers in a stack of probes: 8 MiB
MAX_STACK = 256


@dataclass(frozen=True)
class Differences:
    """Estimates of some partial derivatives with one step each; NaN where J was not finite."""

    central: Array
    forward: Array
    backward: Array
    noise: Array

    def at(self, positions: Any) -> Differences:
        """Return those at `positions`."""
        return Differences(
            self.central[positions],
            self.forward[positions],
            self.backward[positions],
            self.noise[positions],
        )


class Probes:
    """Evaluates J beside one theta.

    Parameters
    ----------
    objective : computes in float64.
    theta : (n,) float64, of the kind that the objective is handed.
    start : the number of this start, for `objective.take`.
    one_at_a_time : whether the objective takes a single theta in a call.
    """

    def __init__(
        self, objective: Objective, theta: AnyArray, start: int, *, one_at_a_time: bool
    ) -> None:
        self._objective = objective
        self._theta = theta
        self.start = start
        room = max(1, min(MAX_STACK, STACK_NUMBERS // len(theta)))
        self._stack = 1 if one_at_a_time else room
        self._taken: dict[int, Objective] = {}
        self._largest = 0.0
        self._all_single = True
        self._unit = np.inf
        self.n_evaluations = 0
        self.changes = False  # whether J changes from call to call
        self.value, self._spread = self._at_theta()

    def differences(self, indices: NDArray[np.int64], steps: Array) -> Differences:
        """Return the differences for the entries `indices` of theta, steps[i] for indices[i]."""
        n = len(indices)
        plus, minus, width = np.empty(n), np.empty(n), np.empty(n)
        pairs = max(1, self._stack // 2)
        for begin in range(0, n, pairs):
            part = slice(begin, begin + pairs)
            plus[part], minus[part], width[part] = self._pair(indices[part], steps[part])
        with np.errstate(all="ignore"):  # no width, or J at the end of the range: NaN, seen later
            half = width / 2.0
            estimates = (
                (plus - minus) / width,
                (plus - self.value) / half,
                (self.value - minus) / half,
            )
            noise = self.noise_of_value / half
        central, forward, backward = (np.where(np.isfinite(e), e, np.nan) for e in estimates)
        return Differences(central, forward, backward, np.where(np.isnan(central), np.inf, noise))

    def spread_along(self, line: Line, step: float) -> float:
        """Return how far J differs among points at a step that are the same up to rounding."""
        values = self._values(self._moved([(line, step * (1.0 + EPS * k)) for k in range(-3, 4)]))
        finite = values[np.isfinite(values)]
        return float(np.ptp(finite)) if len(finite) else 0.0

    def along(self, lines: Sequence[Line], steps: Array) -> tuple[Array, Array]:
        """Return J at theta + t u and theta - t u, (lines, steps) each; NaN where not finite."""
        signed = [(line, t) for line in lines for t in np.concatenate([steps, -steps])]
        values = [
            self._values(self._moved(signed[begin : begin + self._stack]))
            for begin in range(0, len(signed), self._stack)
        ]
        both = np.concatenate(values).reshape(len(lines), 2, len(steps))
        both = np.where(np.isfinite(both), both, np.nan)
        return both[:, 0], both[:, 1]

    def _moved(self, moves: Sequence[tuple[Line, float]]) -> AnyArray:
        stack, placed = self._repeated(len(moves)), None
        for row, (line, t) in enumerate(moves):
            if line is not placed:  # moves along one line stand together
                placed = line
                indices, weights = alike(line.indices, stack), alike(line.weights, stack)
            stack[row, indices] += t * weights
        return stack

    def _repeated(self, times: int) -> AnyArray:
        return namespace(self._theta).tile(self._theta, (times, 1))

    @property
    def noise_of_value(self) -> float:
        """How far rounding can move one J; infinite where every J was 0, and tells nothing."""
        # A J of which every value is a float32 number was computed in float32, whatever it is now.
        eps = EPS32 if self._all_single else EPS
        return max(ULPS_OF_J * eps * self._largest, ULPS_OF_UNIT * self._unit, self._spread)

    def _at_theta(self) -> tuple[float, float]:
        """Return J(theta) and how far it differs where it should not differ.

        Moves of theta by a few units in the last place show rounding that |J| does not tell, as in
        a small difference of large terms; a second call shows a J that changes from call to call.
        """
        factors = alike(1.0 + EPS * np.arange(-3.0, 4.0)[:, None], self._theta)
        values = self._values(self._theta * factors)
        value, again = (float(self._values(self._theta[None, :])[0]) for _ in range(2))
        self.changes = abs(again - value) > ULPS_OF_J * EPS * abs(value)
        if not np.isfinite(value):
            raise InvalidInput(
                f"J of check_gradient must be finite at theta. Got {value} (start {self.start}). "
                f"Choose a theta where J exists."
            )
        around = np.append(values[np.isfinite(values)], [value, again])
        return value, float(around.max() - around.min())

    def _pair(self, indices: NDArray[np.int64], steps: Array) -> tuple[Array, Array, Array]:
        n, stack = len(indices), self._repeated(2 * len(indices))
        row, index, step = (alike(one, stack) for one in (np.arange(n), indices, steps))
        stack[row, index] += step
        stack[row + n, index] -= step
        width = stack[row, index] - stack[row + n, index]
        plus, minus = np.split(self._values(stack), 2)
        return plus, minus, as_numpy(width)

    def _values(self, stack: AnyArray) -> Array:
        parts = [self._value(stack[part, :]) for part in cuts(stack.shape[0], self._stack)]
        values = np.concatenate(parts)
        self.n_evaluations += len(values)
        finite = values[np.isfinite(values)]
        self._largest = max(self._largest, float(np.abs(finite).max(initial=0.0)))
        self._unit = min(self._unit, _unit_of(finite))
        with np.errstate(over="ignore"):
            self._all_single &= bool((finite.astype(np.float32) == finite).all())
        return values

    def _value(self, stack: AnyArray) -> Array:
        n = stack.shape[0]
        if n not in self._taken:
            self._taken[n] = self._objective.take(np.full(n, self.start))
        value = in_float64(self._taken[n].value(copied(stack)), "J")
        if value.shape != (n,):
            raise InvalidInput(
                f"value(theta) of the objective must be of shape ({n},) for {n} starts. "
                f"Got {value.shape}."
            )
        return value


def in_float64(answer: Any, what: str) -> Array:
    """Return `what` an objective answered as NumPy in float64."""
    return as_numpy(as_array(answer, what)).astype(np.float64, copy=False)


def _unit_of(values: Array) -> float:
    """Return the largest power of 2 that all values are multiples of; infinity for zeros.

    What large terms leave of each other is a multiple of their last place, however small it is.
    """
    mantissas, exponents = np.frexp(values[values != 0.0])
    whole = np.ldexp(mantissas, 53).astype(np.int64)
    return float(np.ldexp((whole & -whole).astype(float), exponents - 53).min(initial=np.inf))
