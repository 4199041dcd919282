"""The known starts: which stay one unit under real optimisers, as certified and as trained.

Every row is a start of a 4-6-3 net with a designed weight pattern, what the certificate must say,
and what 100 updates do to it.
"""

from __future__ import annotations

import numpy as np
import pytest

from symbreak.network import Network
from symbreak.objectives import NetworkCost
from symbreak.optimize import minimize
from symbreak.optimize.methods import METHODS
from symbreak.symmetry import symmetries
from tests.symmetry.optimizers import EVERY, optimizers

OPTIMIZERS = optimizers(sgd=0.05, adam=0.02, rmsprop=0.005)
ACTIVATIONS = ("tanh", "sigmoid", "relu")
UNITS = 6


def random_start():
    random = np.random.default_rng(5)
    return random.normal(size=(UNITS, 5)), random.normal(size=(3, 1 + UNITS))


def pair_equal():
    W, V = random_start()
    W[3], V[:, 4] = W[0], V[:, 1]
    return W, V


def equal_in_only():
    W, V = random_start()
    W[3] = W[0]
    return W, V


def equal_out_only():
    W, V = random_start()
    V[:, 4] = V[:, 1]
    return W, V


def mirrored_pair():
    W, V = random_start()
    W[3], V[:, 4] = -W[0], -V[:, 1]
    return W, V


def all_zero():
    return np.zeros((UNITS, 5)), np.zeros((3, 1 + UNITS))


def all_constant():
    W, V = np.full((UNITS, 5), 0.3), np.full((3, 1 + UNITS), 0.3)
    W[:, 0], V[:, 0] = 0.0, 0.0
    return W, V


def constant_with_random_bias():
    W, V = all_constant()
    W[:, 0] = np.random.default_rng(1).normal(size=UNITS)
    return W, V


def zero_in():
    W, V = random_start()
    return np.zeros_like(W), V


def constant_in():
    W, V = random_start()
    return np.full_like(W, 0.3), V


def zero_out():
    W, V = random_start()
    V[:, 1:] = 0.0
    return W, V


ONE_UNIT = {"kinds": {"identical"}, "width": 1}
FREE = {"kinds": set(), "width": UNITS}
DEAD = {"kinds": {"zero"}, "width": 0}
LOST = {"kinds": {"identical"}, "width": UNITS - 1}
ROWS = {
    pair_equal: dict.fromkeys(ACTIVATIONS, LOST),
    equal_in_only: dict.fromkeys(ACTIVATIONS, FREE),
    equal_out_only: dict.fromkeys(ACTIVATIONS, FREE),
    mirrored_pair: {
        "tanh": {"kinds": {"mirrored"}, "width": UNITS - 1}, "sigmoid": FREE, "relu": FREE,
    },
    all_zero: {"tanh": DEAD, "sigmoid": ONE_UNIT, "relu": DEAD},
    all_constant: dict.fromkeys(ACTIVATIONS, ONE_UNIT),
    constant_with_random_bias: dict.fromkeys(ACTIVATIONS, FREE),
    zero_in: {"tanh": FREE, "sigmoid": FREE, "relu": DEAD},
    constant_in: dict.fromkeys(ACTIVATIONS, FREE),
    zero_out: dict.fromkeys(ACTIVATIONS, FREE),
}  # fmt: skip


def problem(activation, alpha):
    net = Network((4, UNITS, 3), activation, "squared_error")
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 4))
    y = np.stack([np.sin(X[:, 0] * X[:, 1]), X[:, 2] ** 2, X @ [1, -1, 0.5, 0.2]], axis=1)
    return net, NetworkCost(net, X, y, alpha=alpha)


def trained(cost, theta, make, updates=100):
    theta = theta.copy()
    step = make(theta)
    for _ in range(updates):
        step(cost(theta)[1])
    return theta


def distinct_units(net, theta):
    """The units whose weights differ, in or out, up to the sign of all; those with no way in, not.

    With one hidden layer nothing else makes two units one.
    """
    W, V = net.thetas(theta)
    weights = np.concatenate([W, V[:, 1:].T], axis=1)
    if net.activations[0].name in ("tanh", "relu"):
        weights = weights[np.abs(W).max(axis=1) > 0]
    distinct: list[np.ndarray] = []
    for unit in weights:
        signs = (1, -1) if net.activations[0].is_odd else (1,)
        if all(np.abs(unit - sign * x).max() > 1e-5 for x in distinct for sign in signs):
            distinct.append(unit)
    return len(distinct)


