"""Training runs of the lesson, in exact symmetry and as rounding leaves them.

Exact symmetry: the objective is J(P theta), P the mean over equal units, and the points reported
are P theta: what the method does in exact arithmetic. Raw: J(theta) itself, whose gradient differs
between equal units by rounding only; beside the symmetric set J is often lower, so the difference
can grow.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symbreak.arrays import as_numpy, at_surface
from symbreak.lesson.facts import Drift, Run, Snapshot
from symbreak.objectives import NetworkCost, Objective
from symbreak.optimize.loop import Loop
from symbreak.optimize.methods import method_of
from symbreak.optimize.outcome import Outcome
from symbreak.optimize.stopping import GradientTest, Limits
from symbreak.symmetry.projection import Labels, SymmetricCost, project, spread
from symbreak.units import distinct_units, identical_units

METHODS: dict[str, dict[str, float]] = {
    "gradient-descent": {"learning_rate": 1.0, "momentum": 0.0},
    "l-bfgs": {},
}
GRADIENT_RTOL = 1e-5
ROUNDING = 1e-12
VISIBLE = 1e-3

Floats = NDArray[np.float64]


class Experiment:
    """The cost and the examples, and the runs made on them.

    Parameters
    ----------
    cost : a float64 `NetworkCost` of a classifier with one output for each class.
    X, y : its examples, (m, features) and (m, classes): whether it is of the class.
    """

    def __init__(self, cost: NetworkCost, X: Floats, y: NDArray[np.bool_]) -> None:
        self.cost = cost
        self.network = cost.network
        self.X = X
        self.y = y
        self.classes = y.argmax(axis=1)

    def point(self, theta: Floats, updates: int) -> Snapshot:
        """Measure theta (n,). Of outputs that are equal up to rounding the first class counts."""
        outputs = self.network.predict(theta, self.X)
        is_highest = outputs >= outputs.max(axis=1, keepdims=True) * (1.0 - ROUNDING)
        right = is_highest.argmax(axis=1) == self.classes
        return Snapshot(
            updates=updates,
            J=float(self.cost.value(theta)),
            accuracy=float(right.mean()),
            distinct_units=tuple(int(n[0]) for n in distinct_units(self.network, theta)),
            largest_theta1=float(np.abs(self.network.thetas(theta)[0]).max()),
        )

    def run(self, theta: Floats, method: str, updates: int, *, exact: bool) -> tuple[Run, Floats]:
        """Train from theta (n,); return the facts and the best theta."""
        labels = identical_units(self.network, theta)
        objective = SymmetricCost(self.cost, labels) if exact else self.cost
        path, outcome = _train(objective, theta, method, updates)
        places = [0, min(1, len(path) - 1), len(path) - 1]
        points = np.stack([path[place] for place in places])
        if exact:
            points = project(self.network, points, labels)
        before, after_one, end = map(self.point, points, places)
        run = Run(
            method=method,
            options=dict(METHODS[method]),
            exact_symmetry=exact,
            before=before,
            after_one=after_one,
            end=end,
            averaged_away=self._unequal_part(points, labels) if exact else 0.0,
            status=outcome.status[0].name,
            status_text=str(outcome.status[0]),
        )
        return run, points[-1]

    def drift(self, theta: Floats, method: str, updates: int) -> Drift:
        """Train from a symmetric theta (n,) without averaging and watch equal units part."""
        labels = identical_units(self.network, theta)
        path, _ = _train(self.cost, theta, method, updates)
        points = np.stack(path)
        spreads = spread(self.network, points, labels)
        counts = np.stack(distinct_units(self.network, points))  # (hidden layers, points)
        return Drift(
            method=method,
            rounding=ROUNDING,
            visible=VISIBLE,
            first_unequal=_first((counts != counts[:, :1]).any(axis=0)),
            first_above_rounding=_first(spreads > ROUNDING),
            first_visible=_first(spreads > VISIBLE),
            end=self.point(path[-1], len(path) - 1),
            spread=float(spreads[-1]),
        )

    def _unequal_part(self, points: Floats, labels: Labels) -> float:
        """Return max |g - P g| / max |g| over the gradients at symmetric points."""
        gradients = self.cost(points)[1]
        largest = max(float(np.abs(gradients).max()), np.finfo(float).tiny)
        unequal = gradients - project(self.network, gradients, labels)
        return float(np.abs(unequal).max()) / largest


def loop_of(objective: Objective, theta: Floats, method: str, updates: int) -> Loop:
    """Return a search of the lesson from theta (starts, n), not yet begun."""
    options: dict[str, Any] = METHODS[method]
    test = GradientTest(GRADIENT_RTOL, 0.0, float(np.finfo(theta.dtype).eps))
    return Loop(objective, at_surface(theta), method_of(method, options), test, Limits(updates))


def _train(
    objective: Objective, theta: Floats, method: str, updates: int
) -> tuple[list[Floats], Outcome]:
    """Return theta after every update, the best one last, and the outcome."""
    loop = loop_of(objective, theta[None], method, updates)
    path = [theta]
    while loop.tick():
        if loop.n_iterations[0] == len(path):
            path.append(as_numpy(loop.theta[0]).copy())
    outcome = loop.outcome()
    path[int(outcome.n_iterations[0]) :] = [as_numpy(outcome.theta[0])]
    return path, outcome


def _first(happened: Iterable[Any]) -> int | None:
    return next((update for update, yes in enumerate(happened) if yes), None)
