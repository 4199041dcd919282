"""The line search of Hager and Zhang, one per start, one trial a tick.

Conventions (Hager & Zhang 2005, SIAM J. Optim. 16, section 4; their letters in brackets)
-----------
phi(t) = J(theta + t direction), phi'(t) its slope; f0 = phi(0), d0 = phi'(0) < 0
Wolfe [T1]:             phi(t) <= f0 + delta t d0    and  phi'(t) >= sigma d0
approximate Wolfe [T2]: phi(t) <= f0 + rounding      and  (2 delta - 1) d0 >= phi'(t) >= sigma d0
    (it still decides where differences of J drown in rounding)
low end [a]:  phi(low) <= f0 + rounding and phi'(low) < 0
high end [b]: infinite while the bracket is open [B3]: the trial is 5 times the last;
              too long where phi'(high) < 0 or not finite: the trial is the middle [U3];
              else phi'(high) >= 0, and a point that meets the conditions lies between
A closed bracket gets the point c where the secant of phi' through both ends is zero [S1]; if c
became an end, the secant through it and the end that it replaced [S2, S3]; and the middle, if after
that more than gamma of the width is left [L2].
A value or slope that is not finite is a step too long.
With `cubic`, the minimiser of the cubic through phi and phi' at both points takes the place of the
secant, and of the middle in [U3], wherever their phi differ by more than rounding: it needs
fewer trials, and rounding still costs nothing.
"""

from __future__ import annotations

import numpy as np

from symbreak.optimize.line_searches.bounded import (
    MAX_TRIALS,
    SHRINK_LEAST,
    SHRINK_MOST,
    BoundedSearch,
)
from symbreak.optimize.line_searches.interpolation import cubic_minimiser, secant_zero
from symbreak.optimize.per_start import Floats, Mask

DELTA = 0.1
SIGMA = 0.9
EXPAND = 5.0  # their rho
MIDDLE = 0.5  # their theta
GAMMA = 0.66
ROUNDING = 10.0  # units of eps |f0| that J may rise by rounding alone: their epsilon_k

VALUE, SLOPE = 1, 2  # columns of an end; column 0 is t


