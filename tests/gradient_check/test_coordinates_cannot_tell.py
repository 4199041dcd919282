"""What noise hides is "inconclusive": neither a pass nor a false alarm."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.initialization import initialize
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.parameters import Block
from tests.gradient_check.conftest import coordinates as check_gradient


def saturated(make, factor, dtype="float64"):
    cost = make.cost((5, 8, 8, 3), alpha=0.0, dtype=dtype)
    theta = initialize(cost.network, "glorot_uniform")
    first, second, _ = cost.network.thetas(theta)
    first *= factor
    second[:, 0] += factor
    return cost, theta


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_saturated_net_is_inconclusive(make, dtype):
    cost, theta = saturated(make, 10.0 if dtype == "float32" else 18.0, dtype)
    report = check_gradient(cost, theta)
    assert report.verdict == "inconclusive", report
    by_name = {block.name: block for block in report.blocks}
    assert by_name["Theta1 weights"].verdict == "inconclusive"
    assert "cannot tell" in by_name["Theta1 weights"].note
    assert by_name["Theta3 weights"].verdict == "pass"
    assert "cannot tell" in report.line


def test_a_wrong_gradient_of_a_saturated_block_does_not_pass(make):
    cost, theta = saturated(make, 18.0)
    for factor in (-1.0, 2.0):
        wrong = make.changed(cost, lambda theta, gradient, factor=factor: factor * gradient)
        verdicts = {block.name: block.verdict for block in check_gradient(wrong, theta).blocks}
        assert verdicts["Theta1 weights"] == "inconclusive"
        assert verdicts["Theta3 weights"] == "fail"


def test_a_gradient_of_zeros_has_nothing_to_compare(make):
    # At theta = 0 the hidden units are off: only the last biases have a derivative.
    cost = make.cost((4, 6, 3))
    report = check_gradient(cost, np.zeros(cost.network.n_parameters))
    assert report.verdict == "pass"
    zero, biases = report.blocks[0], report.blocks[2]
    assert (zero.verdict, zero.relative_error, zero.scale) == ("pass", 0.0, 0.0)
    assert zero.note == "zero gradient: nothing to compare"
    assert biases.scale > 0.0
    assert "gradient exactly zero in Theta1 biases, Theta1 weights, Theta2 weights" in report.line


def test_nothing_but_zeros_is_inconclusive():
    report = check_gradient(lambda theta: (3.0, 0 * theta), np.ones(3))
    assert report.verdict == "inconclusive"


def test_a_constant_far_above_the_gradient_is_inconclusive_right_or_wrong():
    theta = np.array([1.0, 2.0])
    for factor in (2.0, -2.0, 0.0):
        report = check_gradient(lambda t, factor=factor: (1e11 + (t**2).sum(), factor * t), theta)
        assert report.verdict == "inconclusive", report


def test_a_larger_step_resolves_what_noise_hid():
    theta = np.array([1.0, 2.0])
    right = check_gradient(lambda t: (1e7 + (t**2).sum(), 2 * t), theta, step=1e-2)
    wrong = check_gradient(lambda t: (1e7 + (t**2).sum(), 2.1 * t), theta, step=1e-2)
    assert (right.verdict, wrong.verdict) == ("pass", "fail")


def test_a_small_difference_of_large_terms_is_known_to_be_noisy():
    # J is 0.5 at most, but it is what 1e10 leaves of 1e10.
    def objective(factor):
        return lambda t: ((1e10 + (t**2).sum() / 2) - 1e10, factor * t)

    theta = np.array([0.3, 0.6])
    assert check_gradient(objective(1.0), theta).verdict != "fail"
    assert check_gradient(objective(-1.0), theta).verdict != "pass"


def test_a_J_that_changes_from_call_to_call_is_inconclusive():
    random = np.random.default_rng(0)

    def objective(theta):
        kept = random.random(theta.shape) > 0.5
        return (theta**2 * kept).sum(), 2 * theta

    assert check_gradient(objective, np.ones(20)).verdict == "inconclusive"


def test_a_J_rounded_to_float32_is_inconclusive_and_no_false_alarm():
    def objective(theta):
        single = theta.astype(np.float32)
        return np.exp(single).sum(), np.exp(theta)

    assert check_gradient(objective, np.linspace(-1, 1, 9)).verdict == "inconclusive"


def test_a_derivative_that_moves_with_the_step_is_inconclusive():
    report = check_gradient(lambda t: ((t**3).sum(), 3 * t**2), np.zeros(3))
    assert report.verdict == "inconclusive"
    assert "changes with the step" in report.blocks[0].note


def test_a_J_that_ends_beside_theta_is_inconclusive():
    def objective(theta):
        with np.errstate(all="ignore"):
            return np.sqrt(theta).sum(), 0.5 / np.sqrt(theta)

    report = check_gradient(objective, np.array([1e-12, 1.0]))
    assert report.verdict == "inconclusive"
    assert "not finite beside theta" in report.line


def test_all_entries_on_a_kink_is_inconclusive():
    report = check_gradient(lambda t: (abs(t).sum(), 0.5 + 0 * t), np.zeros(3))
    assert report.verdict == "inconclusive"
    assert "every entry lies on a kink" in report.line


def test_a_zero_that_a_large_constant_may_hide_is_inconclusive():
    blocks = (Block("a", 0, (1,)), Block("b", 1, (2,)))

    def objective(constant):
        return lambda t: (constant + 10 * t[0] + (t[1:] ** 2).sum(), np.array([10.0, 0.0, 0.0]))

    theta = np.array([1.0, 1e-6, 1e-6])
    hidden = check_gradient(objective(1e13), theta, blocks=blocks, step=2.0**-10)
    assert [block.scale > 0 for block in hidden.blocks] == [True, False]
    assert hidden.blocks[1].verdict == "inconclusive"
    assert "would not show" in hidden.blocks[1].note


def test_a_zero_under_an_even_penalty_passes():
    def objective(t):
        return np.exp(t[:1]).sum() + (t[1:] ** 2).sum(), np.append(np.exp(t[:1]), 2 * t[1:])

    blocks = (Block("a", 0, (1,)), Block("b", 1, (2,)))
    report = check_gradient(objective, np.zeros(3), blocks=blocks)
    assert [block.scale > 0 for block in report.blocks] == [True, False]
    assert report.verdict == "pass"


def test_a_net_with_units_near_their_kinks_is_no_false_alarm(make):
    # Without biases leaky_relu leaves the inputs of the third layer between 1e-9 and 1e-4.
    cost = make.cost((3, 2, 2, 2, 2), "leaky_relu", "squared_error", seed=240)
    report = check_gradient(cost, initialize(cost.network, "he_normal", seed=240))
    assert report.verdict == "inconclusive"
    assert "changes with the step" in report.line


def test_a_derivative_that_is_zero_up_to_rounding_passes_beside_larger_ones(make):
    # In linear regression on centred columns from a bias of 0 the bias has no derivative.
    random = np.random.default_rng(0)
    X, y = random.normal(size=(12, 3)), random.normal(size=12)
    cost = NetworkCost(Network((3, 1), (), "squared_error"), X - X.mean(0), y - y.mean())
    theta = np.array([0.0, 0.3, -0.2, 0.1])
    assert 0 < abs(cost(theta)[1][0]) < 1e-15
    report = check_gradient(cost, theta)
    assert report.verdict == "pass"
    biases = report.blocks[0]
    assert (biases.note, biases.relative_error) == ("zero up to rounding", 0.0)
    assert report.relative_error < 1e-9
    # A bias with a derivative that the cost leaves out is still seen.
    forgotten = make.changed(cost, make.change_entry(0, lambda g: 0 * g))
    assert check_gradient(forgotten, theta + np.array([1.0, 0, 0, 0])).verdict == "fail"


def test_rounding_below_a_large_constant_is_not_taken_for_zero():
    def objective(constant):
        def f(t):
            return constant + 1e-15 * t[0] + 10 * t[1], np.array([1e-15, 10.0])

        return f

    blocks, theta = (Block("Theta1", 0, (1, 2), has_bias_column=True),), np.array([1e-3, 1.0])
    small = check_gradient(objective(1.0), theta, blocks=blocks)
    assert [block.verdict for block in small.blocks] == ["pass", "pass"]
    hidden = check_gradient(objective(1e13), theta, blocks=blocks, step=2.0**-10)
    assert [block.verdict for block in hidden.blocks] == ["inconclusive", "pass"]
