"""J and its gradient against the textbook's, for every activation, loss and depth."""

from __future__ import annotations

import numpy as np
import pytest

import symbreak as sb
from symbreak.activations import ACTIVATIONS
from symbreak.losses import LOSSES
from tests.objectives import textbook
from tests.objectives.targets import targets

DEPTHS = {0: (), 1: (5,), 2: (5, 4), 3: (5, 4, 3)}
STARTS, M = 3, 23


def make(activation, loss, depth, seed=0):
    rng = np.random.default_rng(seed)
    net = sb.Network((6, *DEPTHS[depth], 3), activation, loss)
    X = rng.normal(size=(M, 6))
    y = targets(loss, rng, M, 3)
    theta = 0.5 * rng.normal(size=(STARTS, net.n_parameters))
    return net, theta, X, y, rng.uniform(0.1, 2.0, M)


def assert_blocks_agree(net, gradient, expected, tolerance=1e-12):
    for block in net.blocks:
        error = np.linalg.norm(gradient[block.slice] - expected[block.slice])
        assert error <= tolerance * np.linalg.norm(expected[block.slice]), block.name


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_value_and_gradient_agree_with_the_textbook(activation, loss, depth):
    net, theta, X, y, weights = make(activation, loss, depth)
    cost = sb.NetworkCost(net, X, y, alpha=0.7, sample_weight=weights)
    J, gradient = cost(theta)
    for start in range(STARTS):
        expected = textbook.value_and_gradient(net, theta[start], X, y, 0.7, weights)
        assert J[start] == pytest.approx(expected[0], rel=1e-12)
        assert_blocks_agree(net, gradient[start], expected[1])


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "gelu", "relu"])
def test_stacked_equals_one_by_one_and_blocked_equals_whole(activation, loss, depth):
    net, theta, X, y, weights = make(activation, loss, depth)
    whole = sb.NetworkCost(net, X, y, alpha=0.7, sample_weight=weights)
    small = sb.NetworkCost(net, X, y, alpha=0.7, sample_weight=weights, memory_budget=5000)
    J, gradient = whole(theta)
    J_small, gradient_small = small(theta)
    np.testing.assert_allclose(J_small, J, rtol=1e-12)
    np.testing.assert_allclose(whole.value(theta), J, rtol=1e-14)
    for start in range(STARTS):
        alone, alone_gradient = whole(theta[start])
        assert alone == pytest.approx(J[start], rel=1e-12)
        assert_blocks_agree(net, alone_gradient, gradient[start])
        assert_blocks_agree(net, gradient_small[start], gradient[start])


@pytest.mark.parametrize("loss", LOSSES)
def test_a_weight_of_two_equals_a_repeated_example(loss):
    net, theta, X, y, _ = make("tanh", loss, 1)
    counts = np.arange(M) % 3
    rows = np.repeat(np.arange(M), counts)
    weighted = sb.NetworkCost(net, X, y, alpha=0.7, sample_weight=counts.astype(float))
    repeated = sb.NetworkCost(net, X[rows], y[rows], alpha=0.7)
    np.testing.assert_allclose(weighted(theta)[0], repeated(theta)[0], rtol=1e-12)
    for one, other in zip(weighted(theta)[1], repeated(theta)[1], strict=True):
        assert_blocks_agree(net, one, other)


def test_penalties_and_weights_of_every_start_and_layer():
    net, theta, X, y, _ = make("tanh", "squared_error", 2)
    rng = np.random.default_rng(1)
    alpha = rng.uniform(0.0, 3.0, (STARTS, 3))
    weights = rng.uniform(0.1, 2.0, (STARTS, M))
    cost = sb.NetworkCost(net, X, y, alpha=alpha, sample_weight=weights)
    J, gradient = cost(theta)
    for start in range(STARTS):
        expected = textbook.value_and_gradient(
            net, theta[start], X, y, alpha[start], weights[start]
        )
        assert J[start] == pytest.approx(expected[0], rel=1e-12)
        assert_blocks_agree(net, gradient[start], expected[1])
    chosen = [2, 0, 2]
    J_taken, gradient_taken = cost.take(chosen)(theta[chosen])
    np.testing.assert_allclose(J_taken, J[chosen], rtol=1e-12)
    np.testing.assert_allclose(gradient_taken, gradient[chosen], rtol=1e-11)


@pytest.mark.parametrize("loss", LOSSES)
def test_batch_has_the_losses_of_its_rows_and_the_whole_penalty(loss):
    net, theta, X, y, weights = make("sigmoid", loss, 1)
    rows = np.array([3, 0, 11, 3])
    part = sb.NetworkCost(net, X, y, alpha=0.7, sample_weight=weights).batch(rows)
    # Both divide by the Σw that four examples have on average, not by that of these four.
    share = len(rows) / len(X)
    factor = weights[rows].sum() / (weights.sum() * share)
    J, gradient = part(theta)
    for start in range(STARTS):
        expected = textbook.value_and_gradient(
            net, theta[start], X[rows], y[rows], 0.7 * share, weights[rows]
        )
        assert J[start] == pytest.approx(factor * expected[0], rel=1e-12)
        assert_blocks_agree(net, gradient[start], factor * expected[1])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_backpropagate_shows_the_same_gradient(activation, loss):
    net, theta, X, y, _ = make(activation, loss, 2)
    trace = sb.backpropagate(net, theta, X, y)
    J, gradient = sb.NetworkCost(net, X, y)(theta)
    np.testing.assert_allclose(trace.value, J, rtol=1e-13)
    for start in range(STARTS):
        assert_blocks_agree(net, net.unroll([g[start] for g in trace.gradients]), gradient[start])


def test_float32_is_float64_up_to_rounding():
    net, theta, X, y, weights = make("tanh", "cross_entropy", 2)
    exact = sb.NetworkCost(net, X, y, alpha=0.7, sample_weight=weights)(theta)
    rounded = sb.NetworkCost(net, X.astype(np.float32), y, alpha=0.7, sample_weight=weights)
    assert rounded.dtype == np.float32
    J, gradient = rounded(theta)
    np.testing.assert_allclose(J, exact[0], rtol=1e-5)
    for start in range(STARTS):
        assert_blocks_agree(net, gradient[start], exact[1][start], tolerance=1e-5)


def test_scipy_minimises_it():
    from scipy.optimize import minimize

    net, theta, X, y, _ = make("tanh", "squared_error", 1)
    cost = sb.NetworkCost(net, X, y, alpha=1.0)
    result = minimize(cost.numpy, theta[0], jac=True, method="L-BFGS-B")
    assert result.success
    ours = sb.minimize(cost, theta[0], gradient_rtol=1e-8)
    assert ours.value[0] <= result.fun * (1 + 1e-4)
