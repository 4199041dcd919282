"""The points kept on the way are those that the search stood at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import symbreak as sb
from symbreak.optimize.search import Places, Progress
from symbreak.training.trajectory import Trajectories, is_due

A = np.array([[3.0, 1.0], [1.0, 2.0]])


def test_the_scale_is_that_of_powers_of_the_root_of_two():
    numbers = np.arange(200)
    wanted = {0, 1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181}
    assert set(numbers[is_due(numbers)].tolist()) == wanted


@pytest.mark.parametrize("method", ["gradient-descent", "scipy:BFGS"])
def test_points_of_gradient_descent_are_those_of_the_formula(method):
    def quadratic(theta):
        x = np.atleast_2d(theta)
        return 0.5 * np.einsum("si,ij,sj->s", x, A, x), x @ A

    start = np.array([[1.0, -2.0], [4.0, 0.5], [-3.0, 1.0]])
    trajectories, seen = Trajectories(start, most_bytes=2 * 24 * 16), {}

    def look(progress):
        trajectories(progress)
        for one, n, theta in zip(*progress.places, strict=True):
            seen[int(one), int(n)] = theta.copy()

    options = {"learning_rate": 0.1, "momentum": 0.0} if method == "gradient-descent" else {}
    outcome = sb.minimize(quadratic, start, method=method, max_iter=20, callback=look, **options)
    assert trajectories.of(2, outcome) is None  # there was room for two
    trajectory = trajectories.of(1, outcome)
    assert trajectory is not None
    assert trajectory.updates.tolist()[:4] == [0, 1, 2, 3]
    assert trajectory.updates[-1] == outcome.n_iterations[1]
    np.testing.assert_array_equal(trajectory.theta[0], start[1])
    np.testing.assert_array_equal(trajectory.theta[-1], outcome.theta[1])
    for n, theta in zip(trajectory.updates[1:-1], trajectory.theta[1:-1], strict=True):
        np.testing.assert_array_equal(theta, seen[1, int(n)])
    if method == "gradient-descent":
        x = start[1]
        for _ in range(8):
            x = x - 0.1 * (A @ x)
        np.testing.assert_allclose(
            trajectory.theta[trajectory.updates.tolist().index(8)], x, rtol=1e-12
        )


def test_a_start_that_never_moved_has_one_point():
    start = np.zeros((1, 2))
    trajectories = Trajectories(start)
    outcome = sb.minimize(lambda x: ((x**2).sum(-1), 2 * x), start, callback=trajectories)
    trajectory = trajectories.of(0, outcome)
    assert trajectory is not None
    assert trajectory.updates.tolist() == [0]


def test_points_are_copied_since_the_search_goes_on_writing_there():
    start = np.zeros((1, 2))
    trajectories, here = Trajectories(start), np.ones((1, 2))
    start += 5.0
    places = Places(np.array([0]), np.array([1]), here)
    trajectories(Progress(1, 0.0, 0.0, 1, 1, 0.0, places))
    here += 7.0
    outcome = sb.minimize(lambda x: ((x**2).sum(-1), 2 * x), here, max_iter=3)
    trajectory = trajectories.of(0, replace(outcome, best_iteration=np.array([9])))
    assert trajectory is not None
    np.testing.assert_array_equal(trajectory.theta[:2], [[0.0, 0.0], [1.0, 1.0]])


def test_of_a_start_that_diverged_the_trajectory_ends_where_the_kept_point_stood():
    """From 2 by x - 3 x, so -2, 4, -8, ...: J grows, the start itself is kept."""
    start = np.array([[2.0]])
    trajectories = Trajectories(start)
    outcome = sb.minimize(
        lambda x: ((x**2).sum(-1), 2 * x), start, method="gradient-descent",
        learning_rate=1.5, momentum=0.0, max_iter=9, callback=trajectories,
    )  # fmt: skip
    trajectory = trajectories.of(0, outcome)
    assert trajectory is not None
    assert outcome.n_iterations[0] == 9
    assert trajectory.updates.tolist() == [0]
    np.testing.assert_array_equal(trajectory.theta, [[2.0]])
