"""A search stopped at any tick goes on bit for bit, with every formula and line search."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.optimize import Status

SEARCHES = [
    ("bfgs", {"line_search": "hager-zhang"}),
    ("bfgs", {"line_search": "more-thuente"}),
    ("bfgs", {"line_search": "armijo"}),
    ("conjugate-gradient", {"beta": "hager-zhang"}),
    ("conjugate-gradient", {"beta": "hager-zhang", "line_search": "hager-zhang"}),
    ("conjugate-gradient", {"beta": "polak-ribiere"}),
    ("rprop", {}),
]
LIMITS = {"max_iter": 12, "gradient_rtol": 0.0}


def make_problem():
    rng = np.random.default_rng(5)
    net = sb.Network((4, 5, 3), "tanh", "cross_entropy")
    cost = sb.NetworkCost(net, rng.normal(size=(40, 4)), rng.integers(0, 3, 40), alpha=0.3)
    return cost, sb.initialize(net, starts=3, seed=2)


@pytest.mark.parametrize(("method", "options"), SEARCHES)
def test_goes_on_from_any_tick(method, options):
    cost, theta = make_problem()
    straight = sb.minimize(cost, theta, method=method, **LIMITS, **options)
    for ticks in range(1, straight.n_evaluations.max()):
        seen: list[object] = []
        part = sb.minimize(
            cost, theta, method=method, **LIMITS, **options,
            callback=lambda progress, seen=seen, ticks=ticks: seen.append(0) or len(seen) == ticks,
        )  # fmt: skip
        assert Status.STOPPED in part.status
        for _ in range(2):  # the part is as it was, and can go on once more
            whole = sb.minimize(cost, part, **LIMITS)
            assert np.array_equal(whole.theta, straight.theta)
            np.testing.assert_array_equal(whole.history, straight.history)
            np.testing.assert_array_equal(whole.n_evaluations, straight.n_evaluations)
