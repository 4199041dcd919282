"""sgd, adam and adamw as users call them."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Status
from tests.optimize.plain_functions import PROBLEMS, quadratic

METHODS = ("sgd", "adam", "adamw")


def make_cost(alpha=0.1, weights=None, m=60, dtype=None):
    rng = np.random.default_rng(0)
    net = sb.Network((4, 6, 3), "tanh", "cross_entropy")
    X = rng.normal(size=(m, 4))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.5)
    return sb.NetworkCost(net, X, y, alpha=alpha, sample_weight=weights, dtype=dtype)


@pytest.mark.parametrize("method", METHODS)
def test_stacked_starts_end_where_each_ends_alone(method):
    rng = np.random.default_rng(3)
    alpha, weights = np.array([3.0, 0.0, 0.5]), rng.uniform(0, 2, (3, 60))
    theta = sb.initialize(make_cost().network, starts=3, seed=3)
    how = {"method": method, "max_iter": 15, "batch_size": 8}
    together = sb.minimize(make_cost(alpha, weights), theta, **how)
    for start in range(3):
        alone = sb.minimize(make_cost(alpha[start], weights[start]), theta[start], **how)
        np.testing.assert_allclose(alone.history[:, 0], together.history[:, start], rtol=1e-9)
        np.testing.assert_allclose(alone.theta, together.theta[start], rtol=1e-7)


@pytest.mark.parametrize("schedule", ["constant", "adaptive", "cosine", "invscaling"])
def test_each_start_has_its_own_learning_rate(schedule):
    rates, cost = [0.1, 0.01, 0.5], make_cost()
    theta = sb.initialize(cost.network, starts=3, seed=3)
    how = {"method": "sgd", "max_iter": 12, "batch_size": 8, "schedule": schedule,
           "n_iter_no_change": 1, "tol": 0.01, "cosine_epochs": 5}  # fmt: skip
    together = sb.minimize(cost, theta, learning_rate=rates, **how)
    for start, rate in enumerate(rates):
        alone = sb.minimize(cost, theta[start], learning_rate=rate, **how)
        np.testing.assert_allclose(alone.history[:, 0], together.history[:, start], rtol=1e-8)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("rate", [0.01, 100.0])
def test_never_worse_than_the_start(method, rate):
    cost = make_cost()
    theta = sb.initialize(cost.network, starts=4, seed=1)
    outcome = sb.minimize(cost, theta, method=method, learning_rate=rate, max_iter=6)
    J = cost(theta)[0]
    assert (outcome.value <= J).all()
    np.testing.assert_allclose(cost(outcome.theta)[0], outcome.value, rtol=1e-14)
    np.testing.assert_array_equal(outcome.value, np.nanmin(outcome.history, 0))


@pytest.mark.parametrize("method", METHODS)
def test_training_lowers_the_cost(method):
    cost = make_cost(alpha=0.0, dtype="float32")
    theta = sb.initialize(cost.network, starts=4, dtype="float32")
    outcome = sb.minimize(cost, theta, method=method, learning_rate=0.05, max_iter=60)
    assert outcome.theta.dtype == np.float32
    assert (outcome.value < cost(theta)[0] / 3).all()


@pytest.mark.parametrize("method", METHODS)
def test_steps_that_leave_the_finite_are_called_diverged(method):
    def quartic(x):
        return np.sum(x**4, axis=-1), 4 * x**3

    with np.errstate(over="ignore", invalid="ignore"):
        outcome = sb.minimize(quartic, np.array([2.0, 3.0]), method=method, learning_rate=1e200)
    assert outcome.status == (Status.DIVERGED,)
    np.testing.assert_array_equal(outcome.theta, [2.0, 3.0])


def test_a_start_that_diverges_leaves_the_others_as_they_were():
    net = sb.Network((4, 6, 3), "identity", "squared_error")
    rng = np.random.default_rng(0)
    cost = sb.NetworkCost(net, rng.normal(size=(60, 4)), rng.normal(size=(60, 3)))
    theta = sb.initialize(net, starts=3, seed=2)
    how = {"method": "sgd", "max_iter": 20}
    outcome = sb.minimize(cost, theta, learning_rate=[0.01, 1e3, 0.02], **how)
    assert [status.name for status in outcome.status] == [
        "MAX_ITERATIONS", "DIVERGED", "MAX_ITERATIONS",
    ]  # fmt: skip
    alone = sb.minimize(cost, theta[[0, 2]], learning_rate=[0.01, 0.02], **how)
    np.testing.assert_allclose(outcome.theta[[0, 2]], alone.theta, rtol=1e-9)
    assert outcome.value[1] <= float(cost(theta)[0][1])


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", ["adam", "sgd"])
def test_plain_functions_are_minimised_with_their_gradients(name, method):
    function, start, _, _ = PROBLEMS[name]
    with np.errstate(over="ignore", invalid="ignore"):
        outcome = sb.minimize(function, start, method=method, learning_rate=1e-3, max_iter=300)
    value, gradient = function(outcome.theta)
    assert value < function(start)[0]
    assert outcome.value[0] == value
    assert outcome.gradient_norm[0] == np.abs(gradient).max()


def test_converged_is_said_where_the_gradient_of_j_is_small():
    cost = make_cost(alpha=5.0)
    theta = sb.initialize(cost.network, starts=2)
    outcome = sb.minimize(
        cost, theta, method="sgd", learning_rate=0.5, schedule="invscaling", power_t=1.0,
        gradient_rtol=0.05, max_iter=400,
    )  # fmt: skip
    assert outcome.converged.all()
    gradient, at_start = (abs(cost(at)[1]).max(1) for at in (outcome.theta, theta))
    assert (gradient <= 0.05 * np.minimum(at_start, 1.0)).all()


def test_validation_and_racing_work_with_epochs():
    cost = make_cost()
    theta = sb.initialize(cost.network, starts=6)
    outcome = sb.minimize(
        cost, theta, method="adam", learning_rate=0.05, max_iter=40,
        validation=cost.batch(np.arange(20)), patience=3, racing=sb.optimize.Racing(first=8),
    )  # fmt: skip
    names = {status.name for status in outcome.status}
    assert "DROPPED" in names
    assert np.isfinite(outcome.validation).all()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "sgd", "momentum": 1.0}, "momentum of sgd must be at least 0 and below 1"),
        ({"method": "adam", "beta1": -0.1}, "beta1 of adam must be at least 0 and below 1"),
        ({"method": "adam", "beta2": "x"}, "beta2 of adam must be at least 0 and below 1"),
        ({"method": "adam", "eps": 0.0}, "eps of adam must be a positive number. Got 0.0"),
        ({"method": "adamw", "weight_decay": -1}, "weight_decay of adamw must be a number of at"),
        ({"method": "adam", "learning_rate": 0}, "learning_rate of adam must be a positive"),
        ({"method": "adam", "learning_rate": [[1]]}, "learning_rate of adam must be a positive"),
        ({"method": "adam", "learning_rate": "a"}, "learning_rate of adam must be a positive"),
        ({"method": "adam", "learning_rate": [1, 2]}, "learning_rate must be a number or one for"),
        ({"method": "sgd", "batch_size": 0}, "batch_size of sgd must be an integer of at least 1"),
        ({"method": "sgd", "seed": -1}, "seed of sgd must be an integer of at least 0. Got -1"),
        ({"method": "sgd", "seed": True}, "seed of sgd must be an integer"),
        ({"method": "sgd", "tol": float("nan")}, "tol of sgd must be a number of at least 0"),
        ({"method": "sgd", "power_t": 0}, "power_t of sgd must be a positive number"),
        ({"method": "adam", "cosine_epochs": 0}, "cosine_epochs of adam must be an integer"),
        ({"method": "adam", "epochs_per_evaluation": 1.5}, "epochs_per_evaluation of adam must"),
        ({"method": "adam", "n_iter_no_change": 0}, "n_iter_no_change of adam must be"),
        ({"method": "adam", "schedule": "cosin"}, "schedule of adam must be .*Did you mean 'cosi"),
        ({"method": "adam", "beta": 0.9}, "options of adam must be among .*Did you mean 'beta"),
    ],
)
def test_bad_options_get_one_sentence(arguments, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        sb.minimize(quadratic, np.ones(3), **arguments)
