"""Starts where J or its gradient is not finite are drawn again, by the next unused numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

import symbreak as sb
from symbreak.initialization.rule import Rule
from symbreak.initialization.rules import resolve
from symbreak.optimize import Status
from symbreak.training import train
from symbreak.training.finite_starts import MOST_REDRAWS, draw_finite_starts

NET = sb.Network((2, 3, 1), "tanh", "squared_error")
X, Y = np.random.default_rng(0).normal(size=(2, 30, 2))
Y = Y[:, 0]


@dataclass(frozen=True)
class Broken(Rule):
    """glorot_uniform, but so large at some start numbers that J overflows."""

    name: ClassVar[str] = "broken"
    numbers: tuple[int, ...] = ()

    def draw(self, layer, stream):
        drawn = resolve("glorot_uniform").draw(layer, stream)
        for row, number in enumerate(stream.starts):
            if number in self.numbers:
                drawn[row] *= 1e200
        return drawn


def plain(count):
    return sb.initialize(NET, starts=count, seed=5)


def drawn(*numbers, starts=4, **options):
    cost = sb.NetworkCost(NET, X, Y, alpha=1.0, **options)
    return draw_finite_starts(cost, Broken(numbers), starts=starts, seed=5)


def test_good_starts_are_those_of_initialize():
    theta, redrawn = drawn()
    assert np.array_equal(theta, plain(4))
    assert redrawn == 0


def test_bad_starts_take_the_next_numbers_and_the_others_stay():
    theta, redrawn = drawn(1, 3)
    assert np.array_equal(theta, plain(6)[[0, 4, 2, 5]])
    assert redrawn == 2


def test_a_bad_redraw_is_drawn_again():
    theta, redrawn = drawn(1, 3, 4, 6)
    assert np.array_equal(theta, plain(8)[[0, 7, 2, 5]])
    assert redrawn == 4


def test_there_is_a_limit():
    theta, redrawn = drawn(*range(1, 100), starts=2)
    assert redrawn == MOST_REDRAWS
    assert np.abs(theta[1]).max() > 1e100
    assert np.array_equal(theta[0], plain(1)[0])


def test_starts_with_their_own_penalty_are_looked_at_with_it():
    """Only place 1 has a penalty, so large that J overflows where the weights are not small."""
    alpha = 5e307
    theta = sb.initialize(NET, "glorot_uniform", starts=20, seed=2)
    fits = np.isfinite(sb.NetworkCost(NET, X[:1], Y[:1], alpha=alpha).value(theta))
    first = 3 + int(fits[3:].argmax())
    assert not fits[1]
    assert not fits[2:4].any()
    cost = sb.NetworkCost(NET, X[:1], Y[:1], alpha=np.array([0.0, alpha, 0.0]))
    found, redrawn = draw_finite_starts(cost, "glorot_uniform", starts=3, seed=2)
    assert redrawn == first - 2
    assert np.array_equal(found, theta[[0, first, 2]])


def test_training_draws_again_and_says_how_often():
    found = train(NET, X, Y, starts=4, seed=5, rule=Broken((0, 2)), alpha=1.0, max_iter=30)
    assert found.redrawn == 2
    assert found.usable.all()
    straight = sb.minimize(found.cost, plain(6)[[4, 1, 5, 3]], max_iter=30)
    assert np.array_equal(found.outcome.theta, straight.theta)
    assert train(NET, X, Y, starts=2, seed=5, max_iter=1).redrawn == 0


def test_what_cannot_be_drawn_better_is_reported_by_the_optimiser():
    found = train(NET, X, Y, starts=2, seed=5, rule=Broken(tuple(range(1, 50))), alpha=1.0)
    assert found.outcome.status[1] is Status.NON_FINITE_START
    assert found.usable.tolist() == [True, False]


@pytest.mark.parametrize("seed", [None, 7])
def test_a_fresh_seed_is_one_seed(seed):
    cost = sb.NetworkCost(NET, X, Y, alpha=1.0)
    theta, redrawn = draw_finite_starts(cost, Broken((0,)), starts=2, seed=seed)
    assert redrawn == 1
    assert np.abs(theta).max() < 10
    assert not np.array_equal(theta[0], theta[1])
