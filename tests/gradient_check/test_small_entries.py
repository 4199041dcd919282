"""Entries that are small beside their block are held to own bars, or counted as not judged."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from symbreak.gradient_check import check_gradient
from symbreak.initialization import initialize
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from tests.gradient_check.conftest import Stacked, change_entry, coordinates

LARGE = np.array([1.0, -0.7, 0.5])
FACTORS = [1.5, 2.0, 0.0, -1.0]
both = pytest.mark.parametrize("method", ["coordinates", "directions"])


def waves(size, factor, scale=1.0):
    """Return J, whose last derivative is `size` beside the others, and wrong by `factor`."""
    weights = scale * np.append(LARGE, size)

    def objective(theta):
        gradient = weights * np.cos(theta + 0.3)
        gradient[-1] *= factor
        return (weights * np.sin(theta + 0.3)).sum() + scale, gradient

    return objective


def thetas():
    return np.random.default_rng(0).normal(size=(2, 4)) * 0.3


@both
@pytest.mark.parametrize("factor", FACTORS)
@pytest.mark.parametrize("size", [1e-4, 1e-6, 1e-8])
@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
def test_a_small_wrong_entry_is_found_and_named(method, factor, size, scale):
    for theta in thetas():
        report = check_gradient(waves(size, factor, scale), theta, method=method)
        assert (report.verdict, report.worst.wrong) == ("fail", ("theta[3]",)), report
        assert (report.worst.worst, report.worst.is_spread) == ("theta[3]", False)
        np.testing.assert_allclose(report.worst.analytic, factor * report.worst.numerical, rtol=0.2)


@both
@pytest.mark.parametrize("size", 10.0 ** -np.arange(4, 16))
def test_a_small_wrong_entry_that_passes_is_said_not_to_have_been_judged(method, size):
    for factor in FACTORS:
        for theta in thetas():
            report = check_gradient(waves(size, factor), theta, method=method)
            block = report.worst
            if report.verdict == "pass" and factor:
                assert block.n_below == 1
                assert abs(block.floor) >= 0.5 * size
                assert f"1 entry below {block.floor:.1e} could not be judged" in str(report)


@both
def test_what_is_large_enough_is_judged_and_no_more_is_said(method):
    report = check_gradient(waves(1e-3, 1.0), thetas()[0], method=method)
    assert (report.verdict, report.worst.n_below) == ("pass", 0)
    assert 0.0 < report.worst.floor < 1e-8
    assert "could not be judged" not in str(report)
    assert report.to_dict()["blocks"][0]["floor"] == report.worst.floor


@both
def test_exact_zeros_are_not_counted(method):
    report = check_gradient(waves(0.0, 1.0), thetas()[0], method=method)
    assert (report.verdict, report.worst.n_below) == ("pass", 0)


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
@pytest.mark.parametrize("factor", [2.0, 0.0])
def test_a_small_weight_of_a_net(make, activation, factor):
    """The first input is 1e-5 of the others; so are the derivatives by its weights."""
    cost = make.cost((4, 6, 3), activation, alpha=0.0)
    theta = initialize(cost.network, "glorot_uniform", seed=1)
    small = np.ones(len(theta))
    small[1:30:5] = 1e-5

    def objective(theta, wrong=None):
        J, gradient = cost(theta * small)
        gradient = gradient * small
        if wrong is not None:
            gradient[wrong] *= factor
        return float(J), gradient

    gradient = objective(theta)[1]
    right = coordinates(objective, theta, blocks=cost.blocks)
    assert right.verdict == "pass"
    floor = max(block.floor for block in right.blocks)
    assert floor < 1e-7 * np.abs(gradient).max()
    judged = [index for index in range(1, 30, 5) if abs(gradient[index]) > floor]
    assert len(judged) >= 3
    for index in judged:
        report = coordinates(partial(objective, wrong=index), theta, blocks=cost.blocks)
        name = cost.blocks[0].entry(index)
        assert (report.verdict, report.worst.wrong) == ("fail", (name,)), report


@pytest.mark.parametrize("factor", [1.0, 1.5, 0.0, -1.0])
@pytest.mark.parametrize("size", [3e-4, 1e-4, 3e-5])
def test_in_float32_the_bar_is_what_rounding_of_float32_does(factor, size):
    weights = np.array([*LARGE, size])

    def value(theta):
        return (weights.astype(theta.dtype) * np.sin(theta + 0.3)).sum(1)

    def gradient(theta):
        slopes = weights.astype(theta.dtype) * np.cos(theta + 0.3)
        slopes[:, 3] *= factor
        return slopes

    for theta in thetas():
        report = coordinates(Stacked(4, value, gradient), theta)
        assert report.verdict == ("pass" if factor == 1.0 else "fail"), report
        assert report.worst.wrong == (() if factor == 1.0 else ("theta[3]",))


def test_the_wrong_entries_of_a_check_by_coordinates_are_named(make):
    cost = make.cost((4, 6, 3))
    theta = initialize(cost.network, "glorot_uniform")
    report = coordinates(make.changed(cost, change_entry(15, lambda g: -g)), theta)
    assert (report.worst.wrong, report.worst.is_spread) == (("Theta1[3, 0]",), False)
    every = coordinates(make.changed(cost, lambda theta, gradient: 2 * gradient), theta)
    for block in every.blocks:
        assert block.is_spread
        assert len(block.wrong) == block.n_parameters
        assert block.wrong[0] == block.worst


@pytest.mark.parametrize("rule", ["glorot_uniform", "he_normal"])
def test_bends_that_jump_close_by_make_no_false_alarm(rule):
    """elu has one slope at 0 and two second derivatives; with tiny inputs its units are near 0."""
    for seed in (5, 30, 39, 51, 57, 79, 94, 125, 126, 188, 213):
        X = 10.0**-5.27 * np.random.default_rng(seed).normal(size=(18, 1))
        y = np.random.default_rng(seed + 1).normal(size=(18, 2))
        net = Network((1, 5, 4, 2), "elu", "absolute_error")
        cost = NetworkCost(net, X, y, alpha=1.0)
        report = coordinates(cost, initialize(net, rule, seed=seed))
        assert report.verdict != "fail", (seed, report)
