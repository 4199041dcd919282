"""Part B of `optimise.py`: Levenberg-Marquardt beside scikit-learn's L-BFGS, to the same loss.

Conventions
-----------
Both minimise J = ½ mean (raw - y)² + penalty from the same start, each until its largest
|gradient entry| <= TOLERANCE, or for MAX_ITER iterations. The target of a start is 1.001 times the
larger of the two J found, so that both reach it. Then both are timed from the start until
J <= target; the ratio is taken start by start.
Stacked: all starts at once, each of which leaves when it has reached its own target.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from common import interleave, ratio
from optimise_problems import (
    Floats,
    Problem,
    bundled,
    make_problem,
    sklearn_fit,
    sklearn_lbfgs_function,
)
from scipy.optimize import minimize as scipy_minimize
from sklearn.datasets import make_friedman1

import symbreak as sb

METHOD = "levenberg-marquardt"
STARTS, ALPHA, MARGIN = 4, 1.0, 1.001
TOLERANCE, MAX_ITER = 1e-4, 500
HIDDEN = {"diabetes": 16, "sin-sum": 20, "friedman-1": 20}


def problem_of(data: str, starts: int) -> Problem:
    """Return the regression on a data set, tanh, one hidden layer."""
    random = np.random.default_rng(0)
    if data == "sin-sum":
        X = random.uniform(-np.pi, np.pi, (1000, 8))
        examples: tuple[Any, Any] = X, np.sin(X).sum(1) + 0.1 * random.standard_normal(len(X))
    elif data == "friedman-1":
        examples = make_friedman1(1000, 10, noise=1.0, random_state=0)
    else:
        examples = bundled(data)
    return make_problem(
        examples, HIDDEN[data], "squared_error", starts, alpha=ALPHA, activation="tanh"
    )


def measure(data: str, starts: int, threads: int, budget: float) -> dict[str, Any]:
    """Time both from every start, and ours from all of them at once."""
    problem = problem_of(data, starts)
    J = final_values(problem)
    targets = MARGIN * np.maximum(J["ours"], J["sklearn"])
    timed = partial(interleave, budget=budget / starts, one_thread=threads == 1)
    pairs = [timed(calls_from(problem, k, targets[k])) for k in range(starts)]
    stacked = timed({"stacked": lambda: stacked_to_targets(problem, targets)})["stacked"]
    found = stacked_to_targets(problem, targets)
    sums = {name: sum(median(pair[name]) for pair in pairs) for name in ("ours", "sklearn")}
    return {
        "part": "least_squares",
        "data": data,
        "net": "-".join(map(str, problem.network.layers)),
        "examples": len(problem.X),
        "threads": threads,
        "starts": starts,
        "final_J": {name: values.tolist() for name, values in J.items()},
        "targets": targets.tolist(),
        "ms": {name: [1e3 * median(pair[name]) for pair in pairs] for name in sums},
        "ratios": [ratio(pair["sklearn"], pair["ours"]) for pair in pairs],
        "stacked_ms_per_start": 1e3 * median(stacked) / starts,
        "stacked_ratio": sums["sklearn"] / median(stacked),
        "stacked_reached": int((problem.judge(found)[0] <= targets).sum()),
    }


def final_values(problem: Problem) -> dict[str, Floats]:
    """Return the J that each finds from every start after convergence."""
    lm = sb.minimize(
        problem.cost(), problem.theta, method=METHOD, gradient_rtol=0.0,
        gradient_atol=TOLERANCE, max_iter=MAX_ITER,
    )  # fmt: skip
    options: dict[str, Any] = {"solver": "lbfgs", "tol": TOLERANCE}
    options |= {"max_iter": MAX_ITER, "max_fun": 10 * MAX_ITER}
    fits = [sklearn_fit(problem, start, **options) for start in range(len(problem.theta))]
    return {"ours": problem.judge(lm.theta)[0], "sklearn": problem.judge(np.stack(fits))[0]}


def calls_from(problem: Problem, start: int, target: float) -> dict[str, Callable[[], Floats]]:
    """Return both contestants from one start; each returns the J at which it stopped."""
    cost, theta = problem.cost(), problem.theta[start]
    _, function, x = sklearn_lbfgs_function(problem, start)

    def ours() -> Floats:
        found = sb.minimize(
            cost, theta, method=METHOD, target_value=target, gradient_rtol=0.0, max_iter=MAX_ITER
        )
        return found.value

    def stop(intermediate_result: Any) -> None:
        if intermediate_result.fun <= target:
            raise StopIteration

    def sklearn() -> Floats:
        options: Any = {"maxiter": MAX_ITER, "maxfun": 10 * MAX_ITER, "gtol": TOLERANCE}
        found = scipy_minimize(
            function, x, method="L-BFGS-B", jac=True, callback=stop, options=options
        )
        return np.atleast_1d(found.fun)

    return {"ours": ours, "sklearn": sklearn}


def stacked_to_targets(problem: Problem, targets: Floats) -> Any:
    """Minimise from all starts at once, each until its own target; return theta."""
    cost = RelativeCost(problem.cost(), targets)
    found = sb.minimize(
        cost, problem.theta, method=METHOD, target_value=1.0, gradient_rtol=0.0, max_iter=MAX_ITER
    )
    return found.theta


@dataclass(frozen=True)
class RelativeCost:
    """J / target of every start: `target_value` is one number for all starts, here 1."""

    cost: sb.NetworkCost
    targets: Floats

    @property
    def blocks(self) -> Sequence[Any]:
        """Theta1, Theta2, ... and their places in theta."""
        return self.cost.blocks

    @property
    def dtype(self) -> Any:
        """Of the cost."""
        return self.cost.dtype

    def __call__(self, theta: Any, *, out: Floats | None = None) -> tuple[Any, Any]:
        """Return J / target and its gradient."""
        J, gradient = self.cost(theta, out=out)
        gradient /= self.targets[:, None]
        return J / self.targets, gradient

    def value(self, theta: Any) -> Any:
        """Return J / target."""
        return self.cost.value(theta) / self.targets

    def gauss_newton(self, theta: Floats) -> tuple[Any, Any, Any]:
        """Return J / target, its gradient and its Gauss-Newton matrix."""
        J, gradient, G = self.cost.gauss_newton(theta)
        by = self.targets
        return J / by, gradient / by[:, None], G / by[:, None, None]

    def take(self, starts: Any) -> RelativeCost:
        """Return the same of some starts."""
        return RelativeCost(self.cost.take(starts), self.targets[starts])

    def batch(self, rows: Any) -> RelativeCost:
        """Return the same on some examples."""
        return RelativeCost(self.cost.batch(rows), self.targets)
