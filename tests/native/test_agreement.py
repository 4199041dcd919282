"""The compiled core and the Python path give the same numbers, to 1e-12 in every block of theta."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import symbreak as sb
from symbreak import native
from symbreak.activations import ACTIVATIONS
from symbreak.losses import LOSSES
from symbreak.native.twins import native_network
from symbreak.objectives.array_kernel import ArrayKernel, Workspaces
from symbreak.objectives.native_kernel import NativeKernel

pytestmark = pytest.mark.skipif(native.load() is None, reason="needs the compiled core")

STARTS, FEATURES, OUTPUTS = 3, 5, 3
HIDDEN = (7, 13, 6)


def targets(loss, m, rng):
    if loss == "cross_entropy":
        return rng.integers(0, OUTPUTS, m)
    if loss == "binary_cross_entropy":
        return rng.integers(0, 2, (m, OUTPUTS))
    return rng.poisson(2.0, (m, OUTPUTS))


def cost_of(activation, loss, depth, weights, alpha, *, m=53, dtype=np.float64, scale=1.0):
    """Return a cost and a theta for it, both drawn anew for each case."""
    rng = np.random.default_rng([len(activation), len(loss), depth, m])
    network = sb.Network((FEATURES, *HIDDEN[:depth], OUTPUTS), activation, loss)
    X = rng.normal(size=(m, FEATURES)).astype(dtype)
    sample_weight = {"none": None, "one": rng.random(m), "each": rng.random((STARTS, m))}[weights]
    penalty = {"none": 0.0, "one": 1.0, "each": rng.random(STARTS)}[alpha]
    cost = sb.NetworkCost(
        network, X, targets(loss, m, rng), alpha=penalty, sample_weight=sample_weight
    )
    return cost, scale * rng.normal(size=(STARTS, network.n_parameters)).astype(dtype)


def both(cost, theta):
    """Return (J, gradient) of the core and of the Python path."""
    assert isinstance(cost._data.kernel, NativeKernel)
    stack = cost.stack(theta)
    answers = []
    for kernel in (cost._data.kernel, ArrayKernel(cost._data.task, Workspaces())):
        gradient = np.empty_like(stack)
        answers.append((kernel.evaluate(stack, gradient), gradient))
    return answers


def assert_agree(cost, theta, rtol):
    (J, gradient), (J_python, gradient_python) = both(cost, theta)
    np.testing.assert_allclose(J, J_python, rtol=rtol)
    for block in cost.blocks:
        largest = np.abs(gradient_python[:, block.slice]).max(1, keepdims=True) + 1e-300
        error = np.linalg.norm((gradient - gradient_python)[:, block.slice] / largest, axis=1)
        size = np.linalg.norm(gradient_python[:, block.slice] / largest, axis=1)
        assert (error <= rtol * size).all(), (block.name, error / size)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation_loss_and_depth_with_weights_and_penalties(activation, loss):
    ways = ("none", "one", "each")
    for depth, weights, alpha in itertools.product(range(4), ways, ways):
        # Small weights: an exploding mean of poisson magnifies the rounding of z itself.
        cost, theta = cost_of(activation, loss, depth, weights, alpha, scale=0.5)
        assert_agree(cost, theta, 1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_float32(loss):
    for depth in range(4):
        cost, theta = cost_of("tanh", loss, depth, "one", "one", dtype=np.float32, scale=0.3)
        assert_agree(cost, theta, 1e-5)


def test_the_penalty_of_millions_of_weights_keeps_its_digits_in_float32():
    network = sb.Network((2000, 1000, 1), "tanh", "squared_error")
    X = np.zeros((1, 2000), np.float32)
    cost = sb.NetworkCost(network, X, np.zeros(1), alpha=1.0)
    theta = np.full((1, network.n_parameters), 1e-3, np.float32)
    exact = 0.5 * np.float64(np.float32(1e-3)) ** 2 * int(cost.is_weight.sum())
    theta[0, ~np.asarray(cost.is_weight)] = 0.0
    np.testing.assert_allclose(cost(theta)[0], exact, rtol=3e-7)


@pytest.mark.parametrize("m", [1, 15, 16, 17, 1000])
def test_any_number_of_examples(m):
    cost, theta = cost_of("tanh", "cross_entropy", 2, "each", "each", m=m)
    assert_agree(cost, theta, 1e-12)


@pytest.mark.parametrize("units", [3, 64])
def test_wide_examples_are_several_blocks_in_each_of_several_chunks(units):
    rng = np.random.default_rng(0)
    network = sb.Network((400, units, 2), "tanh", "cross_entropy")
    cost = sb.NetworkCost(network, rng.normal(size=(5001, 400)), rng.integers(0, 2, 5001))
    assert_agree(cost, 0.1 * rng.normal(size=(2, network.n_parameters)), 1e-12)


def test_a_loss_that_overflows_is_infinite_not_nan():
    network = sb.Network((2, 3, 1), "tanh", "squared_error")
    cost = sb.NetworkCost(network, np.ones((5, 2)), np.zeros(5))  # most of a panel is empty
    theta = np.zeros((1, network.n_parameters))
    theta[0, 9] = 1e200  # the bias of the output
    assert cost(theta)[0] == np.inf
    assert cost.value(theta) == np.inf


@pytest.mark.parametrize("loss", LOSSES)
def test_far_into_saturation_nothing_cancels_or_overflows(loss):
    # One feature is one and the rest are zero, so that raw has no rounding of its own.
    network = sb.Network((FEATURES, OUTPUTS), loss=loss)
    rng = np.random.default_rng(0)
    X, y = np.eye(FEATURES)[rng.integers(0, FEATURES, 50)], targets(loss, 50, rng)
    cost, theta = sb.NetworkCost(network, X, y), rng.uniform(-1e4, 1e4, (40, network.n_parameters))
    assert_agree(cost, theta, 1e-12)
    assert np.isfinite(cost(theta)[0]).all()


def test_wide_layers_and_every_size_of_a_tile():
    rng = np.random.default_rng(0)
    for sizes in itertools.product((1, 6, 12, 13), (1, 5, 25)):
        network = sb.Network((sizes[1], *sizes, 2), "tanh", "cross_entropy")
        X, y = rng.normal(size=(40, sizes[1])), rng.integers(0, 2, 40)
        cost = sb.NetworkCost(network, X, y)
        assert_agree(cost, rng.normal(size=(2, network.n_parameters)), 1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("units", [1, 5, 13, 30])
def test_first_layers_of_every_width_on_all_examples_and_on_some(units, dtype):
    # Registers run along the features there, as far as these fill them, whole ones and pairs.
    rng = np.random.default_rng(0)
    for features in (3, 7, 8, 15, 16, 23, 31, 47, 64):
        network = sb.Network((features, units, 2), "tanh", "cross_entropy")
        X, y = rng.normal(size=(53, features)).astype(dtype), rng.integers(0, 2, 53)
        cost = sb.NetworkCost(network, X, y, sample_weight=rng.random(53))
        theta = 0.3 * rng.normal(size=(2, network.n_parameters)).astype(dtype)
        rtol = 1e-12 if dtype == np.float64 else 1e-5
        assert_agree(cost, theta, rtol)
        order = rng.permutation(53)
        kernel = cost._data.kernel
        assert isinstance(kernel, NativeKernel)
        for first, found in enumerate(kernel.minibatch_gradients(theta, order, 20)):
            part = cost.batch(order[20 * first : 20 * (first + 1)])
            np.testing.assert_allclose(found, part(theta)[1], rtol=100 * rtol, atol=rtol)


def test_examples_that_do_not_lie_row_by_row():
    core = native.load()
    assert core is not None
    rng = np.random.default_rng(0)
    rows, target = rng.normal(size=(40, 33)), rng.integers(0, 2, (1, 40)).astype(float)
    network = native_network(sb.Network((32, 5, 2), "tanh", "cross_entropy"))
    theta, order = rng.normal(size=(1, 177)), rng.permutation(40)[:25]
    gradients = []
    for given in (rows, np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2]):
        examples, batch = core.examples(given, target), core.Examples64(33, 1)
        batch.pick(examples, order)
        for those in (examples, batch):
            J, gradient = np.empty(1), np.empty_like(theta)
            core.Problem64(network, those, 1.0, None, None, 1e6).evaluate(theta, J, gradient, 1)
            gradients.append(gradient)
    for gradient, expected in zip(gradients[2:], gradients[:2] * 2, strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_predictions(loss, monkeypatch):
    cost, theta = cost_of("silu", loss, 2, "none", "none", m=700)
    X = np.random.default_rng(1).normal(size=(700, FEATURES))
    by_core = cost.network.predict(theta, X)
    monkeypatch.setattr("symbreak.propagation.prediction.load", lambda: None)
    by_python = cost.network.predict(theta, X)
    np.testing.assert_allclose(by_core, by_python, rtol=1e-12, atol=1e-14 * np.abs(by_python).max())
