"""The check computes on arrays of the kind of theta, and its report does not depend on the kind."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import symbreak as sb
from symbreak.arrays import as_numpy, copied
from symbreak.gradient_check import check_gradient
from tests.kinds import NUMPY_AND_TORCH, tensor

KINDS = pytest.mark.parametrize("kind", NUMPY_AND_TORCH)


class Spy:
    """A cost that notes what it is handed."""

    def __init__(self, cost, seen):
        self.cost, self.seen = cost, seen
        self.blocks, self.dtype = cost.blocks, cost.dtype

    def __call__(self, theta, *, out=None):
        self.seen.append(theta)
        return self.cost(theta, out=out)

    def value(self, theta):
        self.seen.append(theta)
        return self.cost.value(theta)

    def take(self, starts):
        assert isinstance(starts, np.ndarray)
        return Spy(self.cost.take(starts), self.seen)

    def batch(self, rows):
        return Spy(self.cost.batch(rows), self.seen)

    def to(self, dtype):
        return Spy(self.cost.to(dtype), self.seen)


@pytest.fixture
def starts(make):
    cost = make.cost((4, 6, 3), "relu")
    return cost, np.random.default_rng(0).normal(size=(2, cost.network.n_parameters))


@KINDS
@pytest.mark.parametrize("method", ["directions", "coordinates"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_objective_is_handed_stacks_of_the_kind_of_theta_that_are_its_own(
    starts, kind, method, dtype
):
    cost, theta = starts
    given, seen = kind(theta), list[Any]()
    report = check_gradient(Spy(cost.to(dtype), seen), given, method=method, thorough=True)
    assert report.verdict == "pass"
    assert {type(one) for one in seen} == {type(given)}
    assert {str(one.dtype)[-7:] for one in seen} == {"float64", dtype}
    assert not any(np.shares_memory(as_numpy(one), theta) for one in seen)


@pytest.mark.parametrize("method", ["directions", "coordinates"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_report_is_that_of_the_other_kind(torch, make, starts, method, dtype):
    cost, theta = starts

    def change(theta, gradient):
        gradient[..., 3] *= 1.1
        return gradient

    for objective in (cost.to(dtype), make.changed(cost.to(dtype), change)):
        reports = [
            check_gradient(objective, kind(theta), method=method) for kind in (np.asarray, tensor)
        ]
        assert str(reports[0]) == str(reports[1])


@pytest.mark.parametrize("dtype", ["float32", np.float32, np.dtype("float32"), "torch.float32"])
def test_an_objective_says_its_dtype_by_any_of_its_names(starts, dtype):
    cost, theta = starts
    seen = list[Any]()
    spy = Spy(cost.to("float32"), seen)
    spy.dtype = dtype
    report = check_gradient(spy, theta)
    assert report.worst.kernel_error > 0.0
    assert {one.dtype for one in seen} == {np.dtype("float32"), np.dtype("float64")}


def test_numbers_that_overflow_in_the_dtype_of_the_objective_warn_of_nothing(starts):
    cost, theta = starts
    theta[:, 0] = 1e300
    with pytest.raises(sb.InvalidInput, match="J of check_gradient must be finite"):
        check_gradient(cost.to("float32"), theta)


@KINDS
def test_a_module_in_bfloat16_takes_theta_of_either_kind(torch, kind):
    X, y = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 20, 3))).bfloat16()
    module = torch.nn.Linear(3, 3).bfloat16()
    cost = sb.ModuleCost(module, torch.nn.functional.mse_loss, (X, y))
    theta = copied(as_numpy(cost.initialize(seed=1)))
    assert check_gradient(cost, kind(theta)).verdict == "pass"
