"""J, its gradient and its curvature on arrays of other kinds are those on NumPy's."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.losses import LOSSES
from symbreak.objectives.array_kernel import ArrayKernel, Workspaces
from symbreak.objectives.examples import Examples
from symbreak.objectives.minibatches import MiniBatches
from symbreak.objectives.network_curvature import Curvature
from symbreak.propagation.prediction import _collect
from tests.kinds import OTHER_KINDS
from tests.objectives.targets import targets

STARTS, M = 3, 150


def cost_of(activation="tanh", loss="cross_entropy", own=True, budget=None):
    rng = np.random.default_rng(4)
    net = sb.Network((4, 5, 6, 3), activation, loss)
    cost = sb.NetworkCost(
        net, rng.normal(size=(M, 4)), targets(loss, rng, M, 3),
        alpha=rng.uniform(0.1, 2.0, STARTS) if own else 0.3,
        sample_weight=rng.uniform(0.1, 2.0, (STARTS, M)) if own else None, memory_budget=budget,
    )  # fmt: skip
    return cost, 0.5 * rng.normal(size=(STARTS, net.n_parameters))


def as_other(task, make):
    """The same task on arrays that `make` makes."""
    examples = Examples(*(None if part is None else make(part) for part in task.examples.parts))
    strength = None if task.strength is None else make(task.strength)
    return dataclasses.replace(task, examples=examples, strength=strength)


def assert_close(found, expected, rtol=1e-12):
    assert type(found) is not np.ndarray
    error = np.linalg.norm(np.asarray(found) - expected)
    assert error <= rtol * np.linalg.norm(expected)


def both_kernels(cost_and_theta, make):
    cost, theta = cost_and_theta
    task = cost._data.task
    answers = []
    for kind, one in ((np.array, task), (make, as_other(task, make))):
        stack = kind(theta)
        gradient = kind(np.full(theta.shape, np.nan))
        kernel = ArrayKernel(one, Workspaces())
        answers.append((kernel.evaluate(stack, gradient), gradient, kernel.evaluate(stack, None)))
    return answers


@OTHER_KINDS
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_value_and_gradient(activation, loss, make):
    numpys, others = both_kernels(cost_of(activation, loss), make)
    for found, expected in zip(others, numpys, strict=True):
        assert_close(found, expected)


@OTHER_KINDS
@pytest.mark.parametrize("own", [True, False])
def test_in_blocks_of_starts_and_examples(own, make):
    numpys, others = both_kernels(cost_of("gelu", own=own, budget=12_000), make)
    for found, expected in zip(others, numpys, strict=True):
        assert_close(found, expected)


@OTHER_KINDS
@pytest.mark.parametrize("loss", ["squared_error", "cross_entropy"])
def test_curvature(loss, make):
    cost, theta = cost_of("silu", loss)
    task, v = cost._data.task, np.random.default_rng(5).normal(size=theta.shape)
    ours, theirs = Curvature(task), Curvature(as_other(task, make))
    asked = [("hessian_product", 2), ("gauss_newton_product", 2), ("gauss_newton", 1)]
    asked += [("residuals", 1), ("jacobian", 1)] if loss == "squared_error" else []
    for name, count in asked:
        given = (theta, v)[:count]
        expected = getattr(ours, name)(*given)
        found = getattr(theirs, name)(*map(make, given))
        for one, other in zip(*(x if count == 1 and name == "gauss_newton" else (x,)
                                for x in (found, expected)), strict=True):  # fmt: skip
            assert_close(one, other)


@OTHER_KINDS
@pytest.mark.parametrize("starts", [1, 2])
def test_mini_batches(starts, make):
    cost, theta = cost_of()
    order = np.random.default_rng(6).permutation(M)
    data = cost._data
    other = as_other(data.task, make)
    made = [
        (data.examples, np.array),
        (Examples(*map(make, data.examples.parts)), make),
    ]
    gradients = []
    for examples, kind in made:
        strength = data.task.strength if kind is np.array else other.strength
        batches = MiniBatches(data.network, examples, data.whole, strength, 40, starts)
        found = batches.gradients(kind(theta), kind(order))
        gradients.append([np.array(np.asarray(gradient)) for gradient in found])
    for ours, theirs in zip(*gradients, strict=True):
        np.testing.assert_allclose(theirs, ours, rtol=1e-11, atol=1e-15)


@OTHER_KINDS
def test_predictions(make):
    cost, theta = cost_of("softplus", "poisson")
    network, rows = cost.network, cost._data.examples.rows

    def link(layers):
        return network.loss.link(layers.output.z)

    expected = _collect(network, theta, rows, link)
    assert_close(_collect(network, make(theta), make(rows), link), expected)
