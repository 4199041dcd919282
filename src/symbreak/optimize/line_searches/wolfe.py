"""A bracketing line search for the Wolfe conditions, one per start, one trial a tick.

Conventions
-----------
phi(t) = J(theta + t direction), phi'(t) its slope; f0 = phi(0), d0 = phi'(0) < 0
Wolfe:             phi(t) <= f0 + delta t d0          and  phi'(t) >= sigma d0
approximate Wolfe: phi(t) <= f0 + rounding            and  (2 delta - 1) d0 >= phi'(t) >= sigma d0
    (Hager & Zhang 2005, eq. 22-23: it still decides where differences of J drown in rounding)
Bracket [low, high]: phi'(low) < 0 and phi(low) <= f0 + rounding; at high phi rises, is too large
or is not finite, so that a point meeting the conditions lies between. A value that is not finite is
a step too long.
The next trial is the minimiser of the cubic through both ends, kept away from them; after two
trials that did not shrink the bracket by a third it is the middle.
"""

from __future__ import annotations

import numpy as np

from symbreak.optimize.rows import Floats, Mask, PerStart

DELTA = 0.1  # Hager & Zhang 2005, section 4: their delta and sigma
SIGMA = 0.9
EXPAND = 5.0  # their rho
MARGIN = 0.1  # a trial stays this share of the bracket away from both ends
MAX_TRIALS = 30
ROUNDING = 10.0  # units of eps |f0| that J may rise by rounding alone


class WolfeSearch(PerStart):
    """State of one bracketing search per row."""

    per_start = ("steps", "_low", "_high", "_origin", "_trials", "_slow")

    def __init__(self) -> None:
        self.steps: Floats = np.empty(0)
        self._eps = 0.0

    def start(self, n_rows: int, eps: float) -> None:
        """Make room for `n_rows` searches."""
        self._eps = eps
        self.steps = np.zeros(n_rows)
        # Columns: t, phi, phi' at the low and at the high end of the bracket.
        self._low = np.zeros((n_rows, 3))
        self._high = np.zeros((n_rows, 3))
        self._origin = np.zeros((n_rows, 2))  # f0, d0
        self._trials = np.zeros(n_rows, dtype=np.int64)
        self._slow = np.zeros(n_rows, dtype=np.int64)

    def begin(self, rows: Mask, value: Floats, slope: Floats, first: Floats) -> None:
        """Begin at t = 0 with the trial step `first`."""
        self.steps[rows] = first[rows]
        self._origin[rows] = np.stack([value, slope], axis=1)[rows]
        self._low[rows] = np.stack([np.zeros_like(value), value, slope], axis=1)[rows]
        self._high[rows] = (np.inf, np.nan, np.nan)
        self._trials[rows] = 0
        self._slow[rows] = 0

    def judge(self, value: Floats, slope: Floats) -> tuple[Mask, Mask]:
        """Accept, or shrink or stretch the bracket and set the next trial."""
        self._trials += 1
        accepted = self._meets_wolfe(value, slope)
        at_low = self.steps == self._low[:, 0]
        # The best lower end, tried again after the last trial, is taken whatever its slope.
        accepted |= at_low & (self._trials > MAX_TRIALS) & (self._low[:, 1] < self._origin[:, 0])
        failed = ~accepted & ((self._trials > MAX_TRIALS) | ~np.isfinite(self.steps))
        self._move_bracket(value, slope)
        self._next_trial()
        return accepted, failed

    def _rounding(self) -> Floats:
        return ROUNDING * self._eps * np.abs(self._origin[:, 0])

    def _meets_wolfe(self, value: Floats, slope: Floats) -> Mask:
        f0, d0 = self._origin.T
        steep = np.isfinite(value) & (slope >= SIGMA * d0)
        decrease = value <= f0 + DELTA * self.steps * d0
        approximate = (value <= f0 + self._rounding()) & (slope <= (2.0 * DELTA - 1.0) * d0)
        return steep & (decrease | approximate)

    def _move_bracket(self, value: Floats, slope: Floats) -> None:
        low_enough = value <= self._origin[:, 0] + self._rounding()
        is_low = np.isfinite(value) & (slope < 0.0) & low_enough
        before = self._high[:, 0] - self._low[:, 0]
        point = np.stack([self.steps, value, slope], axis=1)
        self._low = np.where(is_low[:, None], point, self._low)
        self._high = np.where(is_low[:, None], self._high, point)
        shrunk = self._high[:, 0] - self._low[:, 0] <= before * (2.0 / 3.0)
        self._slow = np.where(shrunk | np.isinf(before), 0, self._slow + 1)

    def _next_trial(self) -> None:
        low, high = self._low[:, 0], self._high[:, 0]
        open_end = np.isinf(high)
        top = np.where(open_end, EXPAND * low, high)
        width = top - low
        trial = np.where(self._slow >= 2, np.nan, _cubic_minimiser(self._low, self._high))
        trial = np.where(np.isfinite(trial), trial, low + 0.5 * width)
        trial = np.clip(trial, low + MARGIN * width, top - MARGIN * width)
        trial = np.where(open_end, top, trial)
        self.steps = np.where(self._trials >= MAX_TRIALS, low, trial)


def _cubic_minimiser(low: Floats, high: Floats) -> Floats:
    """Return the minimiser of the cubic through both ends (Nocedal & Wright 2006, eq. 3.59)."""
    (t1, f1, d1), (t2, f2, d2) = low.T, high.T
    with np.errstate(all="ignore"):  # open or not finite ends give NaN, and the middle is taken
        e = d1 + d2 - 3.0 * (f1 - f2) / (t1 - t2)
        root = np.sqrt(e * e - d1 * d2)
        return np.asarray(t2 - (t2 - t1) * (d2 + root - e) / (d2 - d1 + 2.0 * root))
