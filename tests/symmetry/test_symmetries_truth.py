"""The certificate against the truth: designed symmetries, real updates, real a and delta."""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.propagation.trace import backpropagate
from symbreak.symmetry import symmetries
from tests.symmetry.optimizers import EVERY, OURS, TORCHS, optimizers
from tests.symmetry.planted import planted, relation

# Adam and RMSprop divide the rounding of a gradient that is exactly 0 by eps.
UPDATES = optimizers(sgd=0.005, adam=0.01, rmsprop=0.003, eps=1e-6)
KEPT = 1e-10
DISTINCT = 1e-6


def examples(network: Network, seed: int, m: int = 11):
    random = np.random.default_rng([seed, 1])
    X = random.normal(size=(m, network.n_features))
    y = random.normal(size=(m, network.n_outputs))
    if network.loss.name == "cross_entropy":
        return X, np.arange(m) % network.n_outputs
    if network.loss.name == "binary_cross_entropy":
        y = (y > 0).astype(float)
    return X, y


def hidden_signals(network, theta, X, y):
    """For each hidden layer a and delta of every unit, (units, 2, m), and the scale of each, (2,).

    A delta is a sum over the units above, which may cancel: its rounding is that of its terms.
    """
    trace = backpropagate(network, theta, X, y)
    layers = zip(
        trace.a[1:-1], trace.delta[:-1], trace.delta[1:], network.thetas(theta)[1:], strict=True
    )
    for a, delta, above, Theta in layers:
        terms = np.abs(Theta[:, 1:]).T @ np.abs(above)
        yield np.stack([a, delta], axis=1), np.array([np.abs(a).max(), terms.max()]) + 1e-300


def differences(signals, scale):
    """(units, units): the largest relative |x - x'| and |x + x'| of a and delta; and the sizes."""
    scaled = signals / scale[:, None]
    plus, minus = scaled[:, None] - scaled[None], scaled[:, None] + scaled[None]
    return np.abs(plus).max(axis=(2, 3)), np.abs(minus).max(axis=(2, 3)), np.abs(scaled).max((1, 2))


def assert_true(seed: int, word: str, alpha: float, n_updates: int) -> None:
    """No miss, no false alarm, and the set is kept at every update."""
    case = planted(seed)
    network = case.network
    update, make = UPDATES[word]
    found = symmetries(network, case.theta, alpha=alpha, update=update)
    kept_by_rule = case.style != "sums" or alpha == 0 or update == "linear"
    if kept_by_rule:
        for labels, signs, layer in zip(found.labels, found.signs, case.layers[1:-1], strict=True):
            np.testing.assert_array_equal(
                relation(labels[0], signs[0]), relation(layer.labels, layer.signs)
            )
    X, y = examples(network, seed)
    cost = NetworkCost(network, X, y, alpha=alpha)
    theta = case.theta.copy()
    step = make(theta)
    furthest = [np.zeros((units, units)) for units in network.layers[1:-1]]
    for number in range(n_updates + 1):
        theta[:] = found.project(theta)
        if number in (0, 1, n_updates // 3, n_updates):
            _compare(network, theta, found, X, y, furthest)
        step(cost(theta)[1])
        assert found.distance(theta).max() <= KEPT
    for labels, far in zip(found.labels, furthest, strict=True):
        different = labels[0][:, None] != labels[0]
        assert far[different].min(initial=1.0) > DISTINCT


def _compare(network, theta, found, X, y, furthest):
    for layer, (signals, scale) in enumerate(hidden_signals(network, theta, X, y)):
        labels, signs = found.labels[layer][0], found.signs[layer][0]
        equal, opposite, size = differences(signals, scale)
        related = relation(labels, signs)
        assert equal[related == 1].max(initial=0.0) <= KEPT
        assert opposite[related == -1].max(initial=0.0) <= KEPT
        assert size[signs == 0].max(initial=0.0) <= KEPT
        # Two units that this data never wakes do not show whether they are distinct.
        asleep = (size[:, None] == 0) & (size == 0)
        away = np.where(asleep, 1.0, np.minimum(equal, opposite))
        furthest[layer] = np.maximum(furthest[layer], away)


@EVERY
@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_the_certificate_is_true(seed, alpha, word):
    number = (*TORCHS, *OURS).index(word)
    assert_true(seed * 14 + 7 * (alpha > 0) + number, word, alpha, 30)


@pytest.mark.needs_torch
@pytest.mark.slow
@pytest.mark.parametrize("block", range(10))
def test_the_certificate_is_true_for_500_networks(block):
    for seed in range(1000 + 50 * block, 1050 + 50 * block):
        word = TORCHS[seed % 4]
        assert_true(seed, word, 0.3 * (seed // 4 % 2), 300)
