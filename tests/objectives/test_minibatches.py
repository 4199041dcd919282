"""Mini-batch gradients: each that of `batch`, all together the gradient of J."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import symbreak as sb
from symbreak.objectives import minibatches
from tests.objectives.reference import ACTIVATIONS, LOSSES
from tests.objectives.targets import targets

STARTS, M = 3, 23
WEIGHTS = ("none", "shared", "own")


def make(activation="tanh", loss="cross_entropy", weights="none", alpha=0.0, **options):
    rng = np.random.default_rng(5)
    net = sb.Network((4, 5, 6, 3), activation, loss)
    X, y = rng.normal(size=(M, 4)), targets(loss, rng, M, 3)
    w = {"none": None, "shared": rng.uniform(0, 2, M), "own": rng.uniform(0, 2, (STARTS, M))}
    cost = sb.NetworkCost(net, X, y, alpha=alpha, sample_weight=w[weights], **options)
    return cost, rng.normal(size=(STARTS, net.n_parameters))


def penalties(kind):
    return {"none": 0.0, "one": 0.7, "own": [0.1, 2.0, 0.0]}[kind]


def assert_close(found, expected, rtol=1e-12):
    """Compare relative to the largest entry of each start."""
    apart, size = np.abs(found - expected).max(1), np.abs(expected).max(1)
    assert (apart <= rtol * size).all()


def shuffled(seed):
    return np.random.default_rng(seed).permutation(M)


def split(order, size):
    """Return the mini-batches of an order."""
    return np.split(order, range(size, len(order), size))


def collected(cost, theta, order, size):
    return [gradient.copy() for gradient in cost.minibatch_gradients(theta, order, size)]


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("alpha", ["none", "one", "own"])
@pytest.mark.parametrize("size", [1, 5, 8, 23, 40])
def test_weighted_by_their_sizes_they_sum_to_the_gradient_of_j(weights, alpha, size):
    cost, theta = make(weights=weights, alpha=penalties(alpha))
    order = shuffled(size)
    J, gradient = cost(theta)
    parts = split(order, size)
    share = [len(part) / M for part in parts]
    found = collected(cost, theta, order, size)
    assert len(found) == len(parts)
    assert_close(sum(s * g for s, g in zip(share, found, strict=True)), gradient)
    values = [cost.batch(part).value(theta) for part in parts]
    np.testing.assert_allclose(sum(s * v for s, v in zip(share, values, strict=True)), J)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("weights", WEIGHTS)
def test_each_is_the_gradient_of_its_batch(loss, weights):
    cost, theta = make("sigmoid", loss, weights, alpha=0.4)
    order = shuffled(1)
    for found, rows in zip(collected(cost, theta, order, 6), split(order, 6), strict=True):
        assert_close(found, cost.batch(rows)(theta)[1])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_one_start_alone_and_many_agree(activation):
    cost, theta = make(activation, alpha=penalties("own"), weights="own")
    order = np.arange(M)[::-1]
    together = collected(cost, theta, order, 7)
    for start in range(STARTS):
        alone = collected(cost.take([start]), theta[start : start + 1].copy(), order, 7)
        for ours, theirs in zip(together, alone, strict=True):
            assert_close(ours[start : start + 1], theirs)


@pytest.mark.parametrize("numbers", [1, 100, 250])
@pytest.mark.parametrize("gathered", [1, 64, 2**16])
def test_cuts_into_blocks_change_nothing(monkeypatch, numbers, gathered):
    order = shuffled(2)
    cost, theta = make(weights="own", alpha=penalties("own"))
    expected = collected(cost, theta, order, 4)
    monkeypatch.setattr(minibatches, "STACKED_NUMBERS", numbers)
    monkeypatch.setattr(minibatches, "GATHERED_NUMBERS", gathered)
    cost, theta = make(weights="own", alpha=penalties("own"))
    for found, rest in zip(collected(cost, theta, order, 4), expected, strict=True):
        assert_close(found, rest)


def test_over_the_memory_budget_they_are_cut_as_full_passes_are():
    order = np.arange(M)
    cost, theta = make(weights="own", alpha=1.0)
    small, _ = make(weights="own", alpha=1.0, memory_budget=20_000)
    assert minibatches.starts_of_block(cost.network, theta, 9, small.memory_budget) is None
    pairs = zip(collected(small, theta, order, 9), collected(cost, theta, order, 9), strict=True)
    for found, expected in pairs:
        assert_close(found, expected)


@given(size=st.integers(1, 30), seed=st.integers(0, 99))
def test_theta_is_read_anew_for_each(size, seed):
    cost, theta = make(alpha=0.5)
    rng = np.random.default_rng(seed)
    order = rng.permutation(M)
    rows = iter(split(order, size))
    for gradient in cost.minibatch_gradients(theta, order, size):
        assert_close(gradient, cost.batch(next(rows))(theta)[1])
        theta += rng.normal(size=theta.shape)


def test_full_passes_between_disturb_nothing():
    cost, theta = make(alpha=0.5)
    expected, order = collected(cost, theta, np.arange(M), 6), np.arange(M)
    for gradient, rest in zip(cost.minibatch_gradients(theta, order, 6), expected, strict=True):
        np.testing.assert_array_equal(gradient, rest)
        cost(theta + 1.0)


def test_examples_may_come_more_than_once():
    cost, theta = make(weights="own", alpha=0.5)
    order = np.arange(3 * M) % M
    for found, rows in zip(collected(cost, theta, order, 30), split(order, 30), strict=True):
        assert_close(found, cost.batch(rows)(theta)[1])


@pytest.mark.parametrize("weights", WEIGHTS)
def test_the_mean_over_random_examples_is_j(weights):
    cost, theta = make(weights=weights, alpha=3.0)
    values = [cost.batch([row]).value(theta) for row in range(M)]
    np.testing.assert_allclose(np.mean(values, axis=0), cost.value(theta), rtol=1e-13)


def test_examples_without_weight_give_the_penalty_alone():
    net = sb.Network((2, 2, 2), loss="cross_entropy")
    cost = sb.NetworkCost(net, np.eye(2), [0, 1], alpha=1.0, sample_weight=[0.0, 4.0])
    theta = np.ones((1, net.n_parameters))
    (gradient,) = collected(cost, theta, np.array([0]), 1)
    np.testing.assert_allclose(gradient[0], cost.is_weight / 4.0)


def test_weights_are_what_the_penalty_counts():
    cost, _ = make()
    biases = [i for block in cost.blocks for i in range(block.start, block.stop, block.shape[1])]
    np.testing.assert_array_equal(np.flatnonzero(~cost.is_weight), biases)
