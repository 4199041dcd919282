"""Cases in which widely used optimisers return a wrong point, NaN, or claim success."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Status
from symbreak.optimize.methods import METHODS
from tests.optimize.plain_functions import cliff, quadratic, rosenbrock, walled

FULL_BATCH = [
    name
    for name in METHODS
    if name not in ("newton-cg", "levenberg-marquardt") and not METHODS[name].is_on_minibatches
]
WITH_LINE_SEARCH = ["l-bfgs", "bfgs", "conjugate-gradient"]


@pytest.mark.parametrize("method", WITH_LINE_SEARCH)
def test_the_cliff_is_followed_to_its_foot(method):
    with np.errstate(over="ignore"):
        outcome = sb.minimize(cliff, np.array([20.0, -800.0]), method=method, max_iter=2000)
    assert outcome.converged[0]
    assert outcome.value[0] == pytest.approx(2.0, rel=1e-9)


@pytest.mark.parametrize("method", FULL_BATCH)
def test_a_large_constant_does_not_make_a_large_gradient_converged(method):
    with np.errstate(over="ignore"):
        outcome = sb.minimize(
            lambda x: quadratic(x, np.logspace(0, 6, 20), 1e10), np.ones(20), method=method,
            max_iter=50,
        )  # fmt: skip
    gradient = quadratic(outcome.theta, np.logspace(0, 6, 20))[1]
    assert outcome.gradient_norm[0] == np.abs(gradient).max()
    assert outcome.converged[0] == (outcome.gradient_norm[0] <= 1e-5)


@pytest.mark.parametrize("scale", [1e-50, 1e50])
@pytest.mark.parametrize("method", WITH_LINE_SEARCH)
def test_the_scale_of_the_objective_does_not_matter(method, scale):
    outcome = sb.minimize(
        lambda x: tuple(scale * np.asarray(part) for part in rosenbrock(x)),
        np.array([-1.2, 1.0]), method=method, gradient_rtol=1e-8, max_iter=2000,
    )  # fmt: skip
    np.testing.assert_allclose(outcome.theta, 1.0, rtol=1e-5)


@pytest.mark.parametrize("method", FULL_BATCH)
def test_a_wall_of_nan_is_a_step_too_long_and_never_the_answer(method):
    starts = np.array([[1.4, -3.0, 1.49], [1.0, 1.0, -40.0]])
    outcome = sb.minimize(walled, starts, method=method, max_iter=300)
    assert np.isfinite(outcome.theta).all()
    assert np.isfinite(outcome.value).all()
    assert (outcome.value <= walled(starts)[0]).all()
    if method in WITH_LINE_SEARCH:
        assert outcome.converged.all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("where", ["X", "y"])
def test_an_input_of_1e160_is_not_fitted_in_silence(method, where):
    rng = np.random.default_rng(0)
    net = sb.Network((3, 4, 1), "tanh", "squared_error")
    X, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    cost = sb.NetworkCost(net, *((X * 1e160, y) if where == "X" else (X, y * 1e160)))
    theta = sb.initialize(net, starts=2)
    with np.errstate(all="ignore"):
        outcome = sb.minimize(cost, theta, method=method, max_iter=20)
    assert np.isfinite(outcome.theta).all()
    for status, value in zip(outcome.status, outcome.value, strict=True):
        # Either J is not finite at the start and that is said, or what is returned is no worse.
        if status is Status.NON_FINITE_START:
            assert value == np.inf
        else:
            assert value <= float(cost.value(theta).max())
    if where == "y":
        assert set(outcome.status) == {Status.NON_FINITE_START}


def test_an_input_that_is_infinite_is_refused():
    net = sb.Network((2, 1), loss="squared_error")
    with pytest.raises(InvalidInput, match="X must be finite"):
        sb.NetworkCost(net, [[1.0, np.inf]], [0.0])


@pytest.mark.parametrize("method", WITH_LINE_SEARCH)
def test_float32_gets_low_on_rosenbrock(method):
    start = np.tile(np.float32([-1.2, 1.0]), 5)
    outcome = sb.minimize(rosenbrock, start, method=method, max_iter=3000)
    assert outcome.theta.dtype == np.float32
    assert outcome.value[0] < 1e-6


def two_spirals():
    """194 points of two spirals of three turns (Lang & Witbrock 1988), 97 each."""
    i = np.arange(97)
    angle, radius = i * np.pi / 16.0, 6.5 * (104 - i) / 104.0
    one = np.column_stack([radius * np.sin(angle), radius * np.cos(angle)])
    return np.concatenate([one, -one]), np.repeat([1.0, 0.0], 97)


@pytest.mark.slow
def test_two_spirals_are_told_apart_by_some_start():
    X, y = two_spirals()
    net = sb.Network((2, 20, 10, 1), "tanh", "binary_cross_entropy")
    cost = sb.NetworkCost(net, X, y)
    theta = sb.initialize(net, "glorot_uniform", starts=16, seed=0)
    outcome = sb.minimize(cost, theta, method="newton-cg", max_iter=300, target_value=1e-2)
    right = ((net.predict(outcome.theta, X)[:, :, 0] > 0.5) == (y > 0.5)).mean(axis=1)
    assert right.max() == 1.0


def test_xor_is_solved_by_some_of_a_hundred_starts():
    X, y = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), np.array([0, 1, 1, 0])
    net = sb.Network((2, 2, 1), "tanh", "binary_cross_entropy")
    cost = sb.NetworkCost(net, X, y)
    theta = sb.initialize(net, "glorot_uniform", starts=100, seed=0)
    outcome = sb.minimize(cost, theta, max_iter=500)
    solved = ((net.predict(outcome.theta, X)[:, :, 0] > 0.5) == y).all(axis=1)
    assert solved[outcome.best]
    assert 10 < solved.sum() < 100
