"""The line search of Moré and Thuente for the strong Wolfe conditions, one per start.

Conventions (Moré & Thuente 1994, ACM TOMS 20)
-----------
phi(t) = J(theta + t direction), phi'(t) its slope; f0 = phi(0), d0 = phi'(0) < 0
strong Wolfe:  phi(t) <= f0 + c1 t d0  and  |phi'(t)| <= c2 |d0|
psi(t) = phi(t) - f0 - c1 d0 t: until a trial has decreased phi enough with a slope that is not
negative, lower trials that have not are compared by psi; all others by phi (their section 3).
low end:  the best point so far; the function falls from it towards the high end
high end: the other end of the interval; while there is none the interval is open, and the trial
          grows by 1.1 to 4 times the last move
The next trial is one of four mixtures of cubic, parabola and secant (their section 4, cases 1-4).
When two trials together have not shrunk the interval to 0.66, it is the middle.
A value or slope that is not finite is a step too long: it becomes the high end, and the trial
is pulled towards the low end.
"""

from __future__ import annotations

import numpy as np

from symbreak.optimize.line_searches.bounded import BoundedSearch
from symbreak.optimize.line_searches.interpolation import cubic_minimiser, secant_zero
from symbreak.optimize.per_start import Floats, Mask

GROW_LEAST, GROW_MOST = 1.1, 4.0
SHARE = 0.66  # of the interval: how far case 3 may go, and what two trials may leave


class MoreThuente(BoundedSearch):
    """State of one search per start; 0 < c1 < c2 < 1.

    Attributes
    ----------
    _low, _high : (starts, 3), t, phi, phi' at the ends; the t of an open high end is NaN.
    _is_decreasing : (starts,), whether psi still serves in place of phi.
    _widths : (starts, 2), of the interval before the last trial and before the one before that;
        NaN while the interval was open.
    """

    per_start = (*BoundedSearch.per_start, "_low", "_high", "_is_decreasing", "_widths")

    def __init__(self, c1: float = 1e-4, c2: float = 0.9) -> None:
        self._c1, self._c2 = c1, c2

    def start(self, n_running: int, eps: float) -> None:
        """Make room for `n_running` searches."""
        super().start(n_running, eps)
        self._low: Floats = np.zeros((n_running, 3))
        self._high: Floats = np.zeros((n_running, 3))
        self._is_decreasing: Mask = np.zeros(n_running, dtype=bool)
        self._widths: Floats = np.zeros((n_running, 2))

    def begin(self, active: Mask, value: Floats, slope: Floats, first: Floats) -> None:
        """Begin new searches on `active`, with an open interval."""
        super().begin(active, value, slope, first)
        self._low[active] = np.stack([np.zeros_like(value), value, slope], axis=1)[active]
        self._high[active] = np.nan
        self._is_decreasing[active] = True
        self._widths[active] = np.nan

    def _is_low_enough(self, value: Floats) -> Mask:
        f0, d0 = self._origin.T
        return np.asarray(value <= f0 + self._c1 * self.step_sizes * d0)

    def _is_good(self, value: Floats, slope: Floats) -> Mask:
        flat = np.abs(slope) <= -self._c2 * self._origin[:, 1]
        return np.asarray(self._is_low_enough(value) & flat)

    def _next_trial(self, value: Floats, slope: Floats) -> Floats:
        point = np.stack([self.step_sizes, value, slope], axis=1)
        enough = self._is_low_enough(value)
        self._is_decreasing &= ~(enough & (slope >= 0.0))
        # A lower point that is not low enough is compared by psi; phi would lead further off.
        tilted = self._is_decreasing & (value <= self._low[:, 1]) & ~enough
        tilt = np.where(tilted, self._c1 * self._origin[:, 1], 0.0)
        low, at, high = (_tilted(end, tilt) for end in (self._low, point, self._high))
        is_higher, is_turned = at[:, 1] > low[:, 1], at[:, 2] * np.sign(low[:, 2]) < 0.0
        beyond = self._predicted_beyond(low, at, high)
        lower = np.where(is_turned, _case_2(low, at), beyond)
        trial = np.where(is_higher, _case_1(low, at), lower)
        self._move_ends(point, is_higher, is_turned)
        return self._safeguarded(trial, np.isfinite(value))

    def _predicted_beyond(self, low: Floats, at: Floats, high: Floats) -> Floats:
        """Return the trial where phi still falls (cases 3 and 4), (starts,)."""
        is_open = np.isnan(high[:, 0])
        move = at[:, 0] - low[:, 0]
        far = np.where(is_open, at[:, 0] + GROW_MOST * move, high[:, 0])
        # The first trial may be nearly right: growth has a least factor only after it.
        near = at[:, 0] + np.where(self._trials > 1, GROW_LEAST, 0.0) * move
        is_flatter = np.abs(at[:, 2]) < np.abs(low[:, 2])
        flatter = _case_3(low, at, near, far, is_open)
        return np.where(is_flatter, flatter, _case_4(at, high, far, is_open))

    def _move_ends(self, point: Floats, is_higher: Mask, is_turned: Mask) -> None:
        """Keep the part of the interval with a minimiser (their modified updating algorithm)."""
        beyond = np.where(is_turned[:, None], self._low, self._high)
        self._high = np.where(is_higher[:, None], point, beyond)
        self._low = np.where(is_higher[:, None], self._low, point)

    def _safeguarded(self, trial: Floats, was_finite: Mask) -> Floats:
        low, high = self._low[:, 0], self._high[:, 0]
        width = high - low
        is_slow = np.abs(width) >= SHARE * self._widths[:, 1]
        share = np.where(low == 0.0, self._shrink(), 0.5)
        trial = np.where(is_slow | ~np.isfinite(trial), low + 0.5 * width, trial)
        trial = np.where(was_finite, trial, low + share * width)
        is_open = np.isnan(high)
        self._widths = np.stack([np.abs(width), self._widths[:, 0]], axis=1)
        above, below = np.where(low < high, low, high), np.where(low < high, high, low)
        above, below = np.where(is_open, low, above), np.where(is_open, np.inf, below)
        return np.where((trial > above) & (trial < below), trial, np.nan)


