"""A derivative from differences at several step sizes, with a bar on its error.

Conventions
-----------
phi(t) = J(theta + t u);  h_1 > h_2 > ... are the steps; phi is known at 0 and at +-h_j
central  D_j = (phi(h_j) - phi(-h_j)) / 2 h_j = phi'(0) + c_1 h_j^2 + c_2 h_j^4 + ...
forward  F_j = (phi(h_j) - phi(0)) / h_j      = phi'(0+) + c_1 h_j + c_2 h_j^2 + ...
backward B_j = (phi(0) - phi(-h_j)) / h_j     = phi'(0-) + c_1 h_j + ...
T_{j,0} = the difference at h_j,
T_{j,m} = T_{j,m-1} + (T_{j,m-1} - T_{j-1,m-1}) / ((h_{j-m} / h_j)^p - 1),  p = 2 central, 1 else
(Richardson 1911; Neville's scheme in h^p). The bar of T_{j,m} is
    truncation: the largest of |T_{j,m} - T_{j,m-1}| and |T_{j,m} - T_{j-1,m-1}| (Ridders 1982), of
                |T_{j,m+1} - T_{j,m}|, which the next order takes away,
                and of |T_{j,m} - T_{j+1,m}| as far as rounding does not explain it: two differences
                that are equal by chance are betrayed by the next
    + rounding: that of J, carried through the same scheme.
The estimate is the T with the smallest bar. Where J was not finite a difference is NaN and spoils
only the T that are made of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A derivative along each line, (lines,), and the bar on its error; NaN and inf for none."""

    number: Array
    bar: Array


@dataclass(frozen=True)
class Slopes:
    """The derivative of phi along each line, as seen from both sides and from each."""

    central: Estimate
    forward: Estimate
    backward: Estimate


def slopes(steps: Array, plus: Array, minus: Array, middle: float, noise: Array) -> Slopes:
    """Return the slopes at t = 0.

    Parameters
    ----------
    steps : (levels,), falling.
    plus, minus : (lines, levels), phi at +-steps.
    middle : phi(0).
    noise : (lines, 1), how far rounding can move one phi.
    """
    with np.errstate(all="ignore"):  # J may end beside theta: NaN and infinity are looked for
        return Slopes(
            _extrapolated((plus - minus) / (2.0 * steps), noise / steps, steps, 2),
            _extrapolated((plus - middle) / steps, 2.0 * noise / steps, steps, 1),
            _extrapolated((middle - minus) / steps, 2.0 * noise / steps, steps, 1),
        )


def _extrapolated(differences: Array, rounding: Array, steps: Array, power: int) -> Estimate:
    columns = [np.where(np.isfinite(differences), differences, np.nan)]
    bars = [np.full(differences.shape, np.inf)]
    for order in range(1, len(steps)):
        ratio = (steps[:-order] / steps[order:]) ** power - 1.0
        older, newer = columns[-1][:, :-1], columns[-1][:, 1:]
        column = newer + (newer - older) / ratio
        rounding = rounding[:, 1:] + (rounding[:, 1:] + rounding[:, :-1]) / ratio
        correction = np.abs(column - newer)
        bars[-1][:, 1:] = np.fmax(bars[-1][:, 1:], correction)
        bars[-1][:, 0] = np.inf  # no older one beside it shows how far it is off
        truncation = np.maximum(correction, np.abs(column - older))
        columns.append(column)
        bars.append(np.maximum(truncation, _unexplained(column, rounding)) + rounding)
    return _best(np.concatenate(columns, axis=1), np.concatenate(bars, axis=1))


def _best(numbers: Array, bars: Array) -> Estimate:
    """Return along each line the number with the smallest bar."""
    bars = np.where(np.isnan(numbers) | np.isnan(bars), np.inf, bars)
    row, best = np.arange(len(bars)), bars.argmin(axis=1)
    bar = bars[row, best]
    return Estimate(np.where(np.isfinite(bar), numbers[row, best], np.nan), bar)


def _unexplained(column: Array, rounding: Array) -> Array:
    """Return how far each entry is from the next, beyond the rounding of both; 0 for the last."""
    apart = np.zeros_like(column)
    apart[:, :-1] = np.abs(column[:, :-1] - column[:, 1:]) - rounding[:, :-1] - rounding[:, 1:]
    return np.where(np.isnan(apart), 0.0, np.maximum(apart, 0.0))
