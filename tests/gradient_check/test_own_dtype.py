"""The gradient in float32 is held to its rounding, and to no less."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.gradient_check import check_gradient
from tests.gradient_check.conftest import WithPenaltyGradient, cost_of


@pytest.mark.parametrize("seed", range(10))
def test_errors_that_cancel_at_zeros_are_rounding(seed):
    # Every output has the probability 1/3, rounded, and the 120 errors nearly cancel in the biases.
    random = np.random.default_rng(seed)
    y = random.permutation(np.repeat([0, 1, 2], [40, 41, 39]))
    net = sb.Network((4, 5, 3), activation="tanh", loss="cross_entropy")
    cost = sb.NetworkCost(net, random.normal(size=(120, 4)), y, dtype="float32")
    assert check_gradient(cost, np.zeros(net.n_parameters)).verdict == "pass"


@pytest.mark.parametrize("seed", range(5))
def test_a_small_penalty_beside_large_data_is_no_false_alarm_in_float32(seed):
    random = np.random.default_rng(seed)
    net = sb.Network((5, 6, 1), activation="tanh", loss="poisson")
    X, y = random.normal(size=(60, 5)), random.poisson(150.0, 60)
    cost = sb.NetworkCost(net, X, y, alpha=1.0, dtype="float32")
    report = check_gradient(cost, sb.initialize(net, seed=seed), thorough=True)
    assert report.verdict == "pass", str(report)
    assert "penalty alone" in dict(report.also)


def test_a_penalty_that_is_wrong_in_float32_alone_shows_in_the_whole():
    def more(stack, strength):
        return 1e-2 * stack * strength if "float32" in str(stack.dtype) else 0.0

    cost = WithPenaltyGradient(cost_of((6, 8, 3), dtype="float32"), more)
    report = check_gradient(cost, sb.initialize(cost.network, seed=1), thorough=True)
    verdicts = {name: one.verdict for name, one in report.also}
    assert report.verdict == "fail"
    assert "the mathematics is right, but the float32 gradient" in report.line
    assert (verdicts["data alone"], verdicts["penalty alone"]) == ("pass", "fail")


@pytest.mark.parametrize("size", [30.0, 50.0])
def test_a_gradient_beyond_the_range_of_float32_is_inconclusive(size):
    net = sb.Network((3, 2), loss="poisson")
    random = np.random.default_rng(0)
    X, y = random.normal(size=(20, 3)), random.poisson(3.0, (20, 2))
    cost = sb.NetworkCost(net, size * X, y, dtype="float32")
    theta = sb.initialize(net, "he_normal", seed=0)
    report = check_gradient(cost, theta)
    assert report.verdict == "inconclusive"
    assert "beyond the range of float32" in report.line
