"""What `minimize` promises: the best point, an honest status, many starts as one."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.optimize import Status
from symbreak.optimize.directions.lbfgs import LBFGS
from symbreak.optimize.line_searches.hager_zhang import HagerZhang
from symbreak.optimize.start_records import _confirmed
from tests.kinds import NUMPY_AND_TORCH
from tests.optimize.plain_functions import PROBLEMS, cliff, quadratic, rosenbrock

METHODS = {
    "l-bfgs": {},
    "gradient-descent": {"learning_rate": 1e-3, "momentum": 0.5},
}


def make_cost(alpha=0.1, loss="cross_entropy", m=60, seed=0, layers=(4, 6, 3), **options):
    rng = np.random.default_rng(seed)
    net = sb.Network(layers, "tanh", loss)
    X = rng.normal(size=(m, layers[0]))
    y = rng.integers(0, layers[-1], m)
    return sb.NetworkCost(net, X, y, alpha=alpha, **options)


@pytest.mark.parametrize("name", PROBLEMS)
def test_lbfgs_reaches_the_minimum(name):
    function, start, minimum, at = PROBLEMS[name]
    outcome = sb.minimize(function, start, gradient_rtol=1e-8)
    assert outcome.status == (Status.CONVERGED,)
    np.testing.assert_allclose(outcome.theta, at, atol=1e-6)
    assert outcome.value[0] == pytest.approx(minimum, abs=1e-12)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("max_iter", [1, 7, 60])
def test_never_worse_than_the_start_and_reproducible_at_the_returned_point(name, method, max_iter):
    function, start, _, _ = PROBLEMS[name]
    outcome = sb.minimize(function, start, method=method, max_iter=max_iter, **METHODS[method])
    value, gradient = function(outcome.theta)
    assert value <= function(start)[0]
    assert outcome.value[0] == value
    assert outcome.gradient_norm[0] == np.abs(gradient).max()
    assert outcome.n_iterations[0] <= max_iter


@pytest.mark.parametrize("method", METHODS)
def test_evaluations_are_counted_as_called_and_the_best_of_them_is_returned(method):
    seen = []

    def counted(theta):
        value, gradient = rosenbrock(theta)
        seen.append(float(value))
        return value, gradient

    outcome = sb.minimize(
        counted, np.array([-1.2, 1.0]), method=method, max_iter=23, **METHODS[method]
    )
    # One evaluation more than counted: the check at the returned point.
    assert outcome.n_evaluations[0] == len(seen) - 1
    assert outcome.value[0] == min(seen)


def test_the_cliff_is_not_called_a_minimum():
    with np.errstate(over="ignore"):
        outcome = sb.minimize(cliff, np.array([20.0, -800.0]))
    assert outcome.converged[0]
    assert outcome.value[0] == pytest.approx(2.0, rel=1e-9)


def test_a_large_constant_hides_no_large_gradient():
    outcome = sb.minimize(
        lambda x: quadratic(x, np.logspace(0, 6, 20), 1e10), np.ones(20), max_iter=50
    )
    assert outcome.gradient_norm[0] > 1e-3
    assert not outcome.converged[0]


def test_what_rounding_leaves_of_a_zero_gradient_is_converged():
    cost = make_cost(alpha=10.0, dtype="float32")
    theta = sb.initialize(cost.network, starts=4, dtype="float32")
    outcome = sb.minimize(cost, theta, gradient_rtol=0.0)
    floor = 10 * np.finfo(np.float32).eps * outcome.value
    assert outcome.converged.all()
    assert (outcome.gradient_norm <= floor).all()


@pytest.mark.parametrize("scale", [1e-50, 1.0, 1e50])
def test_scaled_objectives_reach_the_same_minimum(scale):
    outcome = sb.minimize(
        lambda x: tuple(scale * np.asarray(part) for part in rosenbrock(x)),
        np.array([-1.2, 1.0]),
        gradient_rtol=1e-8,
    )
    np.testing.assert_allclose(outcome.theta, 1.0, rtol=1e-6)


def test_float32_rosenbrock_gets_low():
    start = np.tile(np.float32([-1.2, 1.0]), 5)
    outcome = sb.minimize(rosenbrock, start, max_iter=1000)
    assert outcome.theta.dtype == np.float32
    assert outcome.value[0] < 1e-6


def test_not_finite_starts_say_so_and_are_returned_as_they_were():
    start = np.array([[1.0, 2.0], [3.0, 1e200]])
    with np.errstate(over="ignore"):
        outcome = sb.minimize(cliff, start)
    assert outcome.status == (Status.CONVERGED, Status.NON_FINITE_START)
    assert outcome.value[1] == np.inf
    np.testing.assert_array_equal(outcome.theta[1], start[1])
    assert outcome.best == 0


def test_diverging_gradient_descent_keeps_its_best_point():
    with np.errstate(over="ignore"):
        outcome = sb.minimize(
            lambda x: (np.sum(x**4, axis=-1), 4 * x**3),
            np.array([2.0, 3.0]),
            method="gradient-descent",
            learning_rate=10.0,
        )
    assert outcome.status == (Status.DIVERGED,)
    assert outcome.n_iterations[0] > 1
    np.testing.assert_array_equal(outcome.theta, [2.0, 3.0])


def test_stationary_start_is_its_own_status():
    outcome = sb.minimize(quadratic, np.zeros((1, 3)))
    assert outcome.status == (Status.STATIONARY_START,)
    assert outcome.n_iterations[0] == 0


def test_a_failed_line_search_goes_on_along_steepest_descent(monkeypatch):
    judge, restart = HagerZhang.judge, LBFGS.restart
    judged, restarted = [], []

    def failing_once(self, value, slope):
        accepted, failed = judge(self, value, slope)
        judged.append(accepted)
        if len(judged) == 6:
            return np.zeros_like(accepted), np.ones_like(failed)
        return accepted, failed

    def counted(self, rows, here):
        restarted.append(rows)
        return restart(self, rows, here)

    monkeypatch.setattr(HagerZhang, "judge", failing_once)
    monkeypatch.setattr(LBFGS, "restart", counted)
    outcome = sb.minimize(rosenbrock, np.array([-1.2, 1.0]), gradient_rtol=1e-8)
    assert len(restarted) == 1
    assert outcome.converged[0]


def test_a_search_that_fails_along_steepest_descent_ends(monkeypatch):
    monkeypatch.setattr(
        HagerZhang,
        "judge",
        lambda self, value, slope: (np.zeros(len(value), bool), np.ones(len(value), bool)),
    )
    outcome = sb.minimize(rosenbrock, np.array([-1.2, 1.0]))
    assert outcome.status == (Status.PRECISION_LIMIT,)


def test_converged_is_taken_back_where_the_test_does_not_hold():
    assert _confirmed(Status.CONVERGED, False) is Status.PRECISION_LIMIT
    assert _confirmed(Status.MAX_ITERATIONS, True) is Status.CONVERGED
    assert _confirmed(Status.STATIONARY_START, True) is Status.STATIONARY_START


@pytest.mark.parametrize("method", METHODS)
def test_stacked_starts_end_where_each_ends_alone(method):
    cost = make_cost()
    theta = sb.initialize(cost.network, starts=5, seed=3)
    options = {"method": method, "max_iter": 30, "gradient_rtol": 0.5, **METHODS[method]}
    together = sb.minimize(cost, theta, **options)
    for start in range(5):
        alone = sb.minimize(cost, theta[start], **options)
        assert alone.value[0] == pytest.approx(together.value[start], rel=1e-8)
        assert alone.n_evaluations[0] == together.n_evaluations[start]
        assert alone.theta.shape == (cost.network.n_parameters,)


def test_starts_with_their_own_penalty_keep_it_when_others_end():
    alpha = np.array([30.0, 0.01, 1.0])
    cost = make_cost(alpha=alpha)
    theta = sb.initialize(cost.network, starts=3, seed=1)
    outcome = sb.minimize(cost, theta, max_iter=60)
    assert len(set(outcome.n_iterations)) > 1  # they do end at different times
    for start, own in enumerate(alpha):
        alone = sb.minimize(make_cost(alpha=own), theta[start], max_iter=60)
        assert outcome.value[start] == pytest.approx(alone.value[0], rel=1e-8)


def test_two_runs_are_equal_bit_for_bit():
    cost = make_cost()
    theta = sb.initialize(cost.network, starts=4)
    first, second = (sb.minimize(cost, theta, max_iter=40) for _ in range(2))
    assert np.array_equal(first.theta, second.theta)
    np.testing.assert_array_equal(first.history, second.history)


def test_converged_means_that_the_gradient_test_holds():
    cost = make_cost(alpha=1.0)
    theta = sb.initialize(cost.network, starts=6)
    outcome = sb.minimize(cost, theta, max_iter=95, gradient_rtol=1e-3)
    start_norm = abs(cost(theta)[1]).max(1)
    end_norm = abs(cost(outcome.theta)[1]).max(1)
    holds = end_norm <= 1e-3 * np.minimum(start_norm, 1.0)
    np.testing.assert_array_equal(outcome.converged, holds)
    assert 0 < holds.sum() < 6


def test_history_falls_and_ends_at_the_returned_value():
    cost = make_cost()
    outcome = sb.minimize(cost, sb.initialize(cost.network, starts=3), max_iter=25)
    for start in range(3):
        values = outcome.history[: outcome.n_iterations[start] + 1, start]
        assert (np.diff(values) <= 1e-14 * np.abs(values[1:])).all()
        assert values[-1] == pytest.approx(outcome.value[start], rel=1e-12)
        assert np.isnan(outcome.history[outcome.n_iterations[start] + 1 :, start]).all()


@pytest.mark.parametrize("kind", NUMPY_AND_TORCH)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_what_comes_out_is_what_came_in(kind, dtype):
    cost = make_cost()
    theta = sb.initialize(cost.network, starts=2, dtype=dtype)
    given = kind(theta)
    outcome = sb.minimize(cost, given, max_iter=3)
    assert type(outcome.theta) is type(given)
    assert outcome.theta.dtype == given.dtype
    assert np.array_equal(given, theta)


def test_callback_stops_and_sees_true_numbers():
    cost = make_cost()
    seen = []
    outcome = sb.minimize(
        cost,
        sb.initialize(cost.network, starts=3),
        callback=lambda progress: seen.append(progress) or len(seen) == 6,
    )
    assert set(outcome.status) == {Status.STOPPED}
    assert seen[-1].best_value == outcome.value.min()
    assert seen[-1].median_value == np.median(outcome.value)
    assert [p.n_running for p in seen] == [3] * 6


@pytest.mark.parametrize("call", [1, 2, 9])
def test_interrupt_keeps_the_best_so_far(call):
    cost = make_cost()
    calls = []

    class Interrupted(type(cost)):
        def __call__(self, theta, **options):
            calls.append(0)
            if len(calls) == call:
                raise KeyboardInterrupt
            return super().__call__(theta, **options)

    cost.__class__ = Interrupted
    theta = sb.initialize(cost.network, starts=3)
    outcome = sb.minimize(cost, theta)
    assert set(outcome.status) == {Status.INTERRUPTED}
    assert (outcome.value <= cost(theta)[0]).all()
    np.testing.assert_allclose(cost(outcome.theta)[0], outcome.value, rtol=1e-14)


def test_a_function_that_changes_its_argument_does_no_harm():
    def careless(theta):
        value, gradient = quadratic(theta.copy())
        theta[...] = np.nan
        return value, gradient

    assert sb.minimize(careless, np.ones(3)).converged[0]


def test_momentum_follows_its_formula():
    x, velocity = np.array([1.0, -2.0, 0.5]), np.zeros(3)
    for _ in range(5):
        velocity = 0.7 * velocity - 0.004 * quadratic(x)[1]
        x = x + velocity
    outcome = sb.minimize(
        quadratic,
        np.array([1.0, -2.0, 0.5]),
        method="gradient-descent",
        learning_rate=0.004,
        momentum=0.7,
        max_iter=5,
    )
    np.testing.assert_allclose(outcome.theta, x, rtol=1e-14)


def test_zero_start_of_a_network_is_not_trained_silently():
    cost = make_cost()
    zeros = np.zeros((2, cost.network.n_parameters))
    with pytest.warns(sb.SymmetryWarning, match=r"hidden layer 1 .*1 distinct unit of 6"):
        sb.minimize(cost, zeros, max_iter=1)


def test_zero_start_of_logistic_regression_is_silent_and_right():
    cost = make_cost(layers=(4, 3))
    outcome = sb.minimize(cost, np.zeros((1, cost.network.n_parameters)))
    assert outcome.converged[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"method": "lbfgs"}, r"method of minimize must be one of .*Did you mean 'l-bfgs'"),
        (
            {"memry": 3},
            r"options of l-bfgs must be among memory, line_search. Got 'memry'. Did you mean",
        ),
        ({"memory": 0}, r"memory of l-bfgs must be a positive integer. Got 0"),
        (
            {"method": "gradient-descent", "learning_rate": "a"},
            "learning_rate of gradient-descent must be a positive",
        ),
        (
            {"method": "gradient-descent", "momentum": "a"},
            "momentum of gradient-descent must be at least 0 and",
        ),
        (
            {"method": "gradient-descent", "nesterov": "no"},
            "nesterov of gradient-descent must be True or False. Got 'no'",
        ),
        ({"method": 5}, "method of minimize must be one of .*scipy:NAME"),
        ({"racing": "yes"}, "racing of minimize must be True, False or a Racing .* Got 'yes'"),
        ({"racing": 0}, "racing of minimize must be True, False or a Racing"),
        ({"target_value": "a"}, "target_value must be a finite number. Got 'a'"),
        ({"value_rtol": False}, "value_rtol must be zero or a positive number. Got False"),
        ({"max_iter": -1}, r"max_iter must be zero or a positive integer. Got -1"),
        ({"gradient_rtol": -1.0}, r"gradient_rtol must be zero or a positive number. Got -1.0"),
        (
            {"method": "gradient-descent", "learning_rate": 0.0},
            "learning_rate of gradient-descent must be a positive",
        ),
        (
            {"method": "gradient-descent", "momentum": 1.0},
            "momentum of gradient-descent must be at least 0",
        ),
    ],
)
def test_bad_options_get_one_sentence(arguments, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        sb.minimize(quadratic, np.ones(3), **arguments)


def test_bad_objectives_and_starts_get_one_sentence():
    with pytest.raises(InvalidInput, match="theta of minimize must be finite"):
        sb.minimize(quadratic, np.array([1.0, np.nan, 1.0]))
    with pytest.raises(InvalidType, match="objective must be an objective or a function"):
        sb.minimize(3, np.ones(3))
    with pytest.raises(InvalidType, match=r"must return \(J, gradient\)"):
        sb.minimize(lambda x: x.sum(), np.ones(3))
    with pytest.raises(InvalidInput, match="gradient of shape"):
        sb.minimize(lambda x: (x.sum(), x[:2]), np.ones(3))
    with pytest.raises(InvalidInput, match="theta of minimize must have at least one parameter"):
        sb.minimize(quadratic, np.ones((2, 0)))
    with pytest.raises(InvalidType, match="callback of minimize must be a function"):
        sb.minimize(quadratic, np.ones(3), callback=5)
    with pytest.raises(InvalidInput, match="theta must be of shape"):
        sb.minimize(make_cost(), np.ones(3))


def test_options_may_be_numbers_of_numpy():
    def square(x):
        return x @ x, 2 * x

    x = np.array([3.0, -4.0])
    for method, options in (
        ("l-bfgs", {"memory": np.int64(3)}),
        ("gradient-descent", {"learning_rate": np.float32(0.25), "momentum": np.float32(0.5)}),
        ("rprop", {"initial_step": np.float32(0.25)}),
        ("l-bfgs", {"gradient_rtol": np.float32(1e-3), "max_iter": np.int64(50)}),
        ("sgd", {"seed": np.int64(1), "learning_rate": 0.25, "momentum": 0, "batch_size": None}),
    ):
        assert sb.minimize(square, x, method=method, **options).converged[0]


def test_one_start_is_one_start_in_words():
    outcome = sb.minimize(quadratic, np.ones((1, 3)))
    assert str(outcome).startswith("1 start, 1 converged, best J")
    assert str(sb.minimize(quadratic, np.ones((2, 3)))).startswith("2 starts, 2 converged")