def _tilted(end: Floats, tilt: Floats) -> Floats:
    """Return t, phi - tilt t, phi' - tilt: psi up to a constant."""
    t, value, slope = end.T
    return np.stack([t, value - tilt * t, slope - tilt], axis=1)


def _case_1(low: Floats, at: Floats) -> Floats:
    """Higher: the cubic if it stays nearer to the low end, else halfway to the parabola."""
    cubic, parabola = cubic_minimiser(low, at)[0], _parabola(low, at)
    nearer = np.abs(cubic - low[:, 0]) <= np.abs(parabola - low[:, 0])
    return np.where(nearer, cubic, cubic + 0.5 * (parabola - cubic))


def _case_2(low: Floats, at: Floats) -> Floats:
    """Lower, and the slope has turned: the cubic or the secant, whichever is farther away."""
    cubic, secant = cubic_minimiser(at, low)[0], secant_zero(low, at)
    farther = np.abs(cubic - at[:, 0]) > np.abs(secant - at[:, 0])
    return np.where(farther, cubic, secant)


def _case_3(low: Floats, at: Floats, near: Floats, far: Floats, is_open: Mask) -> Floats:
    """Lower and flatter: on along the slope, by the cubic or the secant.

    The cubic counts only where its minimiser lies beyond the trial, else `far` does. In a closed
    interval the nearer of both is taken, at most a share of the rest away; else the farther.
    """
    cubic, share = cubic_minimiser(at, low)
    cubic = np.where(share < 0.0, cubic, far)
    secant = secant_zero(low, at)
    t = at[:, 0]
    is_nearer = np.abs(cubic - t) < np.abs(secant - t)
    trial = np.where(is_nearer == ~is_open, cubic, secant)
    limit = t + SHARE * (far - t)
    limited = np.where(t > low[:, 0], np.minimum(limit, trial), np.maximum(limit, trial))
    return np.where(is_open, np.clip(trial, near, far), limited)


def _case_4(at: Floats, high: Floats, far: Floats, is_open: Mask) -> Floats:
    """Lower and steeper: the cubic through the trial and the high end; `far` if there is none."""
    return np.where(is_open, far, cubic_minimiser(at, high)[0])


def _parabola(low: Floats, at: Floats) -> Floats:
    """Return the minimiser of the parabola through both points with the slope at the low end."""
    (t1, f1, d1), (t2, f2, _) = low.T, at.T
    return np.asarray(t1 + 0.5 * d1 / ((f1 - f2) / (t2 - t1) + d1) * (t2 - t1))
