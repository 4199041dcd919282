"""A right gradient passes: every activation and loss, both dtypes, kinks, all scales of J."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.activations import ACTIVATIONS
from symbreak.gradient_check.probes import Probes
from symbreak.initialization import initialize
from symbreak.losses import LOSSES
from symbreak.network import Network
from symbreak.objectives import NetworkCost, as_objective
from tests.gradient_check.conftest import coordinates as check_gradient
from tests.kinds import NUMPY_AND_TORCH


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_and_loss_passes(make, activation, dtype):
    for loss in LOSSES:
        for layers in ((4, 6, 3), (5, 4, 6, 2)):
            cost = make.cost(layers, activation, loss, dtype=dtype)
            report = check_gradient(cost, initialize(cost.network, "glorot_uniform", seed=1))
            assert report.verdict == "pass", report
            assert report.relative_error < report.tolerance
            assert report.n_checked == report.n_parameters == cost.network.n_parameters


KINKED = {
    "seed": st.integers(0, 2**32),
    "activation": st.sampled_from(["relu", "leaky_relu", "sigmoid"]),
    "dtype": st.sampled_from(["float32", "float64"]),
}


@settings(max_examples=40, deadline=None)
@given(
    hidden=st.lists(st.integers(4, 8), max_size=2),
    loss=st.sampled_from(["squared_error", "binary_cross_entropy"]),
    **KINKED,
)
def test_random_nets_pass(make_cost, seed, hidden, activation, loss, dtype):
    cost = make_cost((3, *hidden, 2), activation, loss, seed=seed, dtype=dtype)
    report = check_gradient(cost, initialize(cost.network, "torch_default", seed=seed))
    assert report.verdict == "pass", report


@settings(max_examples=40, deadline=None)
@given(
    hidden=st.lists(st.integers(1, 3), min_size=1, max_size=4),
    loss=st.sampled_from(["absolute_error", "squared_error", "binary_cross_entropy"]),
    **KINKED,
)
def test_narrow_nets_give_no_false_alarm(make_cost, seed, hidden, activation, loss, dtype):
    # Few units may leave the first layers a gradient near zero, of which nothing can be told.
    cost = make_cost((3, *hidden, 2), activation, loss, seed=seed, dtype=dtype)
    report = check_gradient(cost, initialize(cost.network, "he_normal", seed=seed))
    assert report.verdict != "fail", report


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_units_exactly_on_their_kink_pass(dtype):
    # Zero biases and examples of zeros put every relu unit on its kink, for all steps.
    random = np.random.default_rng(0)
    X = random.normal(size=(50, 6))
    X[:10] = 0.0
    net = Network((6, 5, 5, 2), "relu", "cross_entropy")
    cost = NetworkCost(net, X, random.integers(0, 2, 50), dtype=dtype)
    report = check_gradient(cost, initialize(net, "he_normal", seed=3))
    assert report.verdict == "pass", report


def test_between_the_two_sides_of_a_kink_any_derivative_is_right():
    slopes = np.array([0.3, -0.2, 2.0])

    def objective(theta):
        return np.abs(theta[:2]).sum() + theta[2] ** 2, slopes

    report = check_gradient(objective, np.array([0.0, 0.0, 1.0]))
    assert report.verdict == "pass"
    assert "2 of 3 on a kink" in report.blocks[0].note
    slopes[0] = 1.6
    report = check_gradient(objective, np.array([0.0, 0.0, 1.0]))
    assert report.verdict == "fail"
    assert report.worst.worst == "theta[0]"


def test_a_kink_within_the_step_passes():
    for distance in np.geomspace(1e-9, 1e-5, 41):
        theta = np.array([distance, 1.0])
        report = check_gradient(lambda t: (abs(t[0]) + t[1], np.array([1.0, 1.0])), theta)
        assert report.verdict == "pass", distance


@pytest.mark.parametrize("scale", [1e-200, 1e-8, 1.0, 1e8, 1e200])
def test_the_scale_of_J_changes_nothing(make, scale):
    cost = make.cost((4, 6, 3), "sigmoid")
    theta = initialize(cost.network, "glorot_uniform")
    here, there = (check_gradient(make.changed(cost, scale=s), theta) for s in (1.0, scale))
    assert there.verdict == "pass"
    np.testing.assert_allclose(there.relative_error, here.relative_error, rtol=1e-2, atol=1e-9)


def test_unscaled_features_need_smaller_steps_and_pass():
    random = np.random.default_rng(0)
    net = Network((6, 8, 3), "tanh", "squared_error")
    cost = NetworkCost(net, 100.0 * random.normal(size=(50, 6)), random.normal(size=(50, 3)))
    assert check_gradient(cost, initialize(net, "glorot_uniform", seed=3)).verdict == "pass"


def test_starts_with_their_own_penalties_and_weights_pass(make):
    weights = np.random.default_rng(0).uniform(size=(3, 40))
    cost = make.cost((4, 5, 3), alpha=[0.0, 1.0, 100.0], sample_weight=weights)
    report = check_gradient(cost, initialize(cost.network, "glorot_uniform", starts=3))
    assert report.verdict == "pass", report


def test_a_net_without_hidden_layers_passes(make):
    cost = make.cost((4, 3))
    assert check_gradient(cost, np.zeros(15)).verdict == "pass"


def test_central_differences_are_of_second_order(make):
    cost = make.cost((4, 6, 3))
    theta = initialize(cost.network, "glorot_uniform")
    gradient = cost(theta)[1]
    probes = Probes(cost, theta, 0, one_at_a_time=False)
    every = np.arange(len(theta))
    coarse, fine = (probes.differences(every, np.full(len(theta), h)) for h in (1e-2, 1e-3))
    for name, order in (("central", 2), ("forward", 1), ("backward", 1)):
        errors = [np.abs(getattr(d, name) - gradient).max() for d in (coarse, fine)]
        assert 0.9 * 10**order < errors[0] / errors[1] < 1.1 * 10**order


def test_the_noise_knows_of_cancellation():
    # J is 0.2, but it is what 1e10 leaves of 1e10, where numbers lie 2e-6 apart.
    theta = np.array([0.3, 0.6])
    objective = as_objective(lambda t: ((1e10 + np.exp(t).sum()) - 1e10, np.exp(t)), theta)
    random = np.random.default_rng(0)
    noisy = as_objective(lambda t: (t.sum() + random.uniform(0, 1e-6), np.ones(2)), theta)
    for each in (objective, noisy):
        noise = Probes(each, theta, 0, one_at_a_time=True).noise_of_value
        assert 1e-7 < noise < 1e-5


def test_the_noise_bounds_what_rounding_does(make):
    for loss in LOSSES:
        cost = make.cost((8, 12, 3), "tanh", loss, examples=500)
        theta = initialize(cost.network, "glorot_uniform")
        probes = Probes(cost, theta, 0, one_at_a_time=False)
        found = probes.differences(np.arange(len(theta)), np.full(len(theta), 1e-8))
        error = np.abs(found.central - cost(theta)[1])
        assert (error < found.noise).all()
        # A bound that is far too wide would call sound gradients inconclusive.
        assert error.max() > found.noise.max() / 50.0


@pytest.mark.parametrize("kind", NUMPY_AND_TORCH)
def test_plain_functions_get_one_theta_of_their_kind(kind):
    seen = []

    def objective(theta):
        seen.append(theta)
        return (theta**2).sum() / 2, theta

    theta = kind(np.array([1.0, -2.0, 3.0]))
    report = check_gradient(objective, theta)
    assert report.verdict == "pass"
    assert {type(given) for given in seen} == {type(theta)}
    assert {tuple(given.shape) for given in seen} == {(3,)}
    assert len(seen) == report.n_evaluations + 1


def test_a_float32_function_is_compared_in_float64():
    theta = np.array([1.0, -2.0, 3.0], dtype=np.float32)
    report = check_gradient(lambda t: (np.exp(t).sum(), np.exp(t)), theta)
    assert report.verdict == "pass"
    assert 0.0 < report.relative_error < 1e-6
    assert report.tolerance == 1e-3


def test_float32_theta_and_float64_cost_are_judged_as_float64(make):
    cost = make.cost((4, 6, 3))
    theta = initialize(cost.network, "glorot_uniform", dtype="float32")
    assert check_gradient(cost, theta).relative_error < 1e-8


def test_both_sides_see_theta_as_the_objective_rounds_it(make):
    # The derivative of (theta - 1/3)² / 2 is not zero at the float32 number 1/3.
    parabola = make.stacked(
        1,
        lambda theta: (theta[:, 0] - 1 / 3) ** 2 / 2,
        lambda theta: theta.astype(np.float64) - 1 / 3,
    )
    report = check_gradient(parabola, np.array([1 / 3]))
    assert 5e-9 < abs(report.worst.analytic) < 1.5e-8
    np.testing.assert_allclose(report.worst.numerical, report.worst.analytic, rtol=1e-3)


@pytest.mark.parametrize(("dtype", "verdict"), [("float32", "pass"), ("float64", "inconclusive")])
def test_float32_may_be_on_either_side_of_a_kink_that_it_cannot_resolve(make, dtype, verdict):
    kink = 1.0 + 1e-7

    def value(theta):
        return abs(theta[:, 0] - kink) + theta[:, 1]

    beyond = make.stacked(2, value, np.ones_like, dtype)
    assert check_gradient(beyond, np.ones(2)).verdict == verdict


def test_steps_are_measured_as_they_are_stored():
    # Near 1e6 float64 numbers lie 1.2e-10 apart: the two points are not 2e-5 apart but nearly so.
    objective = as_objective(lambda t: (t.sum() - 1e6, np.ones(1)), np.ones(1))
    theta = np.array([1e6])
    probes = Probes(objective, theta, 0, one_at_a_time=True)
    found = probes.differences(np.array([0]), np.array([1e-5]))
    assert found.central == found.forward == found.backward == 1.0


def test_a_strong_bend_needs_a_hundredth_of_the_step():
    report = check_gradient(
        lambda t: (np.sin(1e4 * t).sum(), 1e4 * np.cos(1e4 * t)), np.array([0.1, 0.2])
    )
    assert report.verdict == "pass", report
    assert report.n_evaluations == 9 + 3 * 4


def test_small_gradients_that_float32_resolves_pass():
    # Each leaky_relu may shrink them to a hundredth, which costs no digits.
    net = Network((3, 1, 1, 1, 2), "leaky_relu", "absolute_error")
    random = np.random.default_rng(1)
    X, y = random.normal(size=(40, 3)), random.normal(size=(40, 2))
    cost = NetworkCost(net, X, y, alpha=0.0, dtype="float32")
    theta = initialize(net, "torch_default", seed=1)
    for Theta in net.thetas(theta):
        Theta[:, 0] = -3.0
    report = check_gradient(cost, theta)
    assert report.blocks[0].scale < 2e-6 * max(block.scale for block in report.blocks)
    assert report.verdict == "pass", report
