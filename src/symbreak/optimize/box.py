"""Bounds of theta, for those methods of SciPy that take them.

Conventions
-----------
low <= theta <= high, (n,) each, infinite where there is no bound
projected gradient: g, but where theta - g would leave the box, theta minus the bound that it would
cross. It is zero at a minimum in the box, where g need not be, and stands for g in the
test of convergence (Byrd, Lu, Nocedal & Zhu 1995, eq. 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from symbreak.arrays import Array
from symbreak.errors import InvalidInput
from symbreak.optimize.per_start import Floats, Mask, device_like, host
from symbreak.optimize.protocols import Point


@dataclass(frozen=True, eq=False)
class Box:
    """What theta must stay within; numbers as the dtype of theta has them."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, bounds: Any, theta: Array) -> Self:
        """Return the box of `bounds` for theta (starts, n).

        Parameters
        ----------
        bounds : n pairs (low, high), None for no bound, or a `scipy.optimize.Bounds`.

        Raises
        ------
        InvalidInput
            Other bounds, a low one above its high one, or a start outside.
        """
        low, high = (device_like(side, theta) for side in _sides(bounds, theta.shape[-1]))
        box = cls(host(low), host(high))
        outside = np.argwhere(~box._holds_each(host(theta)))
        if len(outside):
            start, place = map(int, outside[0])
            raise InvalidInput(
                f"theta of minimize must lie within bounds. Got theta[{start}, {place}] = "
                f"{float(theta[start, place]):g}, which is to be from {box.low[place]:g} to "
                f"{box.high[place]:g}."
            )
        return box

    def holds(self, theta: Array) -> Mask:
        """Return which of theta (starts, n) lie within, (starts,)."""
        return np.asarray(self._holds_each(host(theta)).all(axis=1))

    def seen(self, point: Point) -> Point:
        """Return a point whose norm is that of the projected gradient."""
        theta, gradient = host(point.theta), host(point.gradient)
        room = np.where(gradient < 0.0, theta - self.high, theta - self.low)
        shorter = np.where(gradient < 0.0, np.maximum(gradient, room), np.minimum(gradient, room))
        norm = np.where(point.is_finite, np.abs(shorter).max(axis=1), point.norm)
        return Point(point.theta, point.value, point.gradient, norm)

    def _holds_each(self, theta: Floats) -> Mask:
        return np.asarray((self.low <= theta) & (theta <= self.high))


def _sides(bounds: Any, n: int) -> tuple[Floats, Floats]:
    """Return the low and the high bounds, (n,) each."""
    try:
        if hasattr(bounds, "lb"):
            sides = [np.asarray(side, dtype=np.float64) for side in (bounds.lb, bounds.ub)]
        else:
            none = (-np.inf, np.inf)
            pairs = [[none[i] if pair[i] is None else pair[i] for i in (0, 1)] for pair in bounds]
            sides = list(np.asarray(pairs, dtype=np.float64).reshape(-1, 2).T)
            if len(sides[0]) != n:
                raise ValueError
        low, high = (np.broadcast_to(side, (n,)).copy() for side in sides)
    except (TypeError, ValueError, IndexError):
        low = high = np.full(n, np.nan)
    if not (low <= high).all():
        raise InvalidInput(
            f"bounds of minimize must be {n} pairs (low, high) with low <= high, None where there "
            f"is no bound, or a scipy.optimize.Bounds. Got {bounds!r}."
        )
    return low, high
