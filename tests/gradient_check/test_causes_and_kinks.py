"""Probable causes, kinks at theta, the own dtype, and extra checks."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.arrays import alike
from symbreak.gradient_check import check_gradient
from symbreak.gradient_check.check import METHODS
from symbreak.parameters import Block
from tests.gradient_check.conftest import Changed, WithPenaltyGradient, change_entry, cost_of


def cause_of(make, change, layers=(6, 8, 3), **options):
    cost = cost_of(layers, **options)
    report = check_gradient(make.changed(cost, change), sb.initialize(cost.network, seed=1))
    assert report.verdict == "fail"
    return {block.name: block.note for block in report.blocks if block.verdict == "fail"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda theta, g: -g, "the wrong sign"),
        (lambda theta, g: 0 * g, "the gradient is zero: detached"),
        (lambda theta, g: 2 * g, "is 2 times the numerical one"),
        (lambda theta, g: g / 2, r"is 0.5 (1 / 2) times the numerical one"),
        (lambda theta, g: 1.1 * g, "is 1.1 times the numerical one"),
    ],
)
def test_a_common_ratio_is_named(make, change, words):
    for note in cause_of(make, change).values():
        assert words in note


def test_a_sum_for_a_mean_names_the_number_of_examples(make):
    class Known(make.changed):  # type: ignore[name-defined]  # a class made by a fixture
        n_examples = 40

    cost = cost_of((6, 8, 3))
    theta = sb.initialize(cost.network, seed=1)
    for factor, words in ((40.0, "m = 40 times too large"), (1 / 40, "m = 40 times too small")):
        changed = Known(cost, lambda theta, g, factor=factor: factor * g)
        assert all(words in block.note for block in check_gradient(changed, theta).blocks)


@pytest.mark.parametrize(("factor", "words"), [(0.3, "0.3 theta more"), (-0.2, "0.2 theta less")])
def test_a_penalty_that_is_not_shared_is_named(make, factor, words):
    notes = cause_of(make, lambda theta, g: g + factor * theta)
    assert "a penalty that J and gradient do not share" in notes["Theta1 weights"]
    assert all(words in note for name, note in notes.items() if name.endswith("weights"))


def test_a_transposed_block_is_named(make):
    cost = cost_of((5, 3))

    def transposed(theta, gradient):
        G = gradient.reshape(-1, 3, 6)
        return G.mT.reshape(gradient.shape)

    J = make.changed(cost, transposed)
    J.blocks = (Block("weight", 0, (3, 6)),)
    # The gradient handed over, (6, 3), reads as the transposed block.
    report = check_gradient(J, sb.initialize(cost.network, seed=1))
    assert report.worst.note == "the block is transposed"


def test_no_cause_is_made_up(make):
    random = np.random.default_rng(0).uniform(0.5, 2.0, 83)
    notes = cause_of(make, lambda theta, g: g * alike(random, g))
    assert set(notes.values()) == {""}


def test_the_gradient_of_a_mean_over_outputs_is_reported_as_k_times():
    # As in a well-known library: J is the mean over examples and outputs, the gradient only
    # divides by the examples.
    random, outputs = np.random.default_rng(0), 3
    X, Y = random.normal(size=(30, 4)), random.normal(size=(30, outputs))

    def objective(theta):
        W, V = theta[:20].reshape(4, 5), theta[20:].reshape(5, outputs)
        hidden = np.tanh(X @ W)
        apart = hidden @ V - Y
        delta = apart / len(X)
        back = delta @ V.T * (1 - hidden**2)
        return (apart**2).mean() / 2, np.concatenate([(X.T @ back).ravel(),
                                                      (hidden.T @ delta).ravel()])  # fmt: skip

    report = check_gradient(objective, random.normal(size=35))
    assert report.verdict == "fail"
    assert "the gradient is 3 times the numerical one" in report.line


def test_units_exactly_on_their_kink_pass():
    random = np.random.default_rng(0)
    X = random.normal(size=(50, 6))
    X[:10] = 0.0
    net = sb.Network((6, 5, 5, 2), "relu", "cross_entropy")
    cost = sb.NetworkCost(net, X, random.integers(0, 2, 50))
    report = check_gradient(cost, sb.initialize(net, "he_normal", seed=3))
    assert report.verdict == "pass", report
    assert "pass at a kink" in str(report)


def test_between_the_two_sides_of_a_kink_any_derivative_is_right():
    slopes = np.array([0.3, -0.2, 2.0])

    def objective(theta):
        return np.abs(theta[:2]).sum() + theta[2] ** 2, slopes

    theta = np.array([0.0, 0.0, 1.0])
    report = check_gradient(objective, theta)
    assert report.verdict == "pass"
    assert "between the one-sided derivatives" in str(report)
    slopes[2] = 2.1
    report = check_gradient(objective, theta)
    assert report.verdict != "pass"


@pytest.mark.parametrize("distance", np.geomspace(1e-6, 1e-1, 11))
def test_a_kink_close_by_hides_no_wrong_slope(distance):
    theta = np.array([distance, 1.0])
    for slope, verdict in ((1.0, "pass"), (0.0, "fail"), (-1.0, "fail")):
        report = check_gradient(lambda t, s=slope: (abs(t[0]) + t[1], np.array([s, 1.0])), theta)
        assert report.verdict == verdict, (distance, slope)


@pytest.mark.parametrize("method", METHODS)
def test_kinks_at_every_distance_are_no_false_alarm(method):
    distances = np.geomspace(1e-9, 1e-4, 30)

    def objective(theta):
        apart = theta[:, None] - distances
        return np.abs(apart).sum(), np.sign(apart).sum(1)

    # Some kinks lie between any two steps, so that no two steps give one slope.
    for theta in (0.0, 3e-9, 5e-8, 5e-7, 5e-6):
        report = check_gradient(objective, np.array([theta]), method=method)
        assert report.verdict != "fail", theta


class Own(Changed):
    """A cost whose gradient in its own dtype, and only there, is changed."""

    def to(self, dtype):
        return self.cost.to(dtype)


def test_a_wrong_float32_kernel_is_found_where_the_mathematics_is_right():
    cost = cost_of((6, 8, 3), dtype="float32")
    theta = sb.initialize(cost.network, seed=1)
    right = check_gradient(Own(cost), theta)
    assert right.verdict == "pass"
    assert all(block.kernel_error < 1e-5 for block in right.blocks)

    wrong = Own(cost, change_entry(10, lambda g: 1.01 * g))
    report = check_gradient(wrong, theta)
    assert (report.verdict, report.worst.worst) == ("fail", "Theta1[1, 3]")
    assert "the mathematics is right, but the float32 gradient" in report.line


def test_a_saturated_float32_net_is_inconclusive_and_no_false_alarm():
    cost = cost_of((5, 8, 8, 3), alpha=0.0, dtype="float32")
    theta = sb.initialize(cost.network, "glorot_uniform")
    first, second, _ = cost.network.thetas(theta)
    first *= 10.0
    second[:, 0] += 10.0
    assert check_gradient(cost, theta).verdict == "inconclusive"


def test_thorough_checks_each_term_and_after_some_steps(make):
    net = sb.Network((6, 8, 3), "tanh")
    cost, theta = cost_of((6, 8, 3)), sb.initialize(net, sb.rules.Uniform(epsilon=0.5), seed=1)
    report = check_gradient(cost, theta, thorough=True)
    assert report.verdict == "pass"
    assert [name for name, _ in report.also] == ["after 10 steps", "data alone", "penalty alone"]
    moved, data, penalty = (other.value for _, other in report.also)
    assert moved < report.value
    np.testing.assert_allclose(data + penalty, report.value, rtol=1e-14)
    without = check_gradient(cost_of((6, 8, 3), alpha=0.0), theta, thorough=True)
    assert [name for name, _ in without.also] == ["after 10 steps"]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_terms_are_told_at_zeros_too(dtype):
    cost = cost_of((6, 8, 3), dtype=dtype)
    report = check_gradient(cost, np.zeros((1, cost.network.n_parameters)), thorough=True)
    assert {name: one.verdict for name, one in report.also if "alone" in name} == {
        "data alone": "pass",
        "penalty alone": "pass",
    }


def test_a_penalty_on_biases_shows_where_all_biases_are_zero():
    def on_biases(stack, strength):
        return strength.max() * (strength == 0) * stack

    cost = WithPenaltyGradient(cost_of((6, 8, 3)), on_biases)
    theta = sb.initialize(cost.network, "glorot_uniform", seed=1)
    assert check_gradient(cost, theta).verdict == "pass"
    report = check_gradient(cost, theta, thorough=True)
    assert dict(report.also)["penalty alone"].verdict == "fail"
    assert dict(report.also)["data alone"].verdict == "pass"


def test_a_mistake_that_only_shows_after_some_steps_is_found(make):
    cost = cost_of((6, 8, 3))
    theta = sb.initialize(cost.network, seed=1)
    start = theta.copy()

    def change(theta, gradient):
        return gradient + (theta - alike(start, theta))

    wrong = make.changed(cost, change)
    assert check_gradient(wrong, theta).verdict == "pass"
    report = check_gradient(wrong, theta, thorough=True)
    assert report.verdict == "fail"
    assert "after 10 steps" in report.line
    assert "theta" in str(dict(report.also)["after 10 steps"])


def test_a_single_wrong_entry_of_a_block_of_one(make):
    cost = cost_of((4, 1), loss="squared_error")
    wrong = make.changed(cost, change_entry(0, lambda g: -g))
    report = check_gradient(wrong, sb.initialize(cost.network, seed=1))
    assert report.worst.wrong == ("Theta1[0, 0]",)
