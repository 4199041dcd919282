"""Costs of random nets, and objectives whose gradient is changed on purpose."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from symbreak.arrays import alike, as_numpy, copied
from symbreak.gradient_check import check_gradient
from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.parameters import Block

coordinates = partial(check_gradient, method="coordinates")


def target_of(loss, examples, outputs, random):
    if loss == "cross_entropy":
        return random.integers(0, outputs, examples)
    if loss == "binary_cross_entropy":
        return random.integers(0, 2, (examples, outputs))
    if loss == "poisson":
        return random.poisson(2.0, (examples, outputs)).astype(float)
    return random.normal(size=(examples, outputs))


def cost_of(
    layers, activation="tanh", loss="cross_entropy", examples=40, seed=0, alpha=1.0, **options
):
    random = np.random.default_rng(seed)
    X = random.normal(size=(examples, layers[0]))
    y = target_of(loss, examples, layers[-1], random)
    return NetworkCost(Network(layers, activation, loss), X, y, alpha=alpha, **options)


class Changed:
    """An objective with the gradient `change(theta, gradient)` and J times `scale`."""

    def __init__(self, cost, change=lambda theta, gradient: gradient, scale=1.0):
        self.cost, self.change, self.scale = cost, change, scale
        self.blocks = cost.blocks
        self.dtype = cost.dtype

    def __call__(self, theta, *, out=None):
        value, gradient = self.cost(theta)
        changed = self.change(theta, copied(gradient)) * self.scale
        if out is not None:
            out[...] = changed
        return value * self.scale, changed if out is None else out

    def value(self, theta):
        return self.cost.value(theta) * self.scale

    def take(self, starts):
        return Changed(self.cost.take(starts), self.change, self.scale)

    def batch(self, rows):
        return Changed(self.cost.batch(rows), self.change, self.scale)

    def to(self, dtype):
        return Changed(self.cost.to(dtype), self.change, self.scale)


class WithPenaltyGradient(Changed):
    """A cost with `more(theta, strength)` added to the gradient of its penalty."""

    def __init__(self, cost, more):
        strength = as_numpy(cost.terms()["penalty"].strength)
        super().__init__(cost, lambda theta, g: g + more(theta, alike(strength, theta)))
        self.more, self.network = more, cost.network

    def terms(self):
        terms = self.cost.terms()
        return {"data": terms["data"], "penalty": Changed(terms["penalty"], self.change)}

    def to(self, dtype):
        return WithPenaltyGradient(self.cost.to(dtype), self.more)


class Stacked:
    """The objective of value(theta) and gradient(theta), of theta (starts, n), in a dtype."""

    def __init__(self, n, value, gradient, dtype="float32"):
        self.blocks = (Block("theta", 0, (n,)),)
        self._value, self._gradient, self.dtype = value, gradient, dtype

    def __call__(self, theta, *, out=None):
        assert theta.dtype == self.dtype
        out = np.empty_like(theta) if out is None else out
        out[...] = self._gradient(theta)
        return self.value(theta), out

    def value(self, theta):
        return self._value(theta.astype(np.float64))

    def take(self, starts):
        return self

    def batch(self, rows):
        return self

    def to(self, dtype):
        return Stacked(self.blocks[0].size, self._value, self._gradient, dtype)


def change_entry(index, change):
    """Return a change of one entry: of its analytic derivative g into change(g)."""

    def apply(theta, gradient):
        gradient[..., index] = change(gradient[..., index])
        return gradient

    return apply


def largest(objective, theta, block):
    """Return the index in theta of the largest derivative of a block."""
    gradient = objective(theta)[1][..., block.slice]
    return block.start + int(np.abs(gradient).argmax())


@pytest.fixture
def make():
    return SimpleNamespace(
        cost=cost_of, changed=Changed, stacked=Stacked, change_entry=change_entry, largest=largest
    )


@pytest.fixture(scope="session")
def make_cost():
    return cost_of
