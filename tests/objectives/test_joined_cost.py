"""Starts with examples of their own: each part computes what it computes alone."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.errors import InvalidInput, InvalidType
from symbreak.objectives import JoinedCost, NetworkCost

NETWORK = sb.Network((3, 4, 2), "tanh", "squared_error")
SIZES = [2, 3, 1]


@pytest.fixture
def costs():
    """Three sets of 9, 7 and 11 examples, with per-start penalties, weights or neither."""
    random = np.random.default_rng(0)
    data = [(random.normal(size=(m, 3)), random.normal(size=(m, 2))) for m in (9, 7, 11)]
    return [
        NetworkCost(NETWORK, *data[0], alpha=[0.1, 10.0]),
        NetworkCost(NETWORK, *data[1], alpha=1.0, sample_weight=random.uniform(size=(3, 7))),
        NetworkCost(NETWORK, *data[2]),
    ]


@pytest.fixture
def theta():
    return sb.initialize(NETWORK, "normal", starts=6, seed=1)


def split(stack):
    return np.split(stack, np.cumsum(SIZES)[:-1])


def test_value_and_gradient_are_those_of_the_parts(costs, theta):
    J, gradient = JoinedCost(costs, SIZES)(theta)
    parts = [cost(one) for cost, one in zip(costs, split(theta), strict=True)]
    assert np.array_equal(J, np.concatenate([part[0] for part in parts]))
    assert np.array_equal(gradient, np.concatenate([part[1] for part in parts]))


def test_value_alone_and_out(costs, theta):
    cost, room = JoinedCost(costs, SIZES), np.empty_like(theta)
    J, gradient = cost(theta, out=room)
    assert gradient is room
    np.testing.assert_allclose(cost.value(theta), J, rtol=1e-14, atol=0.0)
    assert np.array_equal(room, cost(theta)[1])


@pytest.mark.parametrize("starts", [[0, 2, 5], [5, 0, 3, 3, 1], [4], [0, 1, 2, 3, 4, 5]])
def test_take_gives_these_starts_in_this_order(costs, theta, starts):
    cost = JoinedCost(costs, SIZES)
    J, gradient = cost(theta)
    for _ in range(2):  # what was taken is kept
        taken = cost.take(starts)
        assert taken.starts == len(starts)
        np.testing.assert_allclose(taken(theta[starts])[0], J[starts], rtol=1e-13, atol=0.0)
        np.testing.assert_allclose(
            taken(theta[starts])[1], gradient[starts], rtol=1e-12, atol=1e-15
        )


def test_take_of_a_take_by_a_mask(costs, theta):
    cost = JoinedCost(costs, SIZES)
    twice = cost.take([1, 2, 4, 5]).take(np.array([True, False, True, True]))
    np.testing.assert_allclose(
        twice(theta[[1, 4, 5]])[0], cost(theta)[0][[1, 4, 5]], rtol=1e-13, atol=0.0
    )


@pytest.mark.parametrize("product", ["hessian_product", "gauss_newton_product"])
def test_products(costs, theta, product):
    v = np.random.default_rng(2).normal(size=theta.shape)
    found = getattr(JoinedCost(costs, SIZES), product)(theta, v)
    pairs = zip(costs, split(theta), split(v), strict=True)
    wanted = np.concatenate([getattr(cost, product)(*pair) for cost, *pair in pairs])
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("method", ["l-bfgs", "newton-cg", "levenberg-marquardt"])
def test_a_stack_finds_what_each_part_finds_alone(costs, theta, method):
    joined = sb.minimize(JoinedCost(costs, SIZES), theta, method=method, max_iter=6)
    alone = [
        sb.minimize(cost, one, method=method, max_iter=6)
        for cost, one in zip(costs, split(theta), strict=True)
    ]
    for name in ("theta", "value"):
        wanted = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(getattr(joined, name), wanted, rtol=1e-7)


def test_it_refuses_what_does_not_fit(costs, theta):
    with pytest.raises(InvalidInput, match="one count for each"):
        JoinedCost(costs, [2, 3])
    with pytest.raises(InvalidInput, match=r"where it has any. Got 1 for a cost of 2"):
        JoinedCost(costs, [1, 3, 1])
    other = NetworkCost(sb.Network((3, 4, 1)), [[0.0, 0.0, 1.0]], [1])
    with pytest.raises(InvalidInput, match="one network, dtype and device"):
        JoinedCost([costs[2], other], [1, 1])
    with pytest.raises(InvalidInput, match=r"as many starts as the joined costs, 6. Got 5"):
        JoinedCost(costs, SIZES)(theta[:5])
    with pytest.raises(InvalidType, match="rows of their own"):
        JoinedCost(costs, SIZES).batch([0])
