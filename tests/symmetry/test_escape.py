"""How soon rounding tears a group."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.errors import InvalidInput, InvalidType
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.symmetry import symmetries

NET = Network((1, 2, 1), "sigmoid", "squared_error")
ONE_UNIT = NET.unroll([np.array([[0.0, 1], [0, 1]]), np.ones((1, 3))])
TINY = 2.0**-50


def saddle(theta):
    """J = -gap² / 2 of the two biases, its gradient with an error of one rounding."""

    gap = theta[:, 0] - theta[:, 2]
    gradient = 0 * theta
    gradient[:, 0], gradient[:, 2] = TINY - gap, gap
    return -(gap**2) / 2, gradient


def descent(tensors):
    import torch

    return torch.optim.SGD(tensors, lr=0.1)


@pytest.mark.needs_torch
def test_the_time_is_that_of_exponential_growth():
    """gap(n + 1) = 1.2 gap(n) - 0.1 TINY, so |gap(n)| / 2 = TINY (1.2^n - 1) / 4, beside 1."""
    torn = symmetries(NET, ONE_UNIT).escape(saddle, optimizer=descent, max_updates=300)
    assert torn.updates.tolist() == [np.ceil(np.log1p(4e-3 / TINY) / np.log(1.2))]
    assert torn.distance[0] > torn.threshold
    assert str(torn).startswith(f"start 0: torn after {torn.updates[0]} updates")


@pytest.mark.needs_torch
def test_it_says_when_the_groups_hold():
    torn = symmetries(NET, ONE_UNIT).escape(saddle, optimizer=descent, max_updates=20)
    assert torn.updates.tolist() == [-1]
    assert torn.distance[0] == pytest.approx(TINY * (1.2**20 - 1) / 4, rel=1e-9)
    assert "holds 20 updates" in str(torn)


def test_starts_do_not_see_each_other_and_theta_is_left_alone():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(20, 1)), random.normal(size=(20, 1))
    stack = np.stack([ONE_UNIT, random.normal(size=len(ONE_UNIT)), ONE_UNIT * 0.5])
    kept = stack.copy()
    cost = NetworkCost(NET, X, y)
    torn = symmetries(NET, stack).escape(cost, max_updates=50)
    alone = symmetries(NET, stack[2]).escape(cost, max_updates=50)
    np.testing.assert_array_equal(stack, kept)
    assert torn.updates.tolist() == [-1, -1, -1]
    assert torn.distance[1] == 0.0
    assert abs(torn.distance[2] - alone.distance[0]) < 1e-14


def test_a_start_that_is_no_longer_finite_is_torn():
    def broken(theta):
        return theta[:, 0], theta * np.nan

    torn = symmetries(NET, ONE_UNIT).escape(broken, max_updates=3)
    assert torn.updates.tolist() == [1]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"max_updates": 0}, "max_updates of escape"), ({"threshold": -1.0}, "threshold of escape")],
)
def test_bad_numbers_are_named(options, words):
    with pytest.raises(InvalidInput, match=words):
        symmetries(NET, ONE_UNIT).escape(saddle, **options)


@pytest.mark.parametrize(
    ("what", "given"), [("cost", {"cost": 3}), ("optimizer", {"optimizer": 3})]
)
def test_what_is_no_function_is_named(what, given):
    with pytest.raises(InvalidType, match=f"{what} of escape must be a function"):
        symmetries(NET, ONE_UNIT).escape(**{"cost": saddle, **given})


def test_the_updates_are_those_of_sgd_with_momentum(torch):
    random = np.random.default_rng(0)
    cost = NetworkCost(NET, random.normal(size=(20, 1)), random.normal(size=(20, 1)))

    def wide(theta):
        J, gradient = cost(theta)
        gradient[:, 0] += 1e-3
        return J, gradient

    ours, theirs = (
        symmetries(NET, ONE_UNIT).escape(wide, optimizer=optimizer, max_updates=50)
        for optimizer in (None, lambda tensors: torch.optim.SGD(tensors, lr=0.1, momentum=0.9))
    )
    assert ours.updates.tolist() == theirs.updates.tolist()
    np.testing.assert_allclose(ours.distance, theirs.distance, rtol=1e-9)
