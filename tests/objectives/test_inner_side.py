"""The inner side of objectives: what a search calls is what anyone else calls."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.arrays import as_numpy, empty_like
from symbreak.objectives.stacks import evaluate
from tests.kinds import NUMPY_AND_TORCH

rng = np.random.default_rng(0)
NET = sb.Network((3, 4, 2), "tanh", "cross_entropy")
X, Y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
THETA = rng.normal(size=(3, NET.n_parameters))
WEIGHTS = rng.uniform(0.5, 2.0, (3, 200))


def module_cost():
    import torch

    layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 2))
    return sb.ModuleCost(layers.double(), torch.nn.functional.cross_entropy, (X, Y))


COSTS = {
    "network": lambda: sb.NetworkCost(NET, X, Y, alpha=[0.1, 0.2, 0.3], sample_weight=WEIGHTS),
    "penalty": lambda: sb.NetworkCost(NET, X, Y, alpha=0.3).terms()["penalty"],
    "module": module_cost,
}
EVERY = pytest.mark.parametrize(
    "make_cost",
    [
        pytest.param(make, id=name, marks=[pytest.mark.needs_torch] if name == "module" else [])
        for name, make in COSTS.items()
    ],
)
BOTH = pytest.mark.parametrize("kind", NUMPY_AND_TORCH)


@BOTH
@EVERY
def test_it_gives_what_a_call_gives(make_cost, kind):
    cost = make_cost()
    stack = cost.stack(kind(THETA))
    gradient = empty_like(stack)
    J = evaluate(cost, stack, gradient)
    expected, slope = cost(THETA)
    np.testing.assert_array_equal(as_numpy(J), expected)
    np.testing.assert_array_equal(as_numpy(gradient), slope)


class Doubled(sb.NetworkCost):
    """A cost whose call is its own."""

    def __call__(self, theta, *, out=None):
        J, gradient = super().__call__(theta, out=out)
        return 2 * J, 2 * gradient


class Wrapped:
    """An objective that changes J and asks a cost for all else, its inner side too."""

    def __init__(self, cost):
        self.cost, self.blocks = cost, cost.blocks

    def __getattr__(self, name):
        return getattr(self.cost, name)

    def __call__(self, theta, *, out=None):
        J, gradient = self.cost(theta)
        return 2 * J, 2 * gradient

    def value(self, theta):
        return 2 * self.cost.value(theta)

    def take(self, starts):
        return Wrapped(self.cost.take(starts))

    def batch(self, rows):
        return Wrapped(self.cost.batch(rows))


@pytest.mark.parametrize("make", [Doubled, lambda *data: Wrapped(sb.NetworkCost(*data))])
@pytest.mark.parametrize("method", ["l-bfgs", "scipy:BFGS"])
def test_a_call_of_its_own_is_what_searches_use(make, method):
    plain = sb.minimize(sb.NetworkCost(NET, X, Y), THETA, max_iter=0)
    outcome = sb.minimize(make(NET, X, Y), THETA, max_iter=0, method=method)
    np.testing.assert_allclose(outcome.value, 2 * plain.value, rtol=1e-14)
    np.testing.assert_allclose(outcome.gradient_norm, 2 * plain.gradient_norm, rtol=1e-14)


@BOTH
@EVERY
def test_the_cost_of_some_starts_is_of_the_same_kind(make_cost, kind):
    cost = make_cost()
    assert type(cost.take(kind([0]))) is type(cost)
    assert type(Doubled(NET, X, Y, alpha=[0.1, 0.2]).take([0])) is Doubled


@BOTH
@EVERY
def test_theta_and_out_may_lie_in_memory_as_they_like(make_cost, kind):
    cost = make_cost()
    expected, out = cost(THETA), kind(np.empty(THETA.T.shape)).T
    J, gradient = cost(kind(THETA.T).T, out=out)
    assert gradient is out
    np.testing.assert_array_equal(as_numpy(J), expected[0])
    np.testing.assert_array_equal(as_numpy(out), expected[1])
