"""What many starts show together: how often the lowest J was reached, and what may be unseen.

Conventions
-----------
Usable: J at the end is finite. Converged: the gradient test holds there as well; only these values
of J are told apart as stationary values (nearly always minima). Minima with equal J, such as copies
with permuted units, count as one here.

J' >= J is the same value when    J' - J <= rtol |J| + open,
open = the larger max |gradient| · max |theta| of the two: what the gradient test has left open, to
first order, for a step of the size of theta. It is what matters where J is nearly 0. The lowest of
a group is the J that others are compared with, so that a group cannot grow by chaining. A start
that has not converged reaches the lowest J within rtol |J| alone.

N = converged starts, N1 = values that were seen exactly once.
    chance that the next start that converges shows a new value  ~  N1 / N
(Good 1953, "The population frequencies of species and the estimation of population parameters").
    chance that the next start is lower than all n before  <=  1 / (n + 1)
because n + 1 starts drawn and searched alike are exchangeable: each is as likely to be the lowest,
and a start without a finite J is never it. The bound holds on average over all n + 1, before any
of them is looked at; the estimate above has looked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from symbreak.arrays import as_numpy
from symbreak.checks import check_not_negative
from symbreak.deprecation import warn_renamed
from symbreak.optimize.per_start import Floats, Mask, Starts, largest
from symbreak.optimize.status import Status
from symbreak.text import pluralize

if TYPE_CHECKING:
    from symbreak.optimize.outcome import Outcome

NEW_IS_LIKELY = 0.1
_LISTED = 4


@dataclass(frozen=True)
class Minimum:
    """A value of J that starts converged to, and which starts did, lowest first."""

    value: float
    starts: tuple[int, ...]


@dataclass(frozen=True)
class Restarts:
    """What many starts show together.

    Attributes
    ----------
    n_starts, n_usable, n_converged : all starts; those with a finite J; those that converged.
    lowest : the lowest J found; infinite when none is finite.
    lowest_status : how the start that found it ended; None when J is finite nowhere.
    n_lowest : usable starts that reached it within the tolerance.
    minima : the distinct values of J that starts converged to, lowest first.
    rtol : the tolerance, relative to J.
    """

    n_starts: int
    n_usable: int
    n_converged: int
    lowest: float
    lowest_status: Status | None
    n_lowest: int
    minima: tuple[Minimum, ...]
    rtol: float

    @property
    def n_once(self) -> int:
        """The number of values that were seen exactly once."""
        return sum(len(minimum.starts) == 1 for minimum in self.minima)

    @property
    def gaps(self) -> tuple[float, ...]:
        """How far each value lies above the one before."""
        values = [minimum.value for minimum in self.minima]
        return tuple(float(gap) for gap in np.diff(values))

    @property
    def chance_of_new(self) -> float:
        """The estimated chance that the next start shows a new value; NaN when none converged."""
        return self.n_once / self.n_converged if self.n_converged else math.nan

    @property
    def chance_of_lower(self) -> float:
        """The most that the chance of a lower J can be for the next start."""
        return 1.0 / (self.n_starts + 1)

    @property
    def lowest_converged(self) -> bool:
        """Whether the start that found the lowest J converged."""
        return self.lowest_status is Status.CONVERGED

    @property
    def needs_more_starts(self) -> bool:
        """Whether the lowest J converged, was reached once, and a new value is likely (> 10 %)."""
        once = self.lowest_converged and self.n_lowest == 1
        return once and self.chance_of_new > NEW_IS_LIKELY

    @property
    def advice(self) -> str:
        """One sentence on what to do, or "" where these figures ask for nothing."""
        if self.lowest_status is not None and not self.lowest_converged:
            return f"The lowest has not converged: {self.lowest_status}."
        if self.needs_more_starts:
            return "Use more starts: the lowest was reached once, and new values are likely."
        return ""

    def as_dict(self) -> dict[str, Any]:
        """Do what `to_dict` does; the old name."""
        warn_renamed("as_dict of Restarts", "to_dict")
        return self.to_dict()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        status = self.lowest_status
        return {
            "n_starts": self.n_starts,
            "n_usable": self.n_usable,
            "n_converged": self.n_converged,
            "lowest_J": self.lowest,
            "lowest_status": None if status is None else status.word,
            "n_lowest": self.n_lowest,
            "rtol": self.rtol,
            "minima": [{"J": one.value, "starts": list(one.starts)} for one in self.minima],
            "chance_of_new": self.chance_of_new,
            "chance_of_lower_at_most": self.chance_of_lower,
            "needs_more_starts": self.needs_more_starts,
        }

    def __str__(self) -> str:
        if not self.n_usable:
            return f"None of {self.n_starts} starts ended with a finite J."
        lines = [
            f"{self.n_lowest} of {self.n_starts} starts reached the lowest J, {self.lowest:.6g} "
            f"(to {100 * self.rtol:g} % or gradient error); {self._converged_words()}.",
            f"The next start: {self._chances_words()}.",
        ]
        return "\n".join([*lines, self.advice] if self.advice else lines)

    def _chances_words(self) -> str:
        n = self.n_starts + 1
        lower = f"lower than all so far, at most {100 / n:.2g} % (1 in {n})"
        if not self.n_converged:
            return lower
        return (
            f"a new value, about {100 * self.chance_of_new:.0f} % (Good-Turing, {self.n_once} of "
            f"{self.n_converged} seen once); {lower}"
        )

    def _converged_words(self) -> str:
        if not self.n_converged:
            return "none converged, so no value is a minimum"
        listed = ", ".join(f"{one.value:.6g} ({len(one.starts)})" for one in self.minima[:_LISTED])
        more = " and others" if len(self.minima) > _LISTED else ""
        values = pluralize(len(self.minima), "value")
        return f"{self.n_converged} converged, to {values}: {listed}{more}"


def restarts(outcome: Outcome, rtol: float = 1e-4) -> Restarts:
    """Return what the starts of an outcome show together.

    Parameters
    ----------
    rtol : values of J closer than this share of |J| are one; see the module for what the gradients
        leave open beside it.

    Raises
    ------
    InvalidInput
        rtol is negative or not finite.
    """
    check_not_negative("rtol of restarts", rtol)
    J, converged = np.asarray(outcome.value, dtype=np.float64), outcome.converged
    usable = np.isfinite(J)
    converged = converged & usable
    left_open = _left_open(outcome, converged)
    best = int(np.argmin(np.where(usable, J, np.inf)))
    near = (
        usable & (J - J[best] <= _tolerance(J, left_open, best, rtol)) if usable[best] else usable
    )
    return Restarts(
        n_starts=len(J),
        n_usable=int(usable.sum()),
        n_converged=int(converged.sum()),
        lowest=float(J[best]) if usable[best] else math.inf,
        lowest_status=outcome.status[best] if usable[best] else None,
        n_lowest=int(near.sum()),
        minima=_minima(J, left_open, np.flatnonzero(converged), rtol),
        rtol=float(rtol),
    )


def _minima(J: Floats, left_open: Floats, starts: Starts, rtol: float) -> tuple[Minimum, ...]:
    order = [int(start) for start in starts[np.argsort(J[starts], kind="stable")]]
    minima: list[Minimum] = []
    while order:
        tolerance = _tolerance(J, left_open, order[0], rtol)
        group = tuple(start for start in order if J[start] - J[order[0]] <= tolerance[start])
        minima.append(Minimum(float(J[order[0]]), group))
        order = [start for start in order if start not in group]
    return tuple(minima)


def _tolerance(J: Floats, left_open: Floats, lowest: int, rtol: float) -> Floats:
    """Return how far above J[lowest] each start still has the same J, (starts,)."""
    return np.asarray(rtol * abs(J[lowest]) + np.maximum(left_open, left_open[lowest]))


def _left_open(outcome: Outcome, converged: Mask) -> Floats:
    size = largest(as_numpy(outcome.theta).reshape(len(outcome.value), -1))
    return size * np.where(converged, outcome.gradient_norm, 0.0)
