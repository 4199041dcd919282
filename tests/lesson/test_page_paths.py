"""Runs of the lesson page, long enough for rounding to tear equal units apart."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.lesson.page import digits, planes
from symbreak.lesson.page.measures import Measures
from symbreak.lesson.page.paths import train
from symbreak.lesson.runs import METHODS, Experiment
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.units import distinct_units

UPDATES = 80


@pytest.fixture(scope="module")
def experiment():
    scene = digits().at_most(300, 0)
    network = Network((64, 4, 10), "sigmoid", "binary_cross_entropy")
    X, is_class = scene.X, scene.y[:, None] == np.arange(10)
    return Experiment(NetworkCost(network, X, is_class), X, is_class)


def symmetric_starts(experiment):
    n = experiment.network.n_parameters
    return np.stack([np.full(n, value) for value in (0.0, 0.12)])


def test_exact_runs_of_a_stack_are_those_of_the_lesson_one_by_one(experiment):
    starts = symmetric_starts(experiment)
    for theta, path in zip(
        starts, train(experiment.cost, starts, "l-bfgs", UPDATES, exact=True), strict=True
    ):
        alone, _ = experiment.run(theta, "l-bfgs", UPDATES, exact=True)
        assert path.exact
        assert path.updates[-1] == UPDATES
        assert path.ending == ""
        # Averaging removes what rounding adds; without it J comes out far lower here.
        end = experiment.point(path.points[-1], UPDATES)
        assert abs(end.J / alone.end.J - 1) < 1e-3
        counts = distinct_units(experiment.network, path.points)[0]
        assert counts.tolist() == [1] * len(path.updates)


def test_points_of_exact_runs_are_symmetric_whatever_rounding_left_in_theta(experiment):
    n = experiment.network.n_parameters
    rounding = 1e-12 * np.random.default_rng(0).normal(size=(1, n))
    (path,) = train(experiment.cost, 0.12 + rounding, "l-bfgs", 5, exact=True)
    assert distinct_units(experiment.network, path.points)[0].tolist() == [1] * len(path.updates)


def test_derivatives_of_an_exact_run_are_averaged_as_the_run_does(experiment):
    measures = Measures(experiment)
    theta = sb.initialize(experiment.network, seed=0)
    assert measures.snapshot(0, theta, exact=True)["gaps"].tolist() == [0.0] * 5
    assert min(measures.snapshot(0, theta, exact=False)["gaps"]) > 0.0


def test_a_run_that_ends_by_itself_ends_with_its_best_point():
    scene = planes(seed=0)[0]
    cost = NetworkCost(Network((2, 2)), scene.X, scene.y[:, None] == np.arange(2))
    start = np.array([[0.3, -0.4, 0.5, 1.0, 0.2, -1.0]])
    (path,) = train(cost, start, "l-bfgs", 50, exact=False)
    assert path.ending.startswith("converged")
    assert path.updates[-1] < 50
    gradients = np.abs(cost(path.points)[1]).max(axis=1)
    assert gradients[-1] <= 1e-5 * gradients[0]


def test_a_run_that_leaps_away_ends_with_its_best_point_where_that_was_seen(monkeypatch):
    """A rate so large that J rises: the last place is the lowest J, and J belongs to its update."""
    monkeypatch.setitem(METHODS, "gradient-descent", {"learning_rate": 3.5, "momentum": 0.95})
    scene = planes(seed=0)[0]
    is_class = scene.y[:, None] == np.arange(2)
    cost = NetworkCost(Network((2, 3, 2), "relu", "squared_error"), scene.X, is_class)
    start = sb.initialize(cost.network, "normal", starts=1, seed=1)
    (path,) = train(cost, start, "gradient-descent", 50, exact=False)
    assert path.ending.startswith("the steps led to a value that is not finite")
    assert 0 < path.updates[-1] < path.made < 50
    alone = sb.minimize(
        cost, start, method="gradient-descent", max_iter=50, **METHODS["gradient-descent"]
    )
    assert path.made == alone.n_iterations[0]
    assert path.updates[-1] == np.nanargmin(alone.history[:, 0])
    np.testing.assert_allclose(
        cost(path.points)[0], alone.history[list(path.updates), 0], rtol=1e-12
    )


@pytest.mark.parametrize(("ahead", "accuracy"), [(4e-15, 1.0), (4e-10, 0.0)])
def test_outputs_that_are_equal_up_to_rounding_count_for_the_first_class(ahead, accuracy):
    """Also where both are tiny: rounding is a share of them."""
    X, is_class = np.ones((3, 1)), np.array([[True, False]] * 3)
    network = Network((1, 2), "sigmoid", "binary_cross_entropy")
    theta = np.array([-40.0, 0.0, -40.0 + 10 * ahead, 0.0])
    outputs = network.predict(theta, X)
    assert (outputs[:, 1] > outputs[:, 0]).all()
    experiment = Experiment(NetworkCost(network, X, is_class), X, is_class)
    assert experiment.point(theta, 0).accuracy == accuracy
