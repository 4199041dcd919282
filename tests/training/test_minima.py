"""Copies of a minimum with other order and signs of units are one; others are not."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput
from symbreak.optimize import Outcome, Status
from symbreak.training.minima import DistinctMinima, distinct_minima, matched

RNG = np.random.default_rng(4)
X = RNG.normal(size=(20, 3))


def outcome_of(theta, J=None, status=None):
    n = len(theta)
    return Outcome(
        theta=theta,
        value=np.ones(n) if J is None else np.asarray(J, dtype=float),
        gradient_norm=np.full(n, 1e-12),
        status=tuple([Status.CONVERGED] * n if status is None else status),
        n_iterations=np.zeros(n, dtype=np.int64),
        n_evaluations=np.ones(n, dtype=np.int64),
        best_iteration=np.zeros(n, dtype=np.int64),
        history=np.ones((1, n)),
        seconds=0.0,
    )


def copy_of(net, theta, rng, *, flip):
    """Return theta with the units of every hidden layer reordered, and some mirrored."""
    found = theta.copy()
    thetas = net.thetas(found)
    for layer, units in enumerate(net.layers[1:-1]):
        order = rng.permutation(units)
        sign = rng.choice([-1.0, 1.0], units) if flip else np.ones(units)
        thetas[layer][:] = sign[:, None] * thetas[layer][order]
        thetas[layer + 1][:, 1:] = sign * thetas[layer + 1][:, 1:][:, order]
    return found


@pytest.mark.parametrize("layers", [(3, 5, 2), (3, 6, 4, 1), (3, 4, 4, 4, 2)])
@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_reordered_and_mirrored_copies_are_one_minimum(layers, activation):
    net = sb.Network(layers, activation, "squared_error")
    first, second = RNG.normal(size=(2, net.n_parameters))
    rows = []
    for theta in (first, second, first, second, first):
        copy = copy_of(net, theta, RNG, flip=activation == "tanh")
        # A copy computes the same: what is tested is a symmetry.
        np.testing.assert_allclose(net.predict(copy, X), net.predict(theta, X), rtol=1e-10)
        rows.append(copy + 1e-7 * RNG.normal(size=len(copy)))
    found = distinct_minima(net, outcome_of(np.array(rows)), X)
    assert found.by_value == ((0, 1, 2, 3, 4),)
    assert found.by_theta == found.by_prediction == ((0, 2, 4), (1, 3))
    assert str(found) == (
        "Distinct minima of the 5 starts that converged: 1 by J, 2 by predictions, "
        "2 by theta up to order and signs of hidden units."
    )


def test_signs_may_be_flipped_only_where_the_activation_is_odd():
    theta = np.array([[1.0, 2, 3, 4, 5]] * 2)
    theta[1, [0, 1, 4]] *= -1  # incoming weights and bias, and the outgoing weight
    theta = theta[:, [0, 1, 3, 4]]
    odd = sb.Network((1, 1, 1), "tanh")
    other = sb.Network((1, 1, 1), "sigmoid")
    points = np.array([[0.5], [-1.0]])
    assert distinct_minima(odd, outcome_of(theta), points).by_theta == ((0, 1),)
    assert distinct_minima(odd, outcome_of(theta), points).by_prediction == ((0, 1),)
    assert distinct_minima(other, outcome_of(theta), points).by_theta == ((0,), (1,))
    assert distinct_minima(other, outcome_of(theta), points).by_prediction == ((0,), (1,))


def test_matching_undoes_any_order_and_sign_and_keeps_the_network():
    net = sb.Network((3, 7, 5, 2), ("tanh", "sigmoid"), "squared_error")
    theta = RNG.normal(size=net.n_parameters)
    shuffled = theta.copy()
    thetas = net.thetas(shuffled)
    order, sign = RNG.permutation(7), RNG.choice([-1.0, 1.0], 7)
    thetas[0][:] = sign[:, None] * thetas[0][order]
    thetas[1][:, 1:] = sign * thetas[1][:, 1:][:, order]
    order = RNG.permutation(5)
    thetas[1][:] = thetas[1][order]
    thetas[2][:, 1:] = thetas[2][:, 1:][:, order]
    np.testing.assert_allclose(matched(net, shuffled, theta), theta, rtol=1e-14)
    stranger = RNG.normal(size=net.n_parameters)
    np.testing.assert_allclose(
        net.predict(matched(net, stranger, theta), X), net.predict(stranger, X), rtol=1e-10
    )


def test_units_with_equal_inputs_are_told_apart_by_what_they_feed():
    net = sb.Network((1, 2, 1), "tanh")
    theta = np.array([[0.3, 1.0, 0.3, 1.0, 0.0, 5.0, -2.0], [0.3, 1.0, 0.3, 1.0, 0.0, -2.0, 5.0]])
    assert distinct_minima(net, outcome_of(theta)).by_theta == ((0, 1),)


def test_flat_directions_are_one_by_predictions_but_not_by_theta():
    net = sb.Network((1, 1, 1), "relu", "squared_error")
    theta = np.array([[1.0, 2.0, 0.0, 3.0], [2.0, 4.0, 0.0, 1.5]])  # a factor of 2 moved across
    found = distinct_minima(net, outcome_of(theta), [[0.0], [1.0], [-3.0]])
    assert found.by_prediction == ((0, 1),)
    assert found.by_theta == ((0,), (1,))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_theta_is_compared_relative_to_its_size(scale):
    net = sb.Network((3, 4, 1), "tanh")
    first, second = scale * RNG.normal(size=(2, net.n_parameters))
    near = copy_of(net, first, RNG, flip=True) + 1e-5 * scale
    found = distinct_minima(net, outcome_of(np.array([first, second, near])))
    assert found.by_theta == ((0, 2), (1,))


def test_what_has_another_j_or_has_not_converged_is_kept_apart():
    net = sb.Network((3, 2, 1), "tanh")
    theta = np.tile(RNG.normal(size=net.n_parameters), (4, 1))
    status = [Status.CONVERGED] * 3 + [Status.MAX_ITERATIONS]
    found = distinct_minima(net, outcome_of(theta, [2.0, 1.0, 1.0, 1.0], status), X)
    assert found.by_value == found.by_theta == found.by_prediction == ((1, 2), (0,))
    assert distinct_minima(net, outcome_of(theta)).by_prediction is None


def test_where_no_start_converged_there_are_none():
    net = sb.Network((3, 2, 1), "tanh")
    outcome = outcome_of(np.zeros((2, net.n_parameters)), [1.0, 1.0], [Status.MAX_ITERATIONS] * 2)
    assert distinct_minima(net, outcome, X) == DistinctMinima((), (), ())


def test_a_trained_network_and_its_copies():
    net = sb.Network((3, 3, 1), "tanh", "squared_error")
    y = np.tanh(X[:, 0] - X[:, 1])
    cost = sb.NetworkCost(net, X, y, alpha=1.0)
    start = sb.initialize(net, starts=1, seed=2)[0]
    starts = np.array([start, copy_of(net, start, RNG, flip=True)])
    outcome = sb.minimize(cost, starts, gradient_rtol=1e-9, max_iter=2000)
    assert outcome.converged.all()
    assert not np.allclose(outcome.theta[0], outcome.theta[1], rtol=0.1)
    found = distinct_minima(net, outcome, X)
    assert found.by_theta == found.by_prediction
    assert len(found.by_theta) == 1


@pytest.mark.parametrize("name", ["prediction_rtol", "theta_rtol"])
def test_bad_input_is_refused(name):
    net = sb.Network((3, 2, 1))
    outcome = outcome_of(np.zeros((2, net.n_parameters)))
    with pytest.raises(InvalidInput, match=f"{name} must be zero or a positive number. Got -1"):
        distinct_minima(net, outcome, **{name: -1})
    with pytest.raises(InvalidInput, match="theta must be of shape"):
        distinct_minima(net, dataclasses.replace(outcome, theta=np.zeros((2, 4))))
