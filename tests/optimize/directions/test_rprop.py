"""iRprop+ against a plain loop over entries, and what follows from taking signs alone."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Status
from symbreak.optimize.directions.rprop import Rprop
from tests.optimize.directions.moves import moved, point
from tests.optimize.plain_functions import PROBLEMS, cliff, quadratic, rosenbrock

OPTIONS = {
    "initial_step": 0.07,
    "min_step": 1e-3,
    "max_step": 0.4,
    "increase": 1.3,
    "decrease": 0.4,
}


def plain_loop(function, theta, n_steps, initial_step, min_step, max_step, increase, decrease):
    """The paper's listing, one entry after the other; also how often each branch was taken."""
    n = len(theta)
    step, last_move, last_g = [initial_step] * n, [0.0] * n, [0.0] * n
    last_value = np.inf
    x, path = list(theta), []
    branches = {"kept": 0, "taken back": 0, "rests": 0, "zero": 0, "largest": 0, "smallest": 0}
    for _ in range(n_steps):
        value, g = function(np.array(x))
        g = list(g)
        for i in range(n):
            if last_g[i] * g[i] > 0:
                branches["kept"] += 1
                step[i] = min(step[i] * increase, max_step)
                branches["largest"] += step[i] == max_step
                last_move[i] = -np.sign(g[i]) * step[i]
                x[i] += last_move[i]
            elif last_g[i] * g[i] < 0:
                step[i] = max(step[i] * decrease, min_step)
                branches["smallest"] += step[i] == min_step
                if value > last_value:
                    branches["taken back"] += 1
                    x[i] -= last_move[i]
                else:
                    branches["rests"] += 1
                g[i] = 0.0
            else:
                branches["zero"] += 1
                last_move[i] = -np.sign(g[i]) * step[i]
                x[i] += last_move[i]
        last_g, last_value = g, value
        path.append(list(x))
    return np.array(path), branches


def path_of(function, start, n_steps, **options):
    """The points that `minimize` asks for, after the start."""
    seen = []

    def watched(theta):
        seen.append(theta.copy())
        return function(theta)

    sb.minimize(
        watched, start, method="rprop", max_iter=n_steps, gradient_rtol=0.0, **options
    )  # fmt: skip
    return np.array(seen[1 : n_steps + 1])


def bowl(theta):
    """A tilted quadratic and a fourth power: J often rises when signs change."""
    a, b = theta[..., 0], theta[..., 1]
    value = 2.0 * (a - b) ** 2 + 0.3 * a**4 + b**2
    return value, np.stack([4 * (a - b) + 1.2 * a**3, -4 * (a - b) + 2 * b], axis=-1)


@pytest.mark.parametrize(
    ("function", "start"),
    [(rosenbrock, [-1.2, 1.0, 0.3]), (bowl, [2.0, -1.0]), (quadratic, [1.0, -1.0, 0.5])],
)
def test_path_is_that_of_the_plain_loop(function, start):
    expected, _ = plain_loop(function, np.array(start), 120, **OPTIONS)
    found = path_of(function, np.array(start), 120, **OPTIONS)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_the_paths_compared_take_every_branch():
    taken = [plain_loop(bowl, np.array([2.0, -1.0]), 120, **OPTIONS)[1]]
    taken.append(plain_loop(rosenbrock, np.array([-1.2, 1.0, 0.3]), 120, **OPTIONS)[1])
    assert all(sum(branches[name] for branches in taken) > 1 for name in taken[0])


def test_the_defaults_are_those_of_the_paper():
    expected, _ = plain_loop(rosenbrock, np.array([-1.2, 1.0]), 60, 0.1, 1e-6, 50.0, 1.2, 0.5)
    found = path_of(rosenbrock, np.array([-1.2, 1.0]), 60)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-13)


def test_a_move_is_taken_back_only_in_rows_whose_J_rose():
    part = Rprop(initial_step=0.1)
    g = np.array([[1.0, 1.0], [1.0, 1.0]])
    theta = np.zeros((2, 2))
    part.start(point(theta, g))
    before = point(theta, g, [1.0, 1.0])
    here = point(theta - 0.1, g * [1.0, -1.0], [1.5, 0.5])
    move = part.update(np.array([True, True]), before, here).numpy()
    np.testing.assert_allclose(move, [[-0.12, 0.1], [-0.12, 0.0]], rtol=1e-14)
    # The changed sign counts as 0: the next step has its length, whatever its sign.
    again = part.update(np.array([True, True]), here, here).numpy()
    np.testing.assert_allclose(again, [[-0.144, 0.05], [-0.144, 0.05]], rtol=1e-14)


