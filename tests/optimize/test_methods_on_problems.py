"""Every method on every problem of the registry, and beside it what is expected of the pair.

Expected, of a search of 2000 iterations to a gradient of 1e-8:
- "minimum": it ends in a known minimum, global or local, to 1e-6 of its value (of the start's value
  1e-10 where the minimum is zero); where no minimum is known, in a point whose gradient is small.
- "honest": it ends no worse than it began, with a status that is true. That is all that fixed steps
  and mini-batches owe, and what the pairs of `ONLY_HONEST` owe, with the reason.
"""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.optimize import Status
from symbreak.optimize.methods import METHODS
from tests.optimize.problems import REGISTRY
from tests.optimize.problems.core import ResidualProblem

pytestmark = pytest.mark.needs_torch

ITERATIONS = 2000
# Where rounding decides whether 2000 are enough: J stands between 0.7 and 1.1 of the bar then.
MORE_ITERATIONS = {("conjugate-gradient", "quadratic_20"): 3000}
OWE_ONLY_HONESTY = ("gradient-descent", "rprop", "sgd", "adam", "adamw")
FLAT = "J - J_min is below 1e-8 along a bent valley whose gradient is below the tolerance"
SLOW = "2000 iterations of a first-order memory are too few for this valley"
ONLY_HONEST = {
    **{(m, "mgh20_watson_12"): FLAT for m in ("l-bfgs", "bfgs", "levenberg-marquardt")},
    **{
        ("conjugate-gradient", name): SLOW
        for name in (
            "mgh10_meyer", "mgh11_gulf", "mgh17_osborne_1", "mgh20_watson_9", "mgh20_watson_12",
        )
    },
    ("newton-cg", "mgh03_powell_badly_scaled"): "the gradient is below the tolerance at J = 2e-9",
}  # fmt: skip
OPTIONS = {
    "gradient-descent": {"learning_rate": 1e-4},
    "sgd": {"learning_rate": 1e-4},
}
METHODS_BY_ONE_NAME = [name for name in METHODS if name not in ("fmincg", "fminunc")]


def options_of(method, objective):
    """Gauss-Newton products stand for the Hessian where a problem has residuals only."""
    if method == "newton-cg" and isinstance(objective, ResidualProblem):
        return {"curvature": "gauss-newton"}
    return OPTIONS.get(method, {})


def run(method, name):
    problem = REGISTRY[name]
    objective = problem.objective()
    iterations = MORE_ITERATIONS.get((method, name), ITERATIONS)
    max_iter = 200 if method in OWE_ONLY_HONESTY else iterations
    outcome = sb.minimize(
        objective, problem.start, method=method, max_iter=max_iter, gradient_rtol=1e-8,
        **options_of(method, objective),
    )  # fmt: skip
    return problem, objective, outcome


def assert_honest(problem, objective, outcome):
    import torch

    start, end = (torch.from_numpy(np.asarray(t))[None] for t in (problem.start, outcome.theta))
    J0, g0 = objective(start)
    J, gradient = objective(end)
    norm = float(gradient.abs().max())
    assert bool(torch.isfinite(end).all())
    assert float(J) <= float(J0)
    assert float(J) == outcome.value[0]
    assert norm == outcome.gradient_norm[0]
    limit = max(1e-8 * min(float(g0.abs().max()), 1.0), 10 * 2.3e-16 * float(J))
    assert outcome.converged[0] == (norm <= limit)
    assert outcome.status[0] not in (Status.RUNNING, Status.NON_FINITE_START, Status.FAILED)


def reaches_a_minimum(problem, objective, outcome):
    import torch

    if not problem.minima:
        return outcome.gradient_norm[0] <= 1e-7
    J0 = float(objective.value(torch.from_numpy(problem.start)[None]))
    apart = np.abs(outcome.value[0] - np.array(problem.minima))
    return bool((apart <= 1e-6 * np.abs(problem.minima) + 1e-10 * J0).any())


@pytest.mark.needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("name", REGISTRY)
@pytest.mark.parametrize("method", METHODS_BY_ONE_NAME)
def test_the_outcome_is_the_expected_one(method, name):
    with np.errstate(all="ignore"):
        problem, objective, outcome = run(method, name)
    assert_honest(problem, objective, outcome)
    if method in OWE_ONLY_HONESTY:
        return
    # Strict both ways: a pair that has come to be solved must leave the list.
    assert reaches_a_minimum(problem, objective, outcome) == ((method, name) not in ONLY_HONEST)


def test_the_table_names_methods_and_problems_that_exist():
    for method, name in ONLY_HONEST:
        assert method in METHODS
        assert name in REGISTRY
    assert set(OWE_ONLY_HONESTY) <= set(METHODS) | {"sgd", "adam", "adamw"}
