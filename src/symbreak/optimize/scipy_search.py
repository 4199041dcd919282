"""The methods of `scipy.optimize.minimize`, start by start, with the promises of `minimize`.

scipy decides where to evaluate; this module keeps the best point, counts, looks at the limits, and
applies symbreak's own test of the gradient at every point that scipy accepts. So "converged" means
the same as for every other method. When scipy ends by itself, its sentence is kept in
`Outcome.messages`.

An iteration is what scipy calls one (it calls back after each); a trust-region step that is refused
counts too. An evaluation always is J with its gradient, also for methods that look at J alone: the
best point and the convergence test need both. scipy names an accepted point by x alone, so the
points since the last accepted one are kept; where it asks again for one, that is no evaluation.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import scipy.optimize

from symbreak.arrays import Array, copied, namespace
from symbreak.native.turns import let_go
from symbreak.objectives.capabilities import HasHessian, offered
from symbreak.objectives.contract import Objective
from symbreak.optimize.box import Box
from symbreak.optimize.interrupt import DeferredInterrupt
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.per_start import Floats, device_like, host
from symbreak.optimize.protocols import Point
from symbreak.optimize.running import BestPoints
from symbreak.optimize.scipy_options import (
    TAKES_MATRIX,
    TAKES_PRODUCTS,
    WITHOUT_GRADIENT,
    check,
    method_named,
    one_line,
    options_for,
    refused_option,
)
from symbreak.optimize.search import Clock, Places, Progress
from symbreak.optimize.start_records import StartRecords
from symbreak.optimize.status import Status
from symbreak.optimize.stopping import ROUNDING, GradientTest, Limits

ENDS_ALL = (Status.MAX_SECONDS, Status.STOPPED, Status.INTERRUPTED)


class Ended(Exception):
    """Leads out of scipy, with the status of the start."""

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self.status = status


class ScipySearch:
    """A search by one of scipy's methods, one start after the other.

    Parameters
    ----------
    method : "scipy:" and the name of a method, in large or small letters.
    objective, theta, test, limits : as for `Loop`.
    options : scipy's options of the method, and `bounds` where it takes them.

    Raises
    ------
    InvalidInput, InvalidType
        Unknown method; an option that `minimize` has a word for; no Hessian where one is needed.
    """

    def __init__(
        self,
        method: str,
        objective: Objective,
        theta: Array,
        test: GradientTest,
        limits: Limits,
        options: Mapping[str, Any],
    ) -> None:
        self.method = method_named(method)
        check(self.method, objective, options)
        self.options = dict(options)
        bounds = self.options.pop("bounds", None)
        self.box = None if bounds is None else Box.of(bounds, theta)
        self.objective, self.test, self.limits = objective, test, limits
        self.clock, self.interrupt = Clock(limits.max_seconds), DeferredInterrupt()
        self.callback: Callable[[Progress], Any] | None = None
        self.records, self.best = StartRecords(theta), BestPoints(theta)

    def run(self, callback: Callable[[Progress], Any] | None = None) -> None:
        """Search from every start in turn, until the callback says stop or Ctrl-C.

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C was pressed again before the first one had ended the search.
        """
        self.callback = callback
        why = Status.INTERRUPTED
        try:
            with self.interrupt:
                here = self._begin()
                for start, status in enumerate(self.records.status):
                    if status is Status.RUNNING:
                        self._search(start, here.pick(np.array([start])))
        except Ended as ended:
            why = ended.status
        except KeyboardInterrupt:
            if self.interrupt.is_repeated:
                raise
        known = self.records.status
        self.records.status = [why if one is Status.RUNNING else one for one in known]

    def outcome(self) -> Outcome:
        """Return the best points; J, gradient and convergence are evaluated there once more."""
        records, best = self.records, self.best
        records.theta = best.theta
        records.best_iteration = np.minimum(best.iteration, records.n_iterations)
        messages = tuple(records.messages)
        return records.outcome(self.objective, self.test, self.clock, self.box, messages=messages)

    def point_at(self, objective: Objective, theta: Array) -> Point:
        """Evaluate J and its gradient at theta, of an objective of the starts that it is for."""
        point = Point.at(objective, theta)
        return point if self.box is None else self.box.seen(point)

    def look_at_the_clock(self) -> None:
        """End everything when the time is over or Ctrl-C was pressed."""
        if self.interrupt.is_requested:
            raise Ended(Status.INTERRUPTED)
        if self.clock.is_over:
            raise Ended(Status.MAX_SECONDS)

    def tell(self, start: int, here: Point) -> None:
        """Call the callback with where a start stands, and end everything when it says stop."""
        if self.callback is None:
            return
        records = self.records
        places = Places(np.array([start]), records.n_iterations[[start]], here.theta)
        n_running = records.status.count(Status.RUNNING)
        if self.callback(records.progress(self.best.value, places, self.clock, n_running)):
            raise Ended(Status.STOPPED)

    def _begin(self) -> Point:
        """Evaluate all starts as one stack; end those that are not finite or are done."""
        records, limits, n = self.records, self.limits, len(self.records)
        here = self.point_at(self.objective, records.theta)
        records.n_evaluations += 1
        self.best.offer(here, records.n_iterations)
        self.best.theta = copied(self.best.theta)  # its rows are written one by one
        endings = records.begin(here, self.test, limits)
        endings += limits.endings(
            np.zeros(n, dtype=bool), here, here, records.n_iterations, records.n_evaluations
        )
        for ended, status in reversed(endings):  # the first that holds has the last word
            for start in np.flatnonzero(ended):
                records.status[start] = status
        self.look_at_the_clock()
        return here

    def _search(self, start: int, here: Point) -> None:
        one = OneStart(self, start, here)
        try:
            self.records.status[start], self.records.messages[start] = one.run()
        except Ended as ended:
            self.records.status[start] = ended.status
            if ended.status in ENDS_ALL:
                raise


class OneStart:
    """The functions that scipy calls for one start."""

    def __init__(self, search: ScipySearch, start: int, here: Point) -> None:
        self._search, self._start = search, start
        self._rows = np.array([start])
        self._objective = search.objective.take(self._rows)
        self._first = self._here = self._before = here
        self._x0 = host(here.theta)[0]
        # Points since the last one that scipy accepted, which it will name by x alone.
        self._seen = {self._x0.tobytes(): here}
        self._raised: Exception | None = None

    def run(self) -> tuple[Status, str]:
        """Let scipy search; return how it ended by itself, and its sentence.

        Raises
        ------
        Ended
            The start was ended by us.
        """
        search = self._search
        try:
            result = self._scipy()
        except Exception as error:
            # Only what the function has raised is an error of the user's; scipy gives up.
            if self._raised is not None:
                raise self._raised from None
            if search.options and search.records.n_evaluations[self._start] == 1:
                raise refused_option(search.method, error) from None
            return Status.FAILED, one_line(error)
        if self._raised is not None:
            raise self._raised
        return self._own_ending(), one_line(result.message)

    @let_go()
    def _scipy(self) -> Any:
        search = self._search
        method, box = search.method, search.box
        has_gradient = method not in WITHOUT_GRADIENT
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"scipy(\.|$)")
            warnings.filterwarnings("error", message="Unknown solver options")
            minimize: Any = scipy.optimize.minimize  # its stubs want the method as a literal
            return minimize(
                self._guarded(self._value_and_gradient if has_gradient else self._value),
                self._x0.copy(),
                method=method,
                jac=True if has_gradient else None,
                callback=self._guarded_callback,
                options=options_for(method, search.limits.max_iter, search.options),
                bounds=None if box is None else scipy.optimize.Bounds(box.low, box.high),
                **self._curvature(),
            )

    def _curvature(self) -> dict[str, Any]:
        if offered(self._objective, HasHessian) is None:
            return {}
        if self._search.method in TAKES_MATRIX:
            return {"hess": self._guarded(self._hessian)}
        if self._search.method in TAKES_PRODUCTS:
            return {"hessp": self._guarded(self._hessian_product)}
        return {}

    def _guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Note what `function` raises: some of scipy's methods swallow it or change it."""

        def called(*arguments: Any) -> Any:
            if self._raised is not None:
                raise self._raised
            try:
                return function(*arguments)
            except Exception as error:
                self._raised = error
                raise

        return called

    # scipy looks at the name of the parameter. Old methods hand over x, the others a result.
    def _guarded_callback(self, intermediate_result: Any) -> None:
        self._guarded(self._accepted)(getattr(intermediate_result, "x", intermediate_result))

    def _value(self, x: Floats) -> float:
        return float(self._point(x).value[0])

    def _value_and_gradient(self, x: Floats) -> tuple[float, Floats]:
        point = self._point(x)
        return float(point.value[0]), host(point.gradient)[0].copy()

    def _hessian_product(self, x: Floats, v: Floats) -> Floats:
        objective: Any = self._objective
        product = host(objective.hessian_product(self._theta(x), self._theta(v)))
        return product.reshape(-1)

    def _hessian(self, x: Floats) -> Floats:
        n = len(x)
        objective: Any = self._objective.take(np.zeros(n, dtype=np.int64))
        unit = device_like(np.eye(n), self._first.theta)
        H = host(objective.hessian_product(device_like(np.tile(x, (n, 1)), unit), unit))
        return 0.5 * (H + H.T)

    def _theta(self, x: Floats) -> Array:
        """Return (1, n) as the objective needs it; a copy, as scipy goes on writing into x."""
        return device_like(np.array(x, np.float64)[None], self._first.theta)

    def _point(self, x: Floats) -> Point:
        """Return the point at x: one that was just seen, or an evaluation."""
        x = np.ascontiguousarray(x, dtype=np.float64)
        key = x.tobytes()
        if key not in self._seen:
            self._seen[key] = self._evaluate(self._theta(x))
        return self._seen[key]

    def _evaluate(self, theta: Array) -> Point:
        search = self._search
        point = search.point_at(self._objective, theta)
        search.records.n_evaluations[self._start] += 1
        self._offer(point)
        search.look_at_the_clock()
        most = search.limits.max_evaluations
        if most is not None and search.records.n_evaluations[self._start] >= most:
            raise Ended(Status.MAX_EVALUATIONS)
        return point

    def _offer(self, point: Point) -> None:
        """Let the best point of this start see `point`; other starts see nothing."""
        best, box = self._search.best, self._search.box
        if box is not None and not box.holds(point.theta)[0]:
            return
        mine = best.pick(self._rows)
        mine.offer(point, self._search.records.n_iterations[self._rows] + 1)
        for name in best.per_start:
            getattr(best, name)[self._start] = getattr(mine, name)[0]

    def _accepted(self, x: Floats) -> None:
        """Take the point that scipy stands at after an iteration; end the start if it is time."""
        search, start = self._search, self._start
        here = self._point(x)
        moved = np.array([not _is_at(here, self._here)])
        if moved[0]:
            self._before, self._here = self._here, here
        self._seen = {np.ascontiguousarray(x, dtype=np.float64).tobytes(): here}
        search.records.n_iterations[start] += 1
        iterations, evaluations = (
            search.records.n_iterations[[start]],
            search.records.n_evaluations[[start]],
        )
        search.records.history.record(iterations, self._rows, here.value)
        scale = np.minimum(np.abs(here.value), np.abs(self._first.value))
        arrived = here.is_finite & search.test.holds(here.norm, scale, self._first.norm)
        endings = search.limits.endings(moved, self._before, here, iterations, evaluations)
        for holds, status in [(arrived, Status.CONVERGED), *endings]:
            if holds[0]:
                raise Ended(status)
        search.tell(start, here)

    def _own_ending(self) -> Status:
        """Return why scipy ended by itself: rounding hides what is lower, or else its own reason.

        Rounding does when the last step changed J by no more than rounding, or a trial after it.
        """
        here, search = self._here, self._search
        noise = ROUNDING * search.test.eps * abs(here.value[0])
        near = [self._before, *self._seen.values()]
        others = [point for point in near if not _is_at(point, here)]
        if any(abs(point.value[0] - here.value[0]) <= noise for point in others):
            return Status.PRECISION_LIMIT
        return Status.FAILED


def _is_at(one: Point, other: Point) -> bool:
    """Whether both stand at the same theta."""
    return bool(namespace(one.theta).all(one.theta == other.theta))
