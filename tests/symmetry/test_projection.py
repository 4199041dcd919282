"""The projection onto the symmetric set, and J restricted to it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.arrays import as_numpy
from symbreak.errors import InvalidInput
from symbreak.network import Network
from symbreak.objectives import NetworkCost, Objective
from symbreak.optimize import minimize
from symbreak.symmetry.projection import SymmetricCost, one_unit_per_layer, project, spread
from symbreak.units import distinct_units, identical_units
from tests.kinds import NUMPY_AND_TORCH

NET = Network((3, 4, 3, 2), "tanh", "cross_entropy")
LABELS = ([0, 1, 0, 1], [5, 5, 2])


@st.composite
def networks_with_labels(draw):
    layers = draw(st.lists(st.integers(1, 5), min_size=2, max_size=5))
    labels = [
        draw(st.lists(st.integers(-3, 3), min_size=units, max_size=units)) for units in layers[1:-1]
    ]
    return Network(layers, loss="squared_error"), labels


def random_theta(network, seed, starts=3):
    return np.random.default_rng(seed).normal(size=(starts, network.n_parameters))


def problem(seed=0, m=23):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(m, 3)), random.integers(0, 2, size=m)
    return NetworkCost(NET, X, y, alpha=0.3, sample_weight=random.uniform(0.5, 2.0, size=m))


def projected_by_definition(network, theta, labels):
    """The mean over equal labels, entry by entry."""
    inputs, outputs = [range(network.n_features)], [range(network.n_outputs)]
    units = [list(layer) for layer in (*inputs, *labels, *outputs)]
    result = []
    for Theta, below, above in zip(network.thetas(theta), units, units[1:], strict=False):
        columns = ["one", *below]
        mean = np.empty_like(Theta)
        for i, j in np.ndindex(Theta.shape):
            same = [
                Theta[p, q]
                for p, q in np.ndindex(Theta.shape)
                if above[p] == above[i] and columns[q] == columns[j]
            ]
            mean[i, j] = np.mean(same)
        result.append(mean)
    return network.unroll(result)


@given(networks_with_labels(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_is_the_mean_over_equal_labels(case, seed):
    network, labels = case
    theta = random_theta(network, seed)[0]
    expected = projected_by_definition(network, theta, labels)
    np.testing.assert_allclose(project(network, theta, labels), expected, rtol=1e-12, atol=1e-15)


@given(networks_with_labels(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_is_an_orthogonal_projection(case, seed):
    network, labels = case
    u, v = random_theta(network, seed), random_theta(network, seed + 1000)
    Pu, Pv = project(network, u, labels), project(network, v, labels)
    np.testing.assert_array_equal(project(network, Pu, labels), Pu)
    size = np.linalg.norm(u, axis=1) * np.linalg.norm(v, axis=1)
    assert (np.abs((Pu * v).sum(1) - (u * Pv).sum(1)) <= 1e-13 * size).all()


@given(networks_with_labels(), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_makes_equal_labels_identical_units_and_keeps_the_others_apart(case, seed):
    network, labels = case
    found = identical_units(network, project(network, random_theta(network, seed), labels))
    for layer, wanted in zip(found, labels, strict=True):
        first_seen = list(dict.fromkeys(wanted))
        assert layer.tolist() == [[first_seen.index(label) for label in wanted]] * len(layer)


@pytest.mark.parametrize("layers", [(3, 23, 2), (3, 11, 23, 2)])
def test_equal_entries_come_back_bit_by_bit(layers):
    network = Network(layers)
    once = project(network, random_theta(network, 0, starts=50), one_unit_per_layer(network))
    again = project(network, once, one_unit_per_layer(network))
    np.testing.assert_array_equal(again, once)


def test_without_a_hidden_layer_nothing_changes():
    network = Network((3, 2), loss="cross_entropy")
    theta = random_theta(network, 0)
    np.testing.assert_array_equal(project(network, theta, ()), theta)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_answers_in_the_kind_and_dtype_of_theta(dtype):
    theta = random_theta(NET, 0).astype(dtype)
    before = theta.copy()
    projected = project(NET, theta, LABELS)
    assert isinstance(projected, np.ndarray)
    assert projected.dtype == dtype
    np.testing.assert_array_equal(theta, before)


def test_answers_a_tensor_with_the_same_numbers_as_a_tensor(torch):
    theta = random_theta(NET, 0)
    projected = project(NET, torch.from_numpy(theta), LABELS)
    assert isinstance(projected, torch.Tensor)
    assert projected.dtype == torch.float64
    np.testing.assert_array_equal(projected.numpy(), project(NET, theta, LABELS))


def test_takes_the_labels_that_identical_units_gives():
    theta = project(NET, random_theta(NET, 0)[0], LABELS)
    again = project(NET, theta, identical_units(NET, theta))
    np.testing.assert_array_equal(again, theta)


@pytest.mark.parametrize(
    "labels",
    [
        ([0, 1, 0, 1],),
        ([0, 1, 0], [0, 0, 0]),
        ([0.0, 1.0, 0.0, 1.0], [0, 0, 0]),
        (np.zeros((2, 4), dtype=int), np.zeros((2, 3), dtype=int)),
    ],
)
def test_refuses_labels_that_do_not_fit(labels):
    with pytest.raises(InvalidInput, match="labels must be one array of integers"):
        project(NET, random_theta(NET, 0), labels)


def test_spread_is_the_largest_distance_over_the_largest_weight():
    network = Network((1, 2, 1))
    theta = np.array([1.0, 2, 3, 2, 5, 6, 6])
    assert spread(network, theta, [[0, 0]]) == pytest.approx(1 / 6, rel=1e-14)
    assert spread(network, theta * 1e-200, [[0, 0]]) == pytest.approx(1 / 6, rel=1e-14)
    assert spread(network, 0 * theta, [[0, 0]]) == 0
    assert spread(network, np.stack([theta, theta]), [[0, 1]]).tolist() == [0, 0]


def test_is_an_objective():
    assert isinstance(SymmetricCost(problem(), LABELS), Objective)


def test_value_and_gradient_are_those_of_the_cost_after_the_projection():
    cost, theta = problem(), random_theta(NET, 3)
    objective = SymmetricCost(cost, LABELS)
    J, gradient = objective(theta)
    value, raw_gradient = cost(project(NET, theta, LABELS))
    np.testing.assert_array_equal(J, value)
    np.testing.assert_array_equal(J, objective.value(theta))
    np.testing.assert_array_equal(gradient, project(NET, raw_gradient, LABELS))


def test_gradient_is_the_slope_of_the_value():
    objective, theta = SymmetricCost(problem(), LABELS), random_theta(NET, 4, starts=1)
    gradient = objective(theta)[1][0]
    step = 1e-5
    moved = np.eye(NET.n_parameters) * step
    slope = (objective.value(theta + moved) - objective.value(theta - moved)) / (2 * step)
    assert np.linalg.norm(gradient - slope) <= 1e-8 * np.linalg.norm(slope)


def test_on_the_symmetric_set_it_is_the_cost_itself():
    cost = problem()
    theta = project(NET, random_theta(NET, 5), LABELS)
    J, gradient = SymmetricCost(cost, LABELS)(theta)
    value, raw_gradient = cost(theta)
    np.testing.assert_array_equal(J, value)
    assert np.linalg.norm(gradient - raw_gradient) <= 1e-14 * np.linalg.norm(raw_gradient)


@pytest.mark.parametrize("kind", NUMPY_AND_TORCH)
def test_writes_into_out_and_keeps_numpy(kind):
    objective, theta = SymmetricCost(problem(), LABELS), random_theta(NET, 6)
    out = kind(np.empty_like(theta))
    J, gradient = objective(kind(theta), out=out)
    assert gradient is out
    assert type(J) is type(out)
    expected_J, expected = objective(theta)
    assert isinstance(expected, np.ndarray)
    assert isinstance(expected_J, np.ndarray)
    np.testing.assert_array_equal(as_numpy(out), expected)
    np.testing.assert_array_equal(as_numpy(J), expected_J)


def test_take_and_batch_reach_the_cost():
    random = np.random.default_rng(1)
    X, y = random.normal(size=(20, 3)), random.integers(0, 2, size=20)
    cost = NetworkCost(NET, X, y, alpha=np.array([0.0, 1.0, 10.0]))
    objective, theta = SymmetricCost(cost, LABELS), random_theta(NET, 7)
    J, _ = objective(theta)
    taken = objective.take(np.array([2, 0]))
    np.testing.assert_allclose(taken(theta[[2, 0]])[0], J[[2, 0]], rtol=1e-14)
    # The penalty of a batch stays alpha / (2 m) with the m of all examples.
    alpha = np.array([0.0, 1.0, 10.0]) * 7 / 20
    few = SymmetricCost(NetworkCost(NET, X[:7], y[:7], alpha=alpha), LABELS)
    batch = objective.batch(np.arange(7))
    np.testing.assert_allclose(batch(theta)[1], few(theta)[1], rtol=1e-13)


def crossed_problem(layers, activation="sigmoid", alpha=0.0):
    """Classes that one unit cannot tell apart, and the starts zeros and 0.3."""
    X = np.random.default_rng(2).normal(size=(97, layers[0]))
    network = Network(layers, activation, "cross_entropy")
    constant = np.full((1, network.n_parameters), 0.3)
    cost = NetworkCost(network, X, X[:, 0] * X[:, 1] > 0, alpha=alpha)
    return cost, np.concatenate([np.zeros_like(constant), constant])


@pytest.mark.parametrize("layers", [(7, 25, 2), (5, 13, 11, 2)])
def test_gradient_descent_keeps_one_unit_exactly_one(layers):
    cost, theta = crossed_problem(layers)
    objective = SymmetricCost(cost, one_unit_per_layer(cost.network))
    outcome = minimize(objective, theta, method="gradient-descent", max_iter=50)
    assert (np.abs(outcome.theta - theta).max(axis=1) > 1e-3).all()
    for found in distinct_units(cost.network, outcome.theta):
        assert found.tolist() == [1, 1]


@pytest.mark.parametrize("layers", [(7, 25, 2), (5, 13, 11, 2)])
def test_lbfgs_leaves_rounding_behind_and_finds_one_unit(layers):
    cost, theta = crossed_problem(layers)
    labels = one_unit_per_layer(cost.network)
    outcome = minimize(SymmetricCost(cost, labels), theta, max_iter=50)
    assert (spread(cost.network, outcome.theta, labels) < 1e-13).all()
    exact = project(cost.network, outcome.theta, labels)
    np.testing.assert_array_equal(cost.value(exact), outcome.value)
    for found in distinct_units(cost.network, exact):
        assert found.tolist() == [1, 1]


def test_a_small_asymmetry_grows_under_the_cost_and_not_under_the_symmetric_cost():
    cost, theta = crossed_problem((3, 6, 2), "tanh", alpha=1.0)
    network, labels = cost.network, one_unit_per_layer(cost.network)
    near = theta[1:] + 1e-6 * random_theta(network, 9, starts=1)
    grown = minimize(cost, near, max_iter=300)
    kept = minimize(SymmetricCost(cost, labels), near, max_iter=300)
    assert spread(network, grown.theta, labels) > 0.1
    assert spread(network, kept.theta, labels) < 1e-5
    assert grown.value < 0.8 * kept.value


@pytest.mark.parametrize("method", ["gradient-descent", "l-bfgs", "bfgs", "conjugate-gradient"])
def test_updates_keep_every_class_of_a_finer_partition(method):
    theta = project(NET, random_theta(NET, 8, starts=2), LABELS)
    outcome = minimize(SymmetricCost(problem(), LABELS), theta, method=method, max_iter=50)
    assert (spread(NET, outcome.theta, LABELS) < 1e-13).all()
    after = identical_units(NET, project(NET, outcome.theta, LABELS))
    for was, now in zip(identical_units(NET, theta), after, strict=True):
        np.testing.assert_array_equal(now, was)
