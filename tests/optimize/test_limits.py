"""What ends a start that has not converged, and what it then says."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Status
from tests.optimize.plain_functions import quadratic, rosenbrock

STARTS = np.array([[-1.2, 1.0], [3.0, -2.0], [0.5, 0.5]])


def stepwise(**options):
    """Gradient descent with small steps, which takes long to converge."""
    return sb.minimize(
        lambda x: quadratic(x, (1.0, 10.0)), STARTS, method="gradient-descent",
        learning_rate=0.01, momentum=0.0, max_iter=10_000, **options,
    )  # fmt: skip


def test_evaluations_are_a_limit_for_each_start():
    outcome = sb.minimize(rosenbrock, STARTS, max_evaluations=9)
    assert outcome.status == (Status.MAX_EVALUATIONS,) * 3
    assert outcome.n_evaluations.tolist() == [9, 9, 9]


@pytest.mark.parametrize("limit", ["max_iter", "max_evaluations"])
def test_nothing_is_moved_when_nothing_is_allowed(limit):
    outcome = sb.minimize(rosenbrock, STARTS, **{limit: 0})
    np.testing.assert_array_equal(outcome.theta, STARTS)
    assert {status.name for status in outcome.status} == {
        limit.upper().replace("ITER", "ITERATIONS")
    }


def test_seconds_end_all_starts_at_a_tick():
    outcome = stepwise(max_seconds=0.0)
    assert outcome.status == (Status.MAX_SECONDS,) * 3
    assert outcome.n_evaluations.tolist() == [1, 1, 1]


def test_a_target_ends_the_starts_that_reach_it():
    outcome = stepwise(target_value=0.1)
    assert outcome.status == (Status.TARGET_REACHED,) * 3
    assert (outcome.value <= 0.1).all()
    for start, steps in enumerate(outcome.n_iterations):
        assert (outcome.history[:steps, start] > 0.1).all()


def test_a_start_that_is_at_the_target_stays():
    outcome = sb.minimize(
        quadratic, np.array([[1e-3, 0.0, 0.0], [1.0, 1.0, 1.0]]), target_value=1.0
    )
    assert outcome.status[0] is Status.TARGET_REACHED
    assert outcome.n_iterations[0] == 0
    assert outcome.n_iterations[1] > 0


def test_small_changes_of_the_value_end_a_start_without_calling_it_converged():
    outcome = stepwise(value_rtol=3e-2)
    assert outcome.status == (Status.VALUE_TOLERANCE,) * 3
    for start, steps in enumerate(outcome.n_iterations):
        path = outcome.history[: steps + 1, start]
        drop = -np.diff(path) / path[:-1]
        assert drop[-1] <= 3e-2
        assert (drop[:-1] > 3e-2).all()


def test_small_steps_end_a_start_without_calling_it_converged():
    outcome = stepwise(step_rtol=2e-2)
    assert set(outcome.status) == {Status.STEP_TOLERANCE}
    for start, steps in enumerate(outcome.n_iterations):
        x = STARTS[start].copy()
        shares = []
        for _ in range(steps):
            move = -0.01 * np.array([1.0, 10.0]) * x
            x = x + move
            shares.append(np.abs(move).max() / np.abs(x).max())
        assert shares[-1] <= 2e-2
        assert min(shares[:-1]) > 2e-2
    assert not outcome.converged.any()


def test_large_constant_and_a_value_tolerance_still_say_the_gradient_is_large():
    outcome = sb.minimize(
        lambda x: quadratic(x, np.logspace(0, 6, 20), 1e10), np.ones(20), value_rtol=1e-9
    )
    assert outcome.gradient_norm[0] > 1e-3
    assert not outcome.converged[0]


def test_converged_comes_before_a_limit_that_holds_too():
    free = sb.minimize(rosenbrock, STARTS[:1], gradient_rtol=1e-8)
    steps = int(free.n_iterations[0])
    outcome = sb.minimize(rosenbrock, STARTS[:1], gradient_rtol=1e-8, max_iter=steps)
    assert outcome.converged[0]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"max_evaluations": -1}, "max_evaluations must be zero or a positive integer. Got -1"),
        ({"max_seconds": -1.0}, "max_seconds must be zero or a positive number. Got -1.0"),
        ({"max_seconds": "1"}, "max_seconds must be zero or a positive number. Got '1'"),
        ({"target_value": np.nan}, "target_value must be a finite number. Got nan"),
        ({"value_rtol": -0.1}, "value_rtol must be zero or a positive number. Got -0.1"),
        ({"value_atol": -1e-9}, "value_atol must be zero or a positive number. Got -1e-09"),
        ({"step_rtol": np.inf}, "step_rtol must be zero or a positive number. Got inf"),
        ({"max_iter": 1.5}, "max_iter must be zero or a positive integer. Got 1.5"),
    ],
)
def test_bad_limits_get_one_sentence(options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        sb.minimize(rosenbrock, STARTS, **options)


def test_every_status_says_what_to_do_in_one_piece():
    for status in Status:
        assert len(str(status)) > 8
        assert "\n" not in str(status)


def test_float32_starts_are_judged_by_float32():
    theta = np.ones((1, 3), np.float32)
    outcome = sb.minimize(lambda x: ((x * x).sum(-1), 2 * x), theta, gradient_rtol=1e-4)
    assert outcome.theta.dtype == np.float32
    assert outcome.converged[0]


def distances(x):
    """The sum of |x|, whose minimum is a kink."""
    return np.abs(x).sum(-1), np.sign(x)


KINKS = np.random.default_rng(0).normal(size=(6, 2))


@pytest.mark.parametrize("method", ["l-bfgs", "bfgs"])
def test_a_kink_at_zero_is_not_chased_into_the_smallest_numbers(method):
    chased, outcome = (
        sb.minimize(distances, KINKS, method=method, value_atol=value_atol, max_iter=2000)
        for value_atol in (0.0, 1e-12)
    )
    assert (outcome.value <= 1e-10).all()
    assert Status.MAX_ITERATIONS not in outcome.status
    assert outcome.n_evaluations.max() < 0.4 * chased.n_evaluations.min()


def test_a_fall_of_exactly_the_tolerance_ends_a_start():
    """Steps of one from 8: J falls by 15, 13, ..., 3, 1."""

    def parabola(x):
        return (x * x).sum(-1), 2.0 * np.sign(x)

    for tolerance, steps in ((13.0, 2), (12.9, 3), (3.0, 7), (0.0, 8)):
        outcome = sb.minimize(
            parabola, np.array([[8.0]]), method="gradient-descent", learning_rate=0.5,
            momentum=0.0, max_iter=40, value_atol=tolerance,
        )  # fmt: skip
        assert outcome.n_iterations[0] == steps


def test_the_larger_tolerance_of_the_two_decides():
    share, number = (stepwise(**one) for one in ({"value_rtol": 3e-2}, {"value_atol": 1e-3}))
    both = stepwise(value_rtol=3e-2, value_atol=1e-3)
    wanted = np.minimum(share.n_iterations, number.n_iterations)
    assert both.n_iterations.tolist() == wanted.tolist()
    assert len({*share.n_iterations.tolist(), *number.n_iterations.tolist()}) > 2
