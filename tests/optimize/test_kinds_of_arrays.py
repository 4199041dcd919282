"""Searches on NumPy arrays and on tensors go the same way, and hand out what was given."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbreak as sb
from symbreak.arrays import as_numpy, namespace, picked
from symbreak.optimize.methods import METHODS
from symbreak.parameters import Block
from tests.kinds import NUMPY_AND_TORCH, tensor

BOTH = pytest.mark.parametrize("make", NUMPY_AND_TORCH)
NAMES = sorted({method.name for method in METHODS.values()})
STARTS = np.array([[1.0, -2.0, 0.5], [0.2, 0.1, -3.0], [4.0, 4.0, 4.0], [-0.6, 1.5, 2.5]])
SIZES = np.array([1.0, 5.0, 0.3])


class Bowls:
    """J = Σ_j size_j (sqrt(1 + x_j²) - 1), in the array API."""

    blocks = (Block("theta", 0, (3,)),)

    def __init__(self, make):
        self.sizes, self.seen = make(SIZES), set()

    def __call__(self, theta, *, out=None):
        self.seen.add(type(theta))
        root = namespace(theta).sqrt(1.0 + theta * theta)
        return namespace(theta).sum((root - 1.0) * self.sizes, axis=1), theta / root * self.sizes

    def value(self, theta):
        return self(theta)[0]

    def take(self, starts):
        return self

    def batch(self, rows):
        raise NotImplementedError

    def hessian_product(self, theta, v):
        return v * self.sizes / (1.0 + theta * theta) ** 1.5

    gauss_newton_product = hessian_product

    def gauss_newton(self, theta):
        xp = namespace(theta)
        bend = self.sizes / (1.0 + theta * theta) ** 1.5
        return *self(theta), bend[:, :, None] * xp.eye(3, dtype=theta.dtype)


def network_cost():
    rng = np.random.default_rng(0)
    net = sb.Network((4, 3, 2), "tanh", "cross_entropy")
    cost = sb.NetworkCost(net, rng.normal(size=(30, 4)), rng.integers(0, 2, 30), alpha=0.1)
    return cost, as_numpy(sb.initialize(net, starts=3, seed=1))


@pytest.mark.needs_torch
@pytest.mark.parametrize("method", [*NAMES, "scipy:BFGS", "scipy:trust-exact"])
def test_both_kinds_go_the_same_way(method):
    found = []
    for make in (np.array, tensor):
        objective, starts = Bowls(make), make(STARTS)
        outcome = sb.minimize(objective, starts, method=method, max_iter=15)
        assert objective.seen == {type(starts)}
        assert type(outcome.theta) is type(starts)
        found.append(outcome)
    one, other = found
    assert one.status == other.status
    np.testing.assert_array_equal(one.n_evaluations, other.n_evaluations)
    np.testing.assert_allclose(one.history, other.history, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(one.theta, other.theta.numpy(), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("own", ["dtype", "device"])
def test_an_objective_with_a_word_of_torch_is_handed_tensors(torch, own):
    objective = Bowls(tensor)
    setattr(objective, own, {"dtype": torch.float32, "device": torch.device("cpu")}[own])
    if own == "dtype":
        objective.sizes = objective.sizes.float()
    outcome = sb.minimize(objective, STARTS, max_iter=50, gradient_rtol=1e-3)
    assert objective.seen == {torch.Tensor}
    assert isinstance(outcome.theta, np.ndarray)
    assert outcome.converged.all()


@BOTH
def test_callbacks_and_validations_are_told_of_the_kind_that_was_given(make):
    cost, theta = network_cost()
    given, told = make(theta), list[Any]()

    def validation(theta):
        told.append(type(theta))
        return (theta**2).sum(1)

    def look(progress: Any) -> None:
        told.append(type(progress.places.theta))

    outcome = sb.minimize(
        cost, given, max_iter=5, validation=validation,
        callback=look,
    )  # fmt: skip
    again = sb.minimize(cost, outcome, max_iter=8)
    assert set(told) == {type(outcome.theta)} == {type(again.theta)} == {type(given)}


@BOTH
def test_a_cost_on_numpy_arrays_is_handed_numpy_arrays(make, monkeypatch):
    cost, theta = network_cost()
    seen, evaluate = set(), type(cost).evaluate

    def watched(self, stack, gradient):
        seen.add(type(stack))
        return evaluate(self, stack, gradient)

    monkeypatch.setattr(sb.NetworkCost, "evaluate", watched)
    sb.minimize(cost, make(theta), max_iter=5)
    assert seen == {np.ndarray}


@BOTH
@pytest.mark.parametrize("starts", [[1], [0, 2, 3]])
def test_a_stopped_search_goes_on_bit_for_bit(starts, make):
    theta = picked(make(STARTS), np.array(starts), 0)
    objective = Bowls(make)
    straight = sb.minimize(objective, theta, max_iter=9)
    short = sb.minimize(objective, theta, max_evaluations=4)
    longer = sb.minimize(objective, short, max_iter=9)
    np.testing.assert_array_equal(longer.theta, straight.theta)


def test_nothing_overflows_aloud(recwarn):
    theta = np.array([[1e200, -1e200, 1e308], [1.0, 1.0, 1.0]])
    for method in NAMES:
        sb.minimize(Quiet(np.array), theta, method=method, max_iter=4)
    assert [str(one.message) for one in recwarn] == []


class Quiet(Bowls):
    """Bowls that say nothing where they overflow."""

    def __call__(self, theta, *, out=None):
        with np.errstate(all="ignore"):
            return super().__call__(theta * theta)

    def hessian_product(self, theta, v):
        with np.errstate(all="ignore"):
            return super().hessian_product(theta, v)

    gauss_newton_product = hessian_product

    def gauss_newton(self, theta):
        with np.errstate(all="ignore"):
            return super().gauss_newton(theta)


@pytest.mark.parametrize("dtype", [np.float32, np.dtype("float32"), "float32"])
def test_an_objective_may_name_its_dtype_in_any_way_of_numpys(dtype):
    seen = []

    class Parabola:
        blocks = (Block("theta", 0, (3,)),)

        def __init__(self):
            self.dtype = dtype

        def __call__(self, theta, *, out=None):
            seen.append((type(theta), theta.dtype))
            return (theta**2).sum(1) / 2, theta

        def value(self, theta):
            return self(theta)[0]

        def take(self, starts):
            return self

        def batch(self, rows):
            return self

    found = sb.minimize(Parabola(), np.ones((2, 3)))
    assert set(seen) == {(np.ndarray, np.dtype("float32"))}
    assert found.converged.all()
