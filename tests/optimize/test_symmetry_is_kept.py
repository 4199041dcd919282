"""An update of a symmetric theta is symmetric: equal units stay one unit, in exact arithmetic.

Rounding is taken out by putting the state of the unmodified optimiser back on the symmetric set
after every update; what one update adds must then be rounding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from symbreak.activations import ACTIVATIONS
from symbreak.initialization import initialize
from symbreak.losses import LOSSES
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import Status, minimize
from symbreak.optimize.loop import Loop
from symbreak.optimize.methods import method_of
from symbreak.optimize.stopping import GradientTest, Limits
from symbreak.symmetry.projection import one_unit_per_layer, project, spread
from symbreak.units import distinct_units

METHODS = {"gradient-descent": {"learning_rate": 0.01, "momentum": 0.9}, "l-bfgs": {}}
LAYERS = (6, 9, 5, 3)
CONSTANTS = (0.05, -0.3, 0.5, 0.1, -0.05, 0.3, -0.5, -0.1)
ALPHA = 5.0  # L-BFGS divides the gradient's rounding by the curvature; a penalty keeps that from 0
UPDATES = 100
SIZE = 1e-12
MOST_SEARCHES = UPDATES  # every search makes at least one
ENDED_BY_ITSELF = (Status.CONVERGED, Status.PRECISION_LIMIT)
FAST = ("tanh", "sigmoid", "relu")


def make_cost(activation, loss, layers=LAYERS, m=53, seed=0):
    random = np.random.default_rng(seed)
    network = Network(layers, activation, loss)
    y: Any = random.normal(size=(m, layers[-1]))
    if loss == "cross_entropy":
        y = random.integers(0, layers[-1], size=m)
    elif loss == "binary_cross_entropy":
        y = (y > 0.5).astype(float)
    elif loss == "poisson":
        y = random.poisson(1.5, size=y.shape)
    return NetworkCost(network, random.normal(size=(m, layers[0])), y, alpha=ALPHA)


def starts(network, constant=CONSTANTS[0]):
    """Zeros and constants, (2, n)."""
    return np.repeat([[0.0], [constant]], network.n_parameters, axis=1)


def put_back(loop, network, labels):
    """Project points, gradients and what the method remembers; return how far the points were."""
    n = network.n_parameters
    places = [
        (holder, name, held)
        for holder in (loop.running.here, loop.running.stepper.direction)
        for name, held in vars(holder).items()
        if isinstance(held, np.ndarray) and held.shape[-1:] == (n,)
    ]
    raw = np.concatenate([held.reshape(-1, n) for _, _, held in places])
    projected = project(network, raw, labels)
    ends = np.cumsum([held.size // n for _, _, held in places])[:-1]
    for (holder, name, held), rows in zip(places, np.split(projected, ends), strict=True):
        if name == "theta":
            size = np.maximum(abs(held).max(1), 1e-300)  # zeros that have not moved yet
            distance = (abs(held - rows).max(1) / size).max()
        setattr(holder, name, rows.reshape(held.shape))
    return distance


def spreads_of_updates(cost, theta, name, updates=UPDATES):
    """Make updates one by one; return the spread after each, and the loop."""
    network, labels = cost.network, one_unit_per_layer(cost.network)
    test = GradientTest(0.0, 0.0, float(np.finfo(np.float64).eps))
    loop = Loop(cost, theta, method_of(name, METHODS[name]), test, Limits(updates))
    found, made = [], loop.n_iterations.copy()
    while loop.tick():
        if (loop.n_iterations > made).any():
            made = loop.n_iterations.copy()
            found.append(put_back(loop, network, labels))
    found.append(spread(network, loop.outcome().theta, labels).max().item())
    return found, loop


def check_updates(activation, loss, name):
    """Check `UPDATES` updates from zeros and as many from constants.

    A search that ends by itself is followed by one on other data, from another constant.
    """
    checked = np.zeros(2, dtype=int)
    for seed in range(MOST_SEARCHES):
        cost = make_cost(activation, loss, seed=seed)
        to_go = checked < UPDATES
        theta = starts(cost.network, CONSTANTS[seed % len(CONSTANTS)])[to_go]
        found, loop = spreads_of_updates(cost, theta, name)
        assert all(distance <= SIZE for distance in found)
        for status, made in zip(loop.status, loop.n_iterations, strict=True):
            assert made == UPDATES or (made >= 1 and status in ENDED_BY_ITSELF)
        checked[to_go] += loop.n_iterations
        if (checked >= UPDATES).all():
            break
    assert (checked >= UPDATES).all(), checked


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", FAST)
def test_every_update_of_a_symmetric_theta_is_symmetric(activation, loss, name):
    check_updates(activation, loss, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - set(FAST)))
def test_every_update_of_a_symmetric_theta_is_symmetric_for_all_activations(activation, loss, name):
    check_updates(activation, loss, name)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("seed", range(3))
def test_an_update_of_a_start_that_is_not_symmetric_is_seen(name, seed):
    cost = make_cost("tanh", "cross_entropy")
    theta = initialize(cost.network, "glorot_uniform", starts=1, seed=seed)
    found, _ = spreads_of_updates(cost, theta, name, updates=1)
    assert found[0] > 0.1


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", FAST)
def test_the_first_update_leaves_theta1_of_zeros_exactly_zero(activation, loss, name):
    cost = make_cost(activation, loss)
    zeros = starts(cost.network)[:1]
    moved = minimize(LoudCost(cost), zeros, method=name, max_iter=1, **METHODS[name]).theta
    thetas = cost.network.thetas(moved)
    assert bool((thetas[0] == 0).all())
    assert bool((thetas[-1] != 0).any())


@pytest.mark.parametrize("name", METHODS)
def test_theta1_of_zeros_moves_later(name):
    cost = make_cost("sigmoid", "cross_entropy", layers=(6, 9, 3))
    moved = minimize(LoudCost(cost), starts(cost.network)[:1], method=name, max_iter=3).theta
    assert bool((cost.network.thetas(moved)[0] != 0).any())


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("activation", FAST)
def test_zeros_with_balanced_classes_are_stationary_and_not_converged(activation, name):
    classes = 4
    network = Network((5, 8, classes), activation, "cross_entropy")
    X = np.random.default_rng(3).normal(size=(60, 5))
    cost = NetworkCost(network, X, np.arange(60) % classes)
    zeros = np.zeros((1, network.n_parameters))
    assert abs(cost(zeros)[1]).max() < 1e-15
    outcome = minimize(LoudCost(cost), zeros, method=name, max_iter=50)
    assert outcome.status == (Status.STATIONARY_START,)
    assert not outcome.converged[0]
    assert np.array_equal(outcome.theta, zeros)


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("rule", ["uniform", "glorot_uniform", "he_normal"])
@pytest.mark.parametrize("activation", FAST)
def test_random_starts_have_distinct_units_before_and_after(activation, rule, name):
    cost = make_cost(activation, "cross_entropy")
    theta = initialize(cost.network, rule, starts=4, seed=1)
    outcome = minimize(cost, theta, method=name, max_iter=UPDATES, **METHODS[name])
    for stack in (theta, outcome.theta):
        for units, found in zip(LAYERS[1:-1], distinct_units(cost.network, stack), strict=True):
            assert found.tolist() == [units] * 4


class LoudCost:
    """The cost without its warning, which these tests provoke on purpose."""

    def __init__(self, cost):
        self.cost, self.blocks = cost, cost.blocks
        self.value, self.batch = cost.value, cost.batch

    def __call__(self, theta, *, out=None):
        return self.cost(theta, out=out)

    def take(self, rows):
        return LoudCost(self.cost.take(rows))