class HagerZhang(BoundedSearch):
    """State of one search per start; `cubic` as above, without it the search of the paper.

    Attributes
    ----------
    _low, _high : (starts, 3), t, phi, phi' at the ends of the bracket.
    _low_before, _high_before : (starts, 3), the ends when the last round of secants began.
    _is_secant : (starts,), whether the trial is the first of its round.
    """

    per_start = (
        *BoundedSearch.per_start, "_low", "_high", "_low_before", "_high_before", "_is_secant",
    )  # fmt: skip

    def __init__(self, cubic: bool = True) -> None:
        self._cubic = cubic

    def twin_settings(self) -> dict[str, float]:
        """Return the constants by the names that the compiled core asks for."""
        return {
            "delta": DELTA, "sigma": SIGMA, "expand": EXPAND, "middle": MIDDLE, "gamma": GAMMA,
            "search_rounding": ROUNDING, "shrink_least": SHRINK_LEAST, "shrink_most": SHRINK_MOST,
            "max_trials": MAX_TRIALS, "cubic": self._cubic,
        }  # fmt: skip

    def start(self, n_running: int, eps: float) -> None:
        """Make room for `n_running` searches."""
        super().start(n_running, eps)
        self._low: Floats = np.zeros((n_running, 3))
        self._high: Floats = np.zeros((n_running, 3))
        self._low_before: Floats = np.zeros((n_running, 3))
        self._high_before: Floats = np.zeros((n_running, 3))
        self._is_secant: Mask = np.zeros(n_running, dtype=bool)

    def begin(self, active: Mask, value: Floats, slope: Floats, first: Floats) -> None:
        """Begin new searches on `active`, with an open bracket."""
        super().begin(active, value, slope, first)
        self._low[active] = np.stack([np.zeros_like(value), value, slope], axis=1)[active]
        self._high[active] = self._high_before[active] = (np.inf, np.inf, np.nan)
        self._is_secant[active] = False

    def _rounding(self) -> Floats:
        return np.asarray(ROUNDING * self._eps * np.abs(self._origin[:, 0]))

    def _highest(self) -> Floats:
        return np.asarray(self._origin[:, 0] + self._rounding())

    def _is_good(self, value: Floats, slope: Floats) -> Mask:
        f0, d0 = self._origin.T
        wolfe = value <= f0 + DELTA * self.step_sizes * d0
        approximate = (value <= self._highest()) & (slope <= (2.0 * DELTA - 1.0) * d0)
        return np.asarray((slope >= SIGMA * d0) & (wolfe | approximate))

    def _next_trial(self, value: Floats, slope: Floats) -> Floats:
        self._update(value, slope)
        low, high = self._low[:, 0], self._high[:, 0]
        is_open = np.isinf(high)
        is_closed = self._high[:, SLOPE] >= 0.0
        second = self._second_secant()
        is_second = is_closed & self._is_inside(second)
        first = self._zero(self._low, self._high)
        is_round = is_closed & ~is_second & self._has_shrunk()
        self._is_secant = is_round & self._is_inside(first)
        self._low_before = np.where(is_round[:, None], self._low, self._low_before)
        self._high_before = np.where(is_round[:, None], self._high, self._high_before)
        trial = np.where(is_closed, low + 0.5 * (high - low), self._contracted(first))
        trial = np.where(self._is_secant, first, trial)
        trial = np.where(is_second, second, trial)
        trial = np.where(is_open, EXPAND * low, trial)
        return np.where(self._is_inside(trial), trial, np.nan)

    def _update(self, value: Floats, slope: Floats) -> None:
        """Put the trial in the place of an end [U1, U2, first half of U3]."""
        is_low = (slope < 0.0) & (value <= self._highest())
        point = np.stack([self.step_sizes, value, slope], axis=1)
        self._low = np.where(is_low[:, None], point, self._low)
        self._high = np.where(is_low[:, None], self._high, point)

    def _is_inside(self, trial: Floats) -> Mask:
        return np.asarray((trial > self._low[:, 0]) & (trial < self._high[:, 0]))

    def _has_shrunk(self) -> Mask:
        before = self._high_before[:, 0] - self._low_before[:, 0]
        return np.asarray(self._high[:, 0] - self._low[:, 0] <= GAMMA * before)

    def _second_secant(self) -> Floats:
        """Return the zero through the end that the first secant made and the one it replaced."""
        became_low = self._is_secant & (self.step_sizes == self._low[:, 0])
        became_high = self._is_secant & (self.step_sizes == self._high[:, 0])
        is_low = became_low[:, None]
        replaced = np.where(is_low, self._low_before, self._high_before)
        second = self._zero(replaced, np.where(is_low, self._low, self._high))
        return np.where(became_low | became_high, second, np.nan)

    def _contracted(self, zero: Floats) -> Floats:
        """Return the trial below a step too long; far below, as long as nothing was finite.

        `zero` lies inside only if it comes from a cubic: phi' is negative at both ends.
        """
        low, width = self._low[:, 0], self._high[:, 0] - self._low[:, 0]
        nearer = np.clip((zero - low) / width, SHRINK_MOST, MIDDLE)
        share = np.where(self._is_inside(zero), nearer, MIDDLE)
        unknown = np.isinf(self._high[:, VALUE]) & (low == 0.0)
        return np.asarray(low + np.where(unknown, self._shrink(), share) * width)

    def _zero(self, one: Floats, other: Floats) -> Floats:
        """Return where phi' is zero by the line or the cubic through two points."""
        secant = secant_zero(one, other)
        if not self._cubic:
            return secant
        # Where the values differ by rounding alone, they say nothing.
        differs = np.abs(one[:, VALUE] - other[:, VALUE]) > self._rounding()
        cubic = cubic_minimiser(one, other)[0]
        return np.where(differs & np.isfinite(cubic), cubic, secant)
