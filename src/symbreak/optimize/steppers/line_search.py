"""A direction and a line search along it: the stepper of the quasi-Newton and gradient methods.

Conventions
-----------
trial = theta + t direction, t the step that the line search tries; slope = gradient · direction.
A direction that does not lead down, or along which the search fails, is replaced by steepest
descent; a search that fails along steepest descent fails for good. Where the slope itself is beyond
the range of the dtype the direction is divided by the largest |entry| of the gradient.
First trial: 1 where the direction has a scale of its own; else the step before, scaled so that the
first-order change of J stays the same (Nocedal & Wright 2006, eq. 3.60); unit length along steepest
descent.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from symbreak.arrays import Array, as_numpy, dots, namespace, quiet
from symbreak.objectives.contract import Objective
from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.line_searches.hager_zhang import HagerZhang
from symbreak.optimize.per_start import Floats, Mask, device_like, host, limits_of, where
from symbreak.optimize.protocols import Direction, LineSearch, LooksAtCurvature, Point
from symbreak.optimize.status import Status
from symbreak.optimize.twin import HasTwin


class LineSearchStepper(HasTwin):
    """Follows `direction` as far as `search` says."""

    per_start = ("direction", "search", "along", "_is_steepest", "_slope", "_change")
    failure = Status.PRECISION_LIMIT
    iteration_is = "update"

    def __init__(self, direction: Direction, search: LineSearch) -> None:
        self.direction = direction
        self.search = search

    @property
    def twin(self) -> str | None:
        """L-BFGS with the search of Hager and Zhang has one."""
        has_twin = type(self.direction) is LBFGS and type(self.search) is HagerZhang
        return "l-bfgs" if has_twin else None

    def twin_settings(self) -> Mapping[str, float]:
        """Return the constants of the search."""
        assert isinstance(self.search, HagerZhang)
        return self.search.twin_settings()

    def needs_gradient(self, objective: Objective) -> bool:
        """It goes by the gradient at every trial."""
        return True

    def start(self, here: Point, objective: Objective) -> None:
        """Begin the first searches."""
        n_running = len(here.value)
        self._look(here.is_finite, here, objective)
        self.along = self.direction.start(here)
        self._is_steepest: Mask = _all_of_each(self.along == -here.gradient)
        self._slope: Floats = np.full(n_running, -1.0)  # of the direction, at its origin
        # Step size times slope of the last accepted step.
        self._change: Floats = np.full(n_running, np.nan)
        limits = limits_of(here.theta)
        self._least = float(limits.smallest_normal)
        self.search.start(n_running, float(limits.eps))
        self._begin(here.is_finite & (here.norm > 0.0), here)

    @quiet
    def trial(self, here: Point, objective: Objective) -> Array:
        """Return theta + step direction."""
        step_sizes = device_like(self.search.step_sizes, here.theta)
        trial = self.along * step_sizes[:, None]
        trial += here.theta
        return trial

    def judge(self, here: Point, trial: Point) -> tuple[Mask, Mask]:
        """Let the search decide; send failed starts along steepest descent once."""
        step_sizes = self.search.step_sizes
        accepted, failed = self.search.judge(trial.value, self._slope_of(trial))
        with np.errstate(all="ignore"):  # starts that are not accepted may hold anything
            self._change = np.where(accepted, step_sizes * self._slope, self._change)
        again = failed & ~self._is_steepest
        if again.any():
            self._steepest(again, here)
            self._begin(again, here)
        return accepted, failed & ~again

    def advance(self, active: Mask, before: Point, here: Point, objective: Objective) -> None:
        """Turn `active` into their next direction and begin to search along it."""
        self._look(active, here, objective)
        self.along = where(active, self.direction.update(active, before, here), self.along)
        self._is_steepest &= ~active
        self._begin(active, here)

    def _look(self, active: Mask, here: Point, objective: Objective) -> None:
        if isinstance(self.direction, LooksAtCurvature):
            self.direction.look(active, here, objective)

    def _begin(self, active: Mask, here: Point) -> None:
        slope = self._slope_of(here)
        uphill = active & ~(slope < 0.0)
        if uphill.any():
            self._steepest(uphill, here)
            slope = self._slope_of(here)
        beyond = active & (np.isneginf(slope) | (self._is_steepest & (slope > -self._least)))
        if beyond.any():
            self._shorten(beyond, here)
            slope = self._slope_of(here)
        self._slope = np.where(active, slope, self._slope)
        self.search.begin(active, here.value, self._slope, self._first_steps())

    def _shorten(self, active: Mask, here: Point) -> None:
        """Divide directions by the size of the gradient, so that their slopes are numbers."""
        lost = active & ~_all_of_each(namespace(self.along).isfinite(self.along))
        if lost.any():
            self._steepest(lost, here)
        size = device_like(np.where(active, here.norm, 1.0), here.theta)
        self.along = self.along / size[:, None]

    def _first_steps(self) -> Floats:
        if self.direction.has_scale and not self._is_steepest.any():
            return np.ones(len(self._slope))
        with np.errstate(all="ignore"):  # starts that are not searched may hold anything
            norm = namespace(self.along).linalg.vector_norm
            unit = 1.0 / host(norm(self.along, axis=1))
            alike = self._change / self._slope
        if self.direction.has_scale:
            return np.where(self._is_steepest, unit, 1.0)
        usable = ~self._is_steepest & np.isfinite(alike) & (alike > 0.0)
        return np.where(usable, alike, unit)

    def _steepest(self, active: Mask, here: Point) -> None:
        self.along = where(active, self.direction.restart(active, here), self.along)
        self._is_steepest |= active

    @quiet
    def _slope_of(self, point: Point) -> Floats:
        return host(dots(point.gradient, self.along))


def _all_of_each(entries: Array) -> Mask:
    """Whether all entries of a start are true, (starts,)."""
    return np.asarray(as_numpy(entries).all(1))