@EVERY
@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_a_row_of_the_decision_table(row, activation, alpha, word):
    net, cost = problem(activation, alpha)
    theta = net.unroll(row())
    update, make = OPTIMIZERS[word]
    found = symmetries(net, theta, alpha=alpha, update=update)
    expected = ROWS[row][activation]
    assert {group.kind for group in found.groups} == expected["kinds"]
    assert all(group.permanent for group in found.groups)
    assert found.effective_widths.tolist() == [[expected["width"]]]
    assert distinct_units(net, trained(cost, theta, make)) == expected["width"]


TRAP = np.array([[0.9, -0.5], [-0.5, 0.9]])
MAGIC = np.array([[2.0, 7, 6], [9, 5, 1], [4, 3, 8]]) / 8  # rows and columns sum to 15 / 8


def with_block(block):
    """A net whose first n units of both hidden layers are tied by this block alone."""
    n = len(block)
    net = Network((4, n + 2, n + 1, 2), "tanh", "squared_error")
    random = np.random.default_rng(2)
    thetas = [random.normal(size=shape) for shape in ((n + 2, 5), (n + 1, n + 3), (2, n + 2))]
    thetas[0][:n] = thetas[0][0]
    thetas[1][:n] = thetas[1][0]
    thetas[1][:, 1 : n + 1] = thetas[1][:, 1:2]
    thetas[1][:n, 1 : n + 1] = block
    thetas[2][:, 1 : n + 1] = thetas[2][:, 1:2]
    X = random.normal(size=(30, 4))
    return net, net.unroll(thetas), X, np.sin(X[:, :2] * 2)


def spread_of_units(net, theta, X, n):
    return [np.ptp(net.hidden(theta, X, layer)[:, :n], axis=1).max() for layer in (1, 2)]


@EVERY
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_rows_that_are_permuted_stay_one_unit_under_every_optimiser(alpha, word):
    """Its rows hold the same weights: no sum is needed, and no penalty tears it."""
    net, theta, X, y = with_block(TRAP)
    update, make = OPTIMIZERS[word]
    found = symmetries(net, theta, alpha=alpha, update=update)
    assert [(group.layer, group.kind, group.units) for group in found.groups] == [
        (1, "identical", (0, 1)), (2, "identical", (0, 1)),
    ]  # fmt: skip
    assert found.effective_widths.tolist() == [[3, 2]]
    end = trained(NetworkCost(net, X, y, alpha=alpha), theta, make)
    assert max(spread_of_units(net, end, X, 2)) < 1e-9


@EVERY
@pytest.mark.parametrize("alpha", [0.0, 0.5])
def test_a_magic_square_is_kept_unless_the_penalty_is_in_an_elementwise_update(alpha, word):
    net, theta, X, y = with_block(MAGIC)
    update, make = OPTIMIZERS[word]
    found = symmetries(net, theta, alpha=alpha, update=update)
    assert [(group.layer, group.kind, group.units) for group in found.groups] == [
        (1, "equal_sums", (0, 1, 2)), (2, "equal_sums", (0, 1, 2)),
    ]  # fmt: skip
    kept = alpha == 0 or update == "linear"
    assert [group.permanent for group in found.groups] == [kept, kept]
    assert found.effective_widths.tolist() == [[3, 2] if kept else [5, 4]]
    end = trained(NetworkCost(net, X, y, alpha=alpha), theta, make)
    spread = max(spread_of_units(net, end, X, 3))
    assert spread < 1e-9 if kept else spread > 1e-4


def test_alpha_counts_for_the_theta_that_it_penalises():
    """Only Theta2 holds the square, so only its penalty tears the groups."""
    net, theta, *_ = with_block(MAGIC)
    elsewhere = symmetries(net, theta, alpha=np.array([[1.0, 0.0, 1.0]]))
    there = symmetries(net, theta, alpha=np.array([[0.0, 1.0, 0.0]]))
    assert elsewhere.effective_widths.tolist() == [[3, 2]]
    assert there.effective_widths.tolist() == [[5, 4]]
    assert elsewhere.permanent.tolist() == [True]
    assert there.permanent.tolist() == [False]


FAST = {"learning_rate": 0.02}


@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize("method", METHODS)
def test_the_methods_of_minimize_keep_what_the_docs_say(method, alpha):
    """Equal sums under all of them without a penalty, with one under those that are linear."""
    net, theta, X, y = with_block(MAGIC)
    elementwise = method in ("adam", "adamw", "rprop")
    found = symmetries(net, theta, alpha=0.0)
    # Weak damping leaves equations that are all but singular, and they magnify rounding.
    options = {"levenberg-marquardt": {"damping": 1.0}, "adam": FAST, "adamw": FAST}.get(method, {})
    cost = NetworkCost(net, X, y, alpha=alpha)
    outcome = minimize(cost, theta, method=method, max_iter=8, **options)
    assert np.abs(outcome.theta - theta).max() > 1e-3
    distance = found.distance(outcome.theta).max()
    assert distance > 1e-9 if elementwise and alpha else distance < 1e-10
