"""The projection onto the certified set."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symbreak.network import Network
from symbreak.symmetry import symmetries
from symbreak.symmetry.projection import project
from tests.symmetry.planted import planted

OPTIONS = [{"update": "linear"}, {"alpha": 1.0}]


@pytest.mark.parametrize("options", OPTIONS, ids=["sums", "multisets"])
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 5000))
def test_it_is_an_orthogonal_projection_that_keeps_the_certified_theta(options, seed):
    case = planted(seed)
    found = symmetries(case.network, case.theta, **options)
    u, v = np.random.default_rng(seed).normal(size=(2, len(case.theta)))
    Pu, Pv = found.project(u), found.project(v)
    np.testing.assert_allclose(found.project(Pu), Pu, atol=1e-13 * np.abs(u).max())
    assert abs(Pu @ v - u @ Pv) <= 1e-12 * np.linalg.norm(u) * np.linalg.norm(v)
    assert found.distance(case.theta).max() <= 1e-14


@pytest.mark.parametrize("options", OPTIONS, ids=["sums", "multisets"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 5000))
def test_every_theta_of_the_set_has_these_symmetries(options, seed):
    """The set is that of the certificate, not a smaller one through theta."""
    case = planted(seed)
    found = symmetries(case.network, case.theta, **options)
    near = case.theta + 0.1 * np.random.default_rng(seed).normal(size=len(case.theta))
    again = symmetries(case.network, found.project(near), tolerance=1e-9, **options)
    for old, new, signs in zip(found.labels, again.labels, found.signs, strict=True):
        one = (old[0][:, None] == old[0]) & (signs[0] != 0)
        exact = new[0][:, None] == new[0]
        groups = [set(group.units) for group in (*again.groups, *again.near)]
        for i, j in np.argwhere(one & ~exact):
            assert any({i, j} <= group for group in groups)


def test_a_block_with_equal_sums_by_hand():
    """[[1, 2], [5, 8]]: rows 3, 13, columns 6, 10, all 16; the nearest has 8 everywhere."""
    net = Network((1, 2, 2, 1), "sigmoid", "squared_error")
    ones = np.ones((2, 2)), np.ones((1, 3))
    square = np.array([[0.0, 1, 3], [0, 3, 1]])
    found = symmetries(net, net.unroll([ones[0], square, ones[1]]))
    assert found.effective_widths.tolist() == [[1, 1]]
    moved = net.unroll([ones[0], np.array([[0.0, 1, 2], [4, 5, 8]]), ones[1]])
    nearest = net.thetas(found.project(moved))[1]
    np.testing.assert_allclose(nearest, [[2, 4.5, 3.5], [2, 3.5, 4.5]], rtol=1e-14)


def test_equal_units_are_projected_as_the_labels_say():
    """Where all weights of a group are equal, by multisets it is `project` with the labels."""
    net = Network((2, 4, 3, 2), "sigmoid", "squared_error")
    random = np.random.default_rng(0)
    labels = ([0, 1, 0, 1], [0, 1, 1])
    start = project(net, random.normal(size=net.n_parameters), labels)
    found = symmetries(net, start, alpha=1.0)
    other = random.normal(size=net.n_parameters)
    np.testing.assert_allclose(found.project(other), project(net, other, found.labels), rtol=1e-13)


def test_mirrors_are_averaged_with_their_signs():
    net = Network((1, 2, 1), "tanh", "squared_error")
    found = symmetries(net, np.array([1.0, 2, -1, -2, 5, 3, -3]))
    np.testing.assert_allclose(
        found.project(np.array([1.0, 2, -3, -4, 5, 3, -1])), [2, 3, -2, -3, 5, 2, -2]
    )


def test_under_soft_max_the_mean_over_the_outputs_is_free():
    net = Network((1, 2, 2), "sigmoid", "cross_entropy")
    start = net.unroll([np.ones((2, 2)), np.array([[0.0, 1, 4], [0, 2, 5]])])
    found = symmetries(net, start)
    assert found.effective_widths.tolist() == [[1]]
    np.testing.assert_allclose(found.project(start), start, rtol=1e-15)
    assert symmetries(net, start, alpha=1.0).effective_widths.tolist() == [[2]]


def test_weights_to_and_from_different_silent_units_are_not_tied():
    """Both middle units are nothing; what cancels in their row and their column is independent."""
    net = Network((1, 3, 3, 1), "tanh", "squared_error")

    def start(row, column):
        first = np.array([[0.3, 0.7], [0, 0], [0.3, 0.7]])
        second = np.array([[0.1, 0.5, column, 0.5], [0, row, 0.9, -row], [0.1, 0.5, -column, 0.5]])
        return net.unroll([first, second, np.array([[0.2, 0.4, 0, 0.4]])])

    found = symmetries(net, start(0.6, 0.6), alpha=1.0)
    assert found.effective_widths.tolist() == [[1, 1]]
    np.testing.assert_allclose(found.project(start(0.6, 0.8)), start(0.6, 0.8), rtol=1e-15)