def test_rows_that_did_not_move_keep_steps_and_signs():
    g = np.array([[1.0], [1.0]])
    part = Rprop(initial_step=0.1)
    part.start(point(g, g))
    moved(part, [True, False], 0 * g, 2 * g, -g)
    answer = moved(part, [True, True], 0 * g, 0 * g, g)
    np.testing.assert_allclose(answer, [[-0.05], [-0.12]], rtol=1e-14)


def test_restart_begins_one_row_again():
    g = np.array([[1.0, -1.0], [1.0, -1.0]])
    part = Rprop(initial_step=0.1)
    part.start(point(g, g))
    moved(part, [True, True], 0 * g, 0 * g, g)
    answer = part.restart(np.array([True, False]), point(g, -g)).numpy()
    np.testing.assert_allclose(answer, g * [[0.1], [-0.12]], rtol=1e-14)


def test_the_size_of_the_gradient_does_not_matter():
    start = np.array([-1.2, 1.0])

    def tiny(theta):  # the product of two such gradients is zero
        value, gradient = rosenbrock(theta)
        return 1e-200 * value, 1e-200 * gradient

    np.testing.assert_array_equal(path_of(tiny, start, 60), path_of(rosenbrock, start, 60))


def test_equal_gradients_give_equal_steps_and_zero_gradients_none():
    rng = np.random.default_rng(0)
    unit = np.array([0, 0, 0, 1, 1, 2])
    part = Rprop()
    g = rng.normal(size=(2, 3))[:, unit] * [1, 1, 1, 1, 1, 0]
    d = part.start(point(g, g)).numpy()
    for _ in range(20):
        np.testing.assert_array_equal(d, d[:, [1, 2, 0, 4, 3, 5]])
        np.testing.assert_array_equal(d[:, 5], 0.0)
        g = rng.normal(size=(2, 3))[:, unit] * [1, 1, 1, 1, 1, 0]
        d = moved(part, [True, True], np.zeros((2, 6)), np.zeros((2, 6)), g)


def test_stacked_rows_take_the_steps_that_each_takes_alone():
    theta = np.array([[2.0, -3.0], [1.0, 1.0], [-4.0, 0.5]])
    together = sb.minimize(cliff, theta, method="rprop", gradient_rtol=1e-4)
    assert len(set(together.n_iterations)) > 1
    for row in range(3):
        alone = sb.minimize(cliff, theta[row], method="rprop", gradient_rtol=1e-4)
        assert alone.n_evaluations[0] == together.n_evaluations[row]
        np.testing.assert_array_equal(alone.theta, together.theta[row])


@pytest.mark.parametrize("name", PROBLEMS)
def test_reaches_the_minimum(name):
    function, start, minimum, at = PROBLEMS[name]
    outcome = sb.minimize(
        function, start, method="rprop", min_step=1e-12, gradient_rtol=1e-6, max_iter=10_000
    )
    assert outcome.converged[0]
    np.testing.assert_allclose(outcome.theta, at, atol=1e-5)
    assert outcome.value[0] == pytest.approx(minimum, abs=1e-10)


def test_a_step_over_the_edge_is_named():
    outcome = sb.minimize(
        PROBLEMS["walled"][0], np.array([-1.0, 1.0]), method="rprop", initial_step=30.0
    )
    assert outcome.status == (Status.DIVERGED,)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"initial_step": 0.0}, "initial_step of rprop must be a positive number. Got 0.0"),
        ({"min_step": -1}, "min_step of rprop must be a positive number. Got -1"),
        ({"max_step": float("inf")}, "max_step of rprop must be a positive number. Got inf"),
        ({"max_step": 0.01}, "initial_step of rprop must be between min_step and max_step"),
        ({"increase": 0.9}, "increase of rprop must be a number of at least 1. Got 0.9"),
        ({"decrease": 1.0}, "decrease of rprop must be at least 0 and below 1. Got 1.0"),
        ({"decrease": "half"}, "decrease of rprop must be a positive number. Got 'half'"),
        ({"increase": True}, "increase of rprop must be a number of at least 1. Got True"),
    ],
)
def test_bad_options_get_one_sentence(options, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        sb.minimize(quadratic, np.ones(3), method="rprop", **options)
