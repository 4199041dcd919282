"""What all line searches share: a bounded number of trials, the lowest as a last resort.

Conventions
-----------
phi(t) = J(theta + t direction), phi'(t) its slope; f0 = phi(0), d0 = phi'(0) < 0
A value or slope that is not finite is a step too long: the point counts as phi = +inf, phi' = NaN.
Every search ends: after `MAX_TRIALS` trials, or when no trial is left, the lowest point seen is
tried once more and accepted if it lies below f0; if no point did, the search has failed.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from symbreak.optimize.per_start import Floats, Mask, PerStart

MAX_TRIALS = 30
SHRINK_LEAST, SHRINK_MOST = 0.5, 0.1  # factors of a step that was too long


class BoundedSearch(PerStart):
    """Counts trials and remembers the lowest; a search adds `_is_good` and `_next_trial`.

    Attributes
    ----------
    step_sizes : (starts,), the trial step of each start.
    _origin : (starts, 2), f0 and d0.
    _best : (starts, 2), t and phi of the lowest point; t = 0 as long as none lies below f0.
    """

    per_start: ClassVar[tuple[str, ...]] = ("step_sizes", "_origin", "_best", "_trials", "_is_last")

    def start(self, n_running: int, eps: float) -> None:
        """Make room for `n_running` searches; `eps` is the rounding unit of the values."""
        self._eps = eps
        self.step_sizes: Floats = np.zeros(n_running)
        self._origin: Floats = np.zeros((n_running, 2))
        self._best: Floats = np.zeros((n_running, 2))
        self._trials = np.zeros(n_running, dtype=np.int64)
        self._is_last: Mask = np.zeros(n_running, dtype=bool)

    def begin(self, active: Mask, value: Floats, slope: Floats, first: Floats) -> None:
        """Begin new searches on `active` from f0 = value, d0 = slope, first trying `first`."""
        self.step_sizes[active] = first[active]
        self._origin[active] = np.stack([value, slope], axis=1)[active]
        self._best[active] = np.stack([np.zeros_like(value), value], axis=1)[active]
        self._trials[active] = 0
        self._is_last[active] = False

    def judge(self, value: Floats, slope: Floats) -> tuple[Mask, Mask]:
        """Return which trials, (starts,), are accepted and which searches failed; set the next."""
        with np.errstate(all="ignore"):  # points that are not finite give NaN, which is looked for
            return self._judge(value, slope)

    def _judge(self, value: Floats, slope: Floats) -> tuple[Mask, Mask]:
        finite = np.isfinite(value) & np.isfinite(slope)
        value, slope = np.where(finite, value, np.inf), np.where(finite, slope, np.nan)
        self._trials += 1
        better = value < self._best[:, 1]
        self._best = np.where(
            better[:, None], np.stack([self.step_sizes, value], axis=1), self._best
        )
        accepted = self._is_good(value, slope) | (self._is_last & (value < self._origin[:, 0]))
        if accepted.all():  # the commonest case by far with few starts
            return accepted, ~accepted
        trial = self._next_trial(value, slope)
        spent = np.isnan(trial) | (self._trials >= MAX_TRIALS)
        failed = ~accepted & (self._is_last | (spent & (self._best[:, 0] == 0.0)))
        self._is_last = spent
        self.step_sizes = np.where(spent, self._best[:, 0], trial)
        return accepted, failed

    def _is_good(self, value: Floats, slope: Floats) -> Mask:
        """Return which trials meet the conditions of the search."""
        raise NotImplementedError

    def _next_trial(self, value: Floats, slope: Floats) -> Floats:
        """Take the trial in and return the next, (starts,); NaN where no point is left to try."""
        raise NotImplementedError

    def _shrink(self) -> Floats:
        """Return the factor for steps that were not finite: first 0.5, then 0.1."""
        return np.where(self._trials > 1, SHRINK_MOST, SHRINK_LEAST)
