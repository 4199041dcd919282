"""What a pass does not say of numbers that are small beside the largest is said."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb


def checked(factor, small=1e-9):
    """Check a net whose first input is small, and the gradient of one of its weights wrong."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(20, 4)), random.integers(0, 3, 20)
    X[:, 0] *= small
    net = sb.Network((4, 5, 3), "tanh", "cross_entropy")
    theta = sb.initialize(net, seed=1)

    def function(parameters, X, y):
        J, gradient = sb.NetworkCost(net, X, y, alpha=0.0)(theta)
        gradients = [Theta.copy() for Theta in net.thetas(gradient)]
        gradients[0][2, 1] *= factor
        return float(J), gradients

    return sb.check_backpropagation(function, net, theta, X, y)


@pytest.mark.parametrize("factor", [2.0, 0.0, -1.0, 1.1])
def test_a_small_number_that_is_wrong_is_counted(factor):
    report = checked(factor)
    stage = next(stage for stage in report.stages if stage.name == "gradient of Theta1")
    assert stage.verdict == "pass"
    assert "1 number up to" in stage.cause
    assert "may be wrong" in str(report)


def test_nothing_is_said_of_small_numbers_that_are_right():
    assert "may be wrong" not in str(checked(1.0))


def test_a_number_that_is_large_enough_fails():
    assert checked(2.0, small=1e-3).verdict == "fail"
