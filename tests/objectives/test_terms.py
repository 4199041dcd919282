"""The data and the penalty, each an objective of its own."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.objectives import Objective
from symbreak.objectives.penalty import Penalty

NET = sb.Network((4, 3, 2), activation="tanh", loss="cross_entropy")
RANDOM = np.random.default_rng(0)
X, Y = RANDOM.normal(size=(9, 4)), RANDOM.integers(0, 2, 9)
THETA = sb.initialize(NET, sb.rules.Uniform(epsilon=0.5), starts=3, seed=0)


@pytest.mark.parametrize("alpha", [0.7, [0.1, 0.0, 2.0], [[0.1, 0.3], [0.0, 0.0], [1.0, 2.0]]])
def test_the_terms_sum_to_the_whole(alpha):
    cost = sb.NetworkCost(NET, X, Y, alpha=alpha, sample_weight=np.arange(1.0, 10.0))
    terms = cost.terms()
    assert list(terms) == ["data", "penalty"]
    J, gradient = cost(THETA)
    parts = [term(THETA) for term in terms.values()]
    np.testing.assert_allclose(sum(part[0] for part in parts), J, rtol=1e-14)
    np.testing.assert_allclose(sum(part[1] for part in parts), gradient, rtol=1e-12, atol=1e-16)
    np.testing.assert_array_equal([t.value(THETA) for t in terms.values()], [p[0] for p in parts])


def test_the_penalty_is_the_formula_of_the_lecture():
    penalty = sb.NetworkCost(NET, X, Y, alpha=0.7).terms()["penalty"]
    assert isinstance(penalty, Objective)
    weights = np.concatenate([Theta[:, 1:].ravel() for Theta in NET.thetas(THETA[0])])
    J, gradient = penalty(THETA[0])
    np.testing.assert_allclose(J, 0.7 / (2 * 9) * (weights**2).sum(), rtol=1e-14)
    expected = np.concatenate(
        [np.insert(0.7 / 9 * T[:, 1:], 0, 0.0, axis=1).ravel() for T in NET.thetas(THETA[0])]
    )
    np.testing.assert_allclose(gradient, expected, rtol=1e-14)


def test_starts_and_dtype_of_the_penalty():
    penalty = sb.NetworkCost(NET, X, Y, alpha=[0.1, 0.2, 0.3]).terms()["penalty"]
    J, gradient = penalty(THETA)
    some, out = penalty.take([2, 0]), np.empty((2, NET.n_parameters))
    J_some, returned = some(THETA[[2, 0]], out=out)
    assert returned is out
    assert np.array_equal(J_some, J[[2, 0]])
    assert np.array_equal(out, gradient[[2, 0]])
    assert isinstance(penalty, Penalty)
    assert penalty.batch([0, 1]) is penalty
    coarse = penalty.to("float32")
    assert coarse.dtype == np.float32
    np.testing.assert_allclose(coarse(THETA)[0], J, rtol=1e-6)


def test_without_a_penalty_the_data_are_all():
    cost = sb.NetworkCost(NET, X, Y)
    assert cost.terms() == {"data": cost}
