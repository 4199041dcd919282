"""A right gradient where J is what large terms leave of each other is no failure."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.gradient_check import check_gradient
from symbreak.gradient_check.check import METHODS

CONSTANTS = [1 / 3, 1e3, 1e6, 1e10]
SIZES = [0.0, 1e-12, 1e-9, 1e-5, 1.0]


def squares(t, c):
    return (c + t @ t) - c, 2 * t


def hyperbolic(t, c):
    return (c + (np.cosh(t) - 1.0).sum()) - c, np.sinh(t)


def small_slope(t, c):
    return (c + 1e-8 * t.sum()) - c, np.full(len(t), 1e-8)


def two_sums(t, c):
    return (c * t).sum() - c * t.sum() + 1e-9 * c * (t @ t), 2e-9 * c * t


def cosines(t, c):
    return c * np.cos(t).sum() - len(t) * c, -c * np.sin(t)


def variance(t, c):
    moved = t + c
    return (moved**2).mean() - moved.mean() ** 2, 2 * (t - t.mean()) / len(t)


def perfect_fit(t, c):
    """Least squares at a solution: J and its gradient are what rounding leaves of zero."""
    A = np.random.default_rng(1).normal(size=(5, 5))
    apart = A @ t - A @ np.random.default_rng(0).normal(size=5)
    return c * (apart @ apart), 2 * c * A.T @ apart


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "J", [squares, hyperbolic, small_slope, two_sums, cosines, variance, perfect_fit]
)
def test_a_right_gradient_does_not_fail(J, method):
    for size in SIZES:
        theta = size * np.random.default_rng(0).normal(size=5)
        for constant in CONSTANTS:
            report = check_gradient(lambda t, c=constant: J(t, c), theta, method=method)
            assert report.verdict != "fail", (size, constant, report)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-2, 1.0])
def test_a_wrong_one_that_rises_above_the_cancellation_fails(method, size):
    theta = size * np.random.default_rng(0).normal(size=5)
    for J in (squares, hyperbolic, cosines):
        report = check_gradient(lambda t, J=J: (J(t, 10.0)[0], 1.5 * J(t, 10.0)[1]), theta,
                                method=method)  # fmt: skip
        assert report.verdict == "fail"


@pytest.mark.parametrize("method", METHODS)
def test_a_J_that_is_zero_wherever_it_is_looked_at_tells_nothing(method):
    report = check_gradient(lambda t: (0.0, 1e-9 * t), np.ones(3), method=method)
    assert report.verdict == "inconclusive"
