"""`Outcome.best_iteration` says after how many accepted steps theta was seen."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.optimize import Status
from symbreak.optimize.methods import METHODS
from tests.optimize.test_going_on import make_cost, make_starts, search

# These take every step they make, so what is kept is a point of the history.
TAKES_EVERY_STEP = ("gradient-descent", "sgd", "adam", "adamw")
SCIPY = ("scipy:BFGS", "scipy:L-BFGS-B", "scipy:Nelder-Mead")


@pytest.mark.parametrize("method", [*METHODS, *SCIPY])
def test_j_at_theta_is_the_history_there_or_lower(method):
    cost = make_cost()
    outcome = search(cost, make_starts(cost), method)
    at, starts = outcome.best_iteration, np.arange(len(outcome.value))
    assert ((at > 0) & (at <= outcome.n_iterations)).all()
    there = outcome.history[at, starts]
    assert (outcome.value <= there * (1.0 + 1e-12)).all()
    if method in TAKES_EVERY_STEP:
        np.testing.assert_allclose(outcome.value, there, rtol=1e-12)
        np.testing.assert_array_equal(at, np.nanargmin(outcome.history, axis=0))


def test_of_a_search_that_diverged_it_is_the_step_before_it_rose():
    """Of x⁴ with much momentum: lower for some steps, then ever farther away."""
    with np.errstate(over="ignore"):
        outcome = sb.minimize(
            lambda x: ((x**4).sum(-1), 4 * x**3), np.array([[1.3], [1.0], [2.0]]),
            method="gradient-descent", learning_rate=0.3, momentum=0.9, max_iter=60,
        )  # fmt: skip
    assert outcome.status == (Status.DIVERGED,) * 3
    assert outcome.best_iteration.tolist() == [3, 1, 0]
    best = np.nanargmin(outcome.history, axis=0)
    np.testing.assert_array_equal(outcome.best_iteration, best)
    assert (outcome.best_iteration < outcome.n_iterations).all()


def test_with_validation_it_is_the_step_with_the_best_score():
    cost = make_cost()
    outcome = search(
        cost, make_starts(cost), "adam",
        validation=lambda theta: np.abs(np.linalg.norm(theta, axis=1) - 3.1), patience=3,
    )  # fmt: skip
    assert outcome.validation_history is not None
    np.testing.assert_array_equal(
        outcome.best_iteration, np.nanargmin(outcome.validation_history, axis=0)
    )
    assert (outcome.best_iteration < outcome.n_iterations).any()


@pytest.mark.parametrize("method", ["l-bfgs", "scipy:BFGS"])
def test_a_start_that_makes_no_step_stays_at_0(method):
    cost = make_cost()
    outcome = sb.minimize(cost, make_starts(cost), method=method, max_iter=0)
    assert outcome.best_iteration.tolist() == [0, 0, 0, 0]
