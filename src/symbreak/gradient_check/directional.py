"""Directional derivatives of J from both sides, and how the analytic gradient compares.

Conventions
-----------
a : the derivative that the gradient gives along a line, gradient · u
n : the numerical one, `extrapolation.slopes`;  F, B : the one-sided ones
All lines are taken with the first of `STEPS`; those that leave a question are taken with the second
too, which leave kinks outside, and those that still meet one with the third. A kink that even they
meet lies at theta itself, as far as float64 can tell; there F and B differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from symbreak.gradient_check.extrapolation import Slopes, slopes
from symbreak.gradient_check.lines import Line, size
from symbreak.gradient_check.probes import EPS, Array, Probes

Mask = NDArray[np.bool_]

# Lengths in theta, of a unit vector. No two of the first are in a simple ratio: a J that waves as
# fast as they are long could otherwise be the same at all of them.
STEPS: tuple[Array, ...] = (
    2.0 ** np.array([-1.0, -2.9, -5.3, -7.1, -9.4]),
    2.0 ** np.array([-13.0, -16.0, -19.0, -22.0]),
    2.0 ** np.array([-25.0, -28.0, -31.0]),
)
COARSE, FINE, FINEST = range(3)
SAFETY = 3.0  # bars; a right gradient of a smooth J stays well within one
ANALYTIC = 50.0  # units of eps that the sums of the analytic gradient may be off


@dataclass(frozen=True)
class Comparison:
    """The analytic and the numerical derivative along some lines, (lines,) each.

    Attributes
    ----------
    analytic, numerical, bar : a, n, and the error that n (and the sum a) may have.
    agrees : |a - n| is within the bar.
    is_wrong : a lies outside all that both sides say, and they say the same.
    at_kink : the two sides differ.
    is_between : a lies between the two sides.
    nearest, sides : the number between the two sides that is nearest to a, and their bar.
    """

    analytic: Array
    numerical: Array
    bar: Array
    agrees: Mask
    is_wrong: Mask
    at_kink: Mask
    is_between: Mask
    nearest: Array
    sides: Array

    def split(self, parts: int) -> list[Comparison]:
        """Return the comparisons of equally many lines each."""
        columns = [np.split(getattr(self, field.name), parts) for field in fields(self)]
        return [Comparison(*part) for part in zip(*columns, strict=True)]


class Directional:
    """Compares one gradient with J along lines.

    Parameters
    ----------
    gradient, theta : (n,) float64.
    """

    def __init__(self, probes: Probes, gradient: Array, theta: Array) -> None:
        self._probes, self._gradient = probes, gradient
        # theta + t u is stored with an error of eps |theta| in every entry.
        self._storage = EPS * size(np.nan_to_num(gradient * theta))
        self._away: float | None = None  # how far rounding moves J at the first step

    def compare(self, lines: Sequence[Line], level: int = COARSE) -> Comparison:
        """Compare along every line, by the steps up to a level."""
        steps: Array = np.concatenate(STEPS[: level + 1])
        plus, minus = self._probes.along(lines, steps)
        if self._away is None:  # at theta = 0 nothing is rounded, and so no rounding shows there
            self._away = self._probes.spread_along(lines[0], float(steps[0]))
        noise = max(self._probes.noise_of_value, self._away) + self._storage
        middle = self._probes.value
        found = slopes(steps, plus, minus, middle, np.full((len(lines), 1), noise))
        analytic = np.array([line.along(self._gradient) for line in lines])
        sums = np.array([self._rounding(line) for line in lines])
        return _compared(analytic, sums, found)

    def _rounding(self, line: Line) -> float:
        return ANALYTIC * EPS * size(self._gradient[line.indices] * line.weights)


def _compared(analytic: Array, rounding: Array, found: Slopes) -> Comparison:
    n, bar = found.central.number, SAFETY * found.central.bar + rounding
    one, other = found.forward, found.backward
    sides = SAFETY * (one.bar + other.bar) + rounding
    with np.errstate(invalid="ignore"):  # NaN compares false: no agreement, and no error
        agrees = np.abs(analytic - n) <= bar
        at_kink = np.abs(one.number - other.number) > sides
        low, high = np.minimum(one.number, other.number), np.maximum(one.number, other.number)
        below, above = analytic < low - sides, analytic > high + sides
        is_wrong = (np.abs(analytic - n) > bar) & ~at_kink & (below | above)
    nearest = np.clip(analytic, low, high)
    return Comparison(
        analytic, n, bar, agrees, is_wrong, at_kink, ~(below | above), nearest, sides
    )  # fmt: skip
